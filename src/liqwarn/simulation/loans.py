"""Arrays lent to compiled code without their reference count.

Numba counts references on every call that takes an array, with atomic instructions: in the engine
that took five times as long as the market itself.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from llvmlite.ir import Constant  # type: ignore[import-untyped]
from numba.core import types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["borrowed"]

A = TypeVar("A")


def _lent(context: Any, builder: Any, kind: Any, value: Any) -> Any:  # noqa: ANN401
    """The value with every array in it uncounted."""
    if isinstance(kind, types.Array):
        make = make_array(kind)  # type: ignore[no-untyped-call]
        view = make(context, builder, value=value)
        for name in ("meminfo", "parent"):
            setattr(view, name, Constant(getattr(view, name).type, None))
        return view._getvalue()
    if isinstance(kind, types.BaseTuple):
        for place, part in enumerate(cast("Iterable[Any]", kind)):
            lent = _lent(context, builder, part, builder.extract_value(value, place))
            value = builder.insert_value(value, lent, place)
    return value


@intrinsic
def _borrowed(typing_context: Any, owned: Any) -> tuple[Signature, Any]:  # noqa: ANN401, ARG001
    """An array, or a tuple of arrays and numbers: the same memory, not counted.

    Whoever lends it must hold it until the call returns.
    """

    def code(context: Any, builder: Any, signature: Signature, args: Any) -> Any:  # noqa: ANN401
        return _lent(context, builder, signature.args[0], args[0])

    return owned(owned), code


borrowed = cast("Callable[[A], A]", _borrowed)
