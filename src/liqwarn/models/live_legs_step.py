"""One bar of the legs of a cascade, compiled: the arithmetic of :mod:`liqwarn.models.legs`.

Every rolling value is carried on instead of computed anew; each operation is the batch's, in the
batch's order, so that the answers are the same bits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.windows.arguments import compiled, inlined
from liqwarn.windows.sliding_spread import SlidingSpreads, next_std
from liqwarn.windows.sorted_ring import SortedRings, put_value, quantile_of

__all__ = ["INPUTS", "RINGS", "LegsMemory", "LegsRules", "run_bars"]

INPUTS = (
    "close",
    "log_return",
    "open_interest",
    "age",
    "taker_buy_volume",
    "taker_sell_volume",
    "long_liq_usd",
    "short_liq_usd",
)
"""What a bar brings, in this order."""

RINGS = 4
"""Sorted rings of a symbol: loss of open interest, taker imbalance, liquidations of both sides."""


class LegsRules(NamedTuple):
    """A definition of events in the numbers that the arithmetic needs; see ``EventConfig``."""

    span: int
    run: int
    least_sigma: int
    least_quantile: int
    price_factor: float
    price_floor: float
    oi_quantile: float
    oi_floor: float
    oi_scale: float
    oi_kept: float
    taker_quantile: float
    liq_quantile: float
    bar_s: float
    price_alone: bool


class LegsMemory(NamedTuple):
    """What the next bar's legs depend on, for every symbol; mutable, of one owner.

    Rings are by bar number modulo their length, the last axis.
    """

    closes: FloatArray
    """Shape (n_symbols, run + 1)."""
    coins: FloatArray
    """Shape (n_symbols, span): open interest of fresh records."""
    ages: FloatArray
    """Shape (n_symbols,): of the last bar's open interest."""
    flows: FloatArray
    """Shape (n_symbols, 4, span): bought, sold, liquidated of longs, of shorts."""
    sigmas: FloatArray
    """Shape (n_symbols, span)."""
    thresholds: FloatArray
    """Shape (n_symbols, 5, span): quantiles of loss, sold, long USD, bought, short USD."""
    returns: SlidingSpreads
    rings: SortedRings
    """Row ``RINGS * symbol + k``."""
    held: BoolArray
    """Shape (n_symbols, 2, 4): price, deleveraging, running, free of known flow; last bar's."""
    progress: BoolArray
    """Shape (n_symbols, 2): whether a cascade was in progress at the last bar."""
    running: NDArray[np.int64]
    """Shape (n_symbols, 2): bars for which the move has run on, up to the last bar."""


@inlined
def _known(value: float) -> float:
    return value if np.isfinite(value) else np.nan


@inlined
def _floored(value: float, floor: float) -> float:
    return np.nan if np.isnan(value) else max(floor, value)


@inlined
def _move(closes: FloatArray, where: tuple[int, int, int], n_bars: int, least: int) -> float:
    """Signed move towards a side of the newest close from the extreme of the closes before it."""
    row, slot, side = where
    sign = 1.0 if side == 0 else -1.0
    count, largest, at = 0, -np.inf, slot
    for _ in range(n_bars):
        at = at - 1 if at else closes.shape[1] - 1
        value = sign * (_known(closes[row, at]) + 0.0)
        count += not np.isnan(value)
        largest = value if value > largest else largest
    extreme = sign * largest if count >= least else np.nan
    close = closes[row, slot]
    return float(1.0 - close / extreme if side == 0 else close / extreme - 1.0)


@inlined
def _price(memory: LegsMemory, rules: LegsRules, row: int, bar: int, x: FloatArray) -> None:
    """The price leg, and whether the move runs on."""
    slot = bar % rules.span
    lagged = _known(memory.sigmas[row, slot])
    memory.sigmas[row, slot] = next_std(memory.returns, row, bar, x[1], rules.least_sigma)
    threshold = _floored(rules.price_factor * lagged, rules.price_floor)
    newest = bar % memory.closes.shape[1]
    memory.closes[row, newest] = x[0]
    for side in range(2):
        where = (row, newest, side)
        move = _move(memory.closes, where, rules.span, rules.span)
        memory.held[row, side, 0] = move >= threshold
        run = _move(memory.closes, where, rules.run, rules.span)
        memory.held[row, side, 2] = run >= threshold / 2


@inlined
def _passing(
    memory: LegsMemory, rules: LegsRules, where: tuple[int, int, int], kind: int, q: float
) -> float:
    """The quantile a span ago of one of five kinds; keeps the present one."""
    row, slot, ring = where
    earlier = _known(memory.thresholds[row, kind, slot])
    memory.thresholds[row, kind, slot] = quantile_of(
        memory.rings, RINGS * row + ring, q, rules.least_quantile, kind == 1
    )
    return earlier


@inlined
def _deleveraging(memory: LegsMemory, rules: LegsRules, row: int, bar: int, x: FloatArray) -> None:
    slot = bar % rules.span
    coins = x[2] if x[2] > 0.0 else np.nan
    if x[3] - memory.ages[row] >= rules.bar_s:
        coins = np.nan  # carried over: it says nothing of this bar's change
    memory.ages[row] = x[3]
    kept = coins / _known(memory.coins[row, slot])
    memory.coins[row, slot] = coins
    loss = 1.0 - kept if kept > rules.oi_kept and kept < 1.0 / rules.oi_kept else np.nan
    put_value(memory.rings, RINGS * row, bar % memory.rings.values.shape[1], loss)
    quantile = rules.oi_scale * _passing(memory, rules, (row, slot, 0), 0, rules.oi_quantile)
    threshold = _floored(quantile, rules.oi_floor)
    memory.held[row, 0, 1] = memory.held[row, 1, 1] = loss >= threshold


@inlined
def _sum(flows: FloatArray, where: tuple[int, int, int], value: float) -> float:
    """Sum of the last bars, all of them known, ahead of the block's start and behind it."""
    row, slot, kind = where
    flows[row, kind, slot] = _known(value) + 0.0
    ahead, behind = 0.0, 0.0
    for k in range(slot + 1):
        ahead += flows[row, kind, k]
    for k in range(flows.shape[2] - 1, slot, -1):
        behind += flows[row, kind, k]
    return ahead + behind


@inlined
def _multiple(x: float, threshold: float) -> float:
    """Evidence in multiples of its threshold; nothing at all is never evidence."""
    if np.isnan(x + threshold):
        return np.nan
    if threshold > 0:
        return x / threshold
    return 1.0 if x > 0 else 0.0


@inlined
def _flow(memory: LegsMemory, rules: LegsRules, row: int, bar: int, x: FloatArray) -> None:
    slot, cell = bar % rules.span, bar % memory.rings.values.shape[1]
    bought = _sum(memory.flows, (row, slot, 0), x[4])
    sold = _sum(memory.flows, (row, slot, 1), x[5])
    total = bought + sold
    imbalance = (bought - sold) / total if total > 0 else np.nan
    put_value(memory.rings, RINGS * row + 1, cell, imbalance)
    for side in range(2):
        usd = _sum(memory.flows, (row, slot, 2 + side), x[6 + side])
        put_value(memory.rings, RINGS * row + 2 + side, cell, usd)
        taken = imbalance * (-1.0 if side == 0 else 1.0)
        least = _passing(memory, rules, (row, slot, 1), 1 + 2 * side, rules.taker_quantile)
        taker = _multiple(taken, least)
        least = _passing(memory, rules, (row, slot, 2 + side), 2 + 2 * side, rules.liq_quantile)
        liquidated = _multiple(usd, least)
        seen = taker >= 1.0 or liquidated >= 1.0
        ruled_out = np.isfinite(taker) and np.isfinite(liquidated) and not seen
        memory.held[row, side, 3] = not ruled_out


@inlined
def _judge(held: BoolArray, before: BoolArray, where: tuple[int, int], rules: LegsRules) -> bool:
    """Whether a bar confirms a cascade of a side, by its legs and those of the bar before."""
    row, side = where
    price, deleveraging = held[row, side, 0], held[row, side, 1]
    running, free = held[row, side, 2], held[row, side, 3]
    if rules.price_alone:
        return bool(price)
    if price and deleveraging and free:
        return True
    if rules.span > 1:
        return False
    after = before[side, 1] and before[side, 2] and price
    first = before[side, 0] and deleveraging and running
    return bool((after or first) and (free or before[side, 3]))


@inlined
def _step(memory: LegsMemory, rules: LegsRules, row: int, bar: int, x: FloatArray) -> None:
    before = np.empty((2, 4), np.bool_)
    for side in range(2):
        for k in range(4):
            before[side, k] = memory.held[row, side, k]
    _price(memory, rules, row, bar, x)
    if not rules.price_alone:
        _deleveraging(memory, rules, row, bar, x)
        _flow(memory, rules, row, bar, x)
    for side in range(2):
        confirmed = _judge(memory.held, before, (row, side), rules)
        running = memory.held[row, side, 2]
        memory.running[row, side] = memory.running[row, side] + 1 if running else 0
        goes_on = memory.progress[row, side] and running
        memory.progress[row, side] = confirmed or goes_on


@compiled
def run_bars(
    memory: LegsMemory, rules: LegsRules, first: tuple[int, int], bars: FloatArray, out: BoolArray
) -> None:
    """Take bars one by one, for some of the symbols.

    Parameters
    ----------
    memory : LegsMemory
        Changed in place.
    rules : LegsRules
    first : tuple of int
        Position of the first symbol, absolute number of the first bar.
    bars : ndarray of float64, shape (n_inputs, n_some, n_bars)
        In the order of :data:`INPUTS`.
    out : ndarray of bool, shape (n_some, n_bars, 2)
        Filled with what is in progress.
    """
    x = np.empty(bars.shape[0])
    for some in range(bars.shape[1]):
        row = first[0] + some
        for t in range(bars.shape[2]):
            for k in range(bars.shape[0]):
                x[k] = bars[k, some, t]
            _step(memory, rules, row, first[1] + t, x)
            for side in range(2):
                out[some, t, side] = memory.progress[row, side]
