"""What every kernel accepts, checked in one place, and the compiler settings they share."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from liqwarn.errors import FrameError

__all__ = ["FloatArray", "check_window", "compiled", "inlined", "needed_bars", "plane"]

FloatArray = NDArray[np.float64]
P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel: cached on disk, without the GIL, IEEE arithmetic in the written order.

    No fast-math: reassociation would let the bits depend on where a vector loop happens to start.
    The cache watches a kernel's own file only: after a change to :mod:`liqwarn.windows.blocks`
    delete ``__pycache__``.
    """
    decorate = njit(cache=True, nogil=True, error_model="numpy")
    return cast("Callable[P, R]", decorate(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a part of a kernel into its caller; settings as in :func:`compiled`."""
    decorate = njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
    return cast("Callable[P, R]", decorate(function))


def needed_bars(window: int) -> int:
    """Bars of history, the current one included, that make a window's value final.

    >>> needed_bars(24)
    48
    """
    return 2 * window


def plane(x: FloatArray, name: str = "x") -> FloatArray:
    """The array as a read-only C-contiguous view, or a copy where its layout demands one.

    Raises
    ------
    FrameError
        Unless it is float64 of shape (n_symbols, n_bars).
    """
    if not isinstance(x, np.ndarray) or x.ndim != 2:
        found = f"shape {np.shape(x)}"
        raise FrameError(f"{name} has {found}, expected two axes (n_symbols, n_bars)")
    if x.dtype != np.float64:
        raise FrameError(f"{name} has dtype {x.dtype}, expected float64")
    view = np.ascontiguousarray(x).view()
    view.flags.writeable = False  # one compiled signature for frozen and free arrays alike
    return view


def check_window(window: int, first_bar: int, min_count: int | None) -> int:
    """The effective `min_count`.

    Raises
    ------
    FrameError
        When the window is shorter than a bar, `first_bar` negative or `min_count` out of range.
    """
    if window < 1:
        raise FrameError(f"window is {window} bars, expected at least 1")
    if first_bar < 0:
        raise FrameError(f"first_bar is {first_bar}, expected an absolute bar number from 0")
    if min_count is None:
        return window
    if not 1 <= min_count <= window:
        raise FrameError(f"min_count is {min_count}, expected 1 to the window's {window}")
    return min_count
