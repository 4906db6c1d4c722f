"""Arrays lent to compiled code without their reference count.

Numba counts references on every call that takes an array, with atomic instructions: in the engine
that took five times as long as the market itself.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from llvmlite.ir import Constant  # type: ignore[import-untyped]
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["borrowed"]

A = TypeVar("A")


@intrinsic
def _borrowed(typing_context: Any, owned: Any) -> tuple[Signature, Any]:  # noqa: ANN401, ARG001
    """The same memory, not counted; whoever lends it must hold it until the call returns."""

    def code(context: Any, builder: Any, signature: Signature, args: Any) -> Any:  # noqa: ANN401
        make = make_array(signature.args[0])  # type: ignore[no-untyped-call]
        view = make(context, builder, value=args[0])
        for name in ("meminfo", "parent"):
            setattr(view, name, Constant(getattr(view, name).type, None))
        return view._getvalue()

    return owned(owned), code


borrowed = cast("Callable[[A], A]", _borrowed)
"""The same memory, not counted; whoever lends it must hold it until the call returns."""
