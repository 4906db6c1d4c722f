"""Quantiles over trailing windows. Exact.

A block and the one before it are sorted once; which of their bars are in the window is a set of
bits in sorted order, and an order statistic is the place of its n-th bit.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from liqwarn.errors import FrameError
from liqwarn.windows.arguments import FloatArray, compiled, plane
from liqwarn.windows.blocks import Plan, load_row, plan_blocks

__all__ = ["rolling_quantile"]

IntArray = NDArray[np.int64]
BitArray = NDArray[np.uint64]


@compiled
def _ones(word: np.uint64) -> np.uint64:
    """How many bits are set; the compiler knows this form and has one instruction for it."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    pairs = np.uint64(0x3333333333333333)
    word = (word & pairs) + ((word >> np.uint64(2)) & pairs)
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.uint64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def _flip(bits: BitArray, slot: int) -> None:
    bits[slot >> 6] ^= np.uint64(1) << np.uint64(slot & 63)


@compiled
def _nth(bits: BitArray, n: int) -> int:
    """Slot of the `n`-th set bit, counted from 0."""
    at = 0
    rest = np.uint64(n)
    while _ones(bits[at]) <= rest:
        rest -= _ones(bits[at])
        at += 1
    word = bits[at]
    slot = at * 64
    width = 32
    while width:
        half = word & ((np.uint64(1) << np.uint64(width)) - np.uint64(1))
        if _ones(half) <= rest:
            rest -= _ones(half)
            word >>= np.uint64(width)
            slot += width
        width //= 2
    return slot


@compiled
def _next(bits: BitArray, slot: int) -> int:
    """The first set bit after `slot`."""
    at = slot >> 6
    word = (bits[at] >> np.uint64(slot & 63)) >> np.uint64(1)
    if word:
        return slot + 1 + int(_ones((word & (~word + np.uint64(1))) - np.uint64(1)))
    at += 1
    while not bits[at]:
        at += 1
    word = bits[at]
    return at * 64 + int(_ones((word & (~word + np.uint64(1))) - np.uint64(1)))


@compiled
def _interpolate(pair: FloatArray, order: IntArray, bits: BitArray, place: float) -> float:
    """The value at a fractional place in sorted order, step for step as numpy's."""
    low = int(place)
    weight = place - low
    slot = _nth(bits, low)
    lower = float(pair[order[slot]])
    if weight == 0.0:
        return lower
    upper = float(pair[order[_next(bits, slot)]])
    if weight >= 0.5:
        return upper - (upper - lower) * (1.0 - weight)
    return lower + (upper - lower) * weight


@compiled
def _quantiles(padded: FloatArray, orders: IntArray, plan: Plan, q: float, out: FloatArray) -> None:
    window = plan.window
    slots = np.empty(2 * window, np.int64)
    bits = np.zeros((2 * window + 63) // 64, np.uint64)
    for block in range(orders.shape[0]):
        pair = padded[block * window : (block + 2) * window]
        order = orders[block]
        for slot in range(2 * window):
            slots[order[slot]] = slot
        bits[:] = 0
        count = 0
        for k in range(window):
            if not np.isnan(pair[k]):
                _flip(bits, slots[k])
                count += 1
        first = (block + 1) * window - plan.before
        for k in range(min(window, plan.n_bars - first)):
            if not np.isnan(pair[k]):
                _flip(bits, slots[k])
                count -= 1
            if not np.isnan(pair[k + window]):
                _flip(bits, slots[k + window])
                count += 1
            if first + k >= 0:
                known = count >= plan.min_count
                place = q * (count - 1)
                out[first + k] = _interpolate(pair, order, bits, place) if known else np.nan


def rolling_quantile(
    x: FloatArray, window: int, q: float, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Quantile `q` of the window's finite values, linearly interpolated as numpy does.

    Other parameters and errors are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    Raises
    ------
    FrameError
        Unless ``0 <= q <= 1``.

    >>> rolling_quantile(np.array([[5.0, 1.0, 3.0, 3.0]]), 3, 0.75, first_bar=0)
    array([[nan, nan,  4.,  3.]])
    """
    if not 0.0 <= q <= 1.0:
        raise FrameError(f"q is {q}, expected 0 to 1")
    source = plane(x)
    out = np.empty(source.shape)
    plan = plan_blocks(source.shape[1], window, first_bar, min_count)
    padded = np.empty(plan.size)
    for row in range(source.shape[0]):
        load_row(source[row], plan.before, padded)
        pairs = sliding_window_view(padded, 2 * window)[::window]
        _quantiles(padded, np.argsort(pairs, axis=1), plan, float(q), out[row])
    return out
