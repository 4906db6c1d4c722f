"""Many futures of one market, compiled: every path is a function of the seed and its number."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray
from liqwarn.simulation.basket import step_basket
from liqwarn.simulation.cohorts import enter_waiting, rescale
from liqwarn.simulation.counter import key_of, normal, uniform
from liqwarn.simulation.engine import close_bar, open_bar, step
from liqwarn.simulation.layout import (
    ADL_USD,
    CLOCK,
    FORCED,
    FREE,
    FUND,
    IN_ACTIVITY,
    IN_DEPTH,
    IN_DOWN,
    IN_ERODE,
    IN_NEWS,
    IN_OPEN,
    IN_STD,
    IN_SUPPLY,
    LIQUIDATED_USD,
    MEAN_THIN,
    MOVED,
    OPEN_INTEREST,
    PULL,
    TALLY,
    THIN,
    VALUE,
    WEIGHT,
    Books,
)
from liqwarn.simulation.loans import borrowed
from liqwarn.simulation.plan import Plan
from liqwarn.simulation.rules import Rules
from liqwarn.windows.arguments import compiled, inlined

__all__ = ["Drivers", "Futures", "new_futures", "run_paths"]

NEWS_STREAM, VOLATILITY_STREAM = 1, 2
DIVERGED = 3.0  # log price: a twentieth or twenty times is no market any more


class Drivers(NamedTuple):
    """What moves a market besides the plan."""

    seed: int
    std: FloatArray  # (n_symbols,): of a step's return in the state at the start
    activity: FloatArray  # (n_symbols,): volatility over its long-run mean
    loadings: FloatArray  # (n_symbols, 3): on the market, the sector, and the symbol's own factor
    sector: NDArray[np.int64]  # (n_symbols,)
    n_sectors: int
    volatility_left: float  # of the log volatility's deviation, after a bar
    volatility_std: float  # of what a bar adds to it
    depth: FloatArray  # (n_symbols, 2): log of calm depth over the long-run depth
    appetite: FloatArray  # (n_symbols,)
    mood: FloatArray  # (n_symbols,)
    direction: FloatArray  # (n_symbols,): -1 where a fall is the worse, 1 where a rise is


class Futures(NamedTuple):
    """What became of each path; NaN for one that diverged."""

    worst: FloatArray  # (n_paths, n_symbols): log price at its extreme in the worse direction
    other: FloatArray  # (n_paths, n_symbols): at its extreme in the other one
    worst_h: FloatArray  # (n_paths, n_symbols): hours until then
    end: FloatArray  # (n_paths, n_symbols): log price at the end
    moved: FloatArray  # (n_paths, n_symbols, n_channels): parts of `worst`
    liquidated_usd: FloatArray  # (n_paths, n_symbols, 2)
    adl_usd: FloatArray  # (n_paths, n_symbols)
    fund: FloatArray  # (n_paths, n_symbols): what is left of the insurance fund, quote
    closes: FloatArray  # (n_kept, n_symbols, n_bars): log price of the first paths
    burnt_usd: FloatArray  # (n_kept, n_bars): liquidated so far, all symbols
    diverged: NDArray[np.bool_]  # (n_paths,)


def new_futures(shape: tuple[int, int, int], n_bars: int, n_kept: int) -> Futures:
    """Room for (n_paths, n_symbols, n_channels)."""
    n_paths, n_symbols, _ = shape
    each = (n_paths, n_symbols)
    return Futures(
        worst=np.zeros(each),
        other=np.zeros(each),
        worst_h=np.zeros(each),
        end=np.zeros(each),
        moved=np.zeros(shape),
        liquidated_usd=np.zeros((*each, 2)),
        adl_usd=np.zeros(each),
        fund=np.zeros(each),
        closes=np.zeros((min(n_kept, n_paths), n_symbols, n_bars)),
        burnt_usd=np.zeros((min(n_kept, n_paths), n_bars)),
        diverged=np.zeros(n_paths, dtype=np.bool_),
    )


@compiled
def run_paths(
    rules: Rules,
    start: Books,
    drivers: Drivers,
    plan: Plan,
    futures: Futures,
    span: tuple[int, int],
) -> None:
    """Run the paths of `span` from the same start, writing their rows of `futures`."""
    own_cells, own_ring = np.empty_like(start.cells), np.empty_like(start.ring)
    cells, ring = borrowed(own_cells), borrowed(own_ring)
    lent = borrowed(drivers)
    given = borrowed(plan)
    out = borrowed(futures)
    n_bars = given.collateral.size // rules.steps
    for path in range(span[0], span[1]):
        own_cells[:] = start.cells
        own_ring[:] = start.ring
        _begin(cells, out, path)
        swing = 0.0
        kicks = key_of(lent.seed, VOLATILITY_STREAM, path)
        for bar in range(n_bars):
            swing = lent.volatility_left * swing + lent.volatility_std * normal(kicks, bar)
            if not _bar(rules, lent, given, cells, ring, (out, path, bar, np.exp(swing))):
                out.diverged[path] = True
                break
        _finish(cells, out, path)


@inlined
def _bar(
    rules: Rules,
    drivers: Drivers,
    plan: Plan,
    cells: FloatArray,
    ring: FloatArray,
    at: tuple[Futures, int, int, float],
) -> bool:
    out, path, bar, swing = at
    n = cells.shape[0] - 1
    for i in range(n):
        open_bar(rules, cells, i, (drivers.appetite[i], drivers.mood[i], 0.0))
        cells[i, IN_STD] = drivers.std[i] * swing
        cells[i, IN_ACTIVITY] = drivers.activity[i] * swing
    key = key_of(drivers.seed, NEWS_STREAM, path)
    for now in range(bar * rules.steps, (bar + 1) * rules.steps):
        _draw(drivers, plan, cells, key, now)
        _advance(rules, plan, cells, ring, now)
        for i in range(n):
            _watch(drivers, cells, out, (path, i), (now + 1) * rules.step_h)
    fine = True
    for i in range(n):
        total = 0.0
        for channel in range(out.moved.shape[2]):
            total += cells[i, MOVED + channel]
        fine = fine and abs(total) < DIVERGED  # False for NaN, too
        close_bar(rules, cells, i)
        rescale(cells, ring, i)
        if path < out.closes.shape[0]:
            out.closes[path, i, bar] = cells[i, VALUE] + cells[i, PULL]
            out.burnt_usd[path, bar] += cells[i, LIQUIDATED_USD] + cells[i, LIQUIDATED_USD + 1]
    rescale(cells, ring, n)
    return fine


@inlined
def _draw(
    drivers: Drivers,
    plan: Plan,
    cells: FloatArray,
    key: np.uint64,
    now: int,
) -> None:
    """News of a step: the market's, the sectors', each symbol's, and what is planned."""
    n = cells.shape[0] - 1
    first = now * (1 + drivers.n_sectors + 3 * n)
    market = normal(key, first)
    for k in range(drivers.n_sectors):
        cells[n, TALLY + k] = normal(key, first + 1 + k)  # the basket has no tally of its own
    for i in range(n):
        k = first + 1 + drivers.n_sectors + 3 * i
        news = drivers.loadings[i, 0] * market
        news += drivers.loadings[i, 1] * cells[n, TALLY + drivers.sector[i]]
        news += drivers.loadings[i, 2] * normal(key, k)
        cells[i, IN_NEWS] = cells[i, IN_STD] * news + plan.news[i, now]
        cells[i, IN_DOWN] = -uniform(key, k + 1)
        cells[i, IN_DOWN + 1] = -uniform(key, k + 2)
        for side in range(2):
            cells[i, IN_DEPTH + side] = drivers.depth[i, side] + plan.depth[i, now]
            cells[i, IN_ERODE + side] = plan.erosion[i, side, now]
        cells[i, IN_SUPPLY] = plan.supply[i, now] * cells[i, OPEN_INTEREST]
        cells[i, IN_OPEN] = 1.0 if plan.up[i, now] else 0.0


@inlined
def _advance(rules: Rules, plan: Plan, cells: FloatArray, ring: FloatArray, now: int) -> None:
    n = cells.shape[0] - 1
    thin = 0.0
    forced = 0.0
    enters = int(cells[n, CLOCK]) % rules.entry_steps == 0
    for i in range(n):
        if plan.drained[now]:
            cells[i, FUND] = 0.0
        forced += cells[i, WEIGHT] * step(rules, cells, ring, i)
        thin += (cells[i, THIN] + cells[i, THIN + 1]) / (2.0 * n)
        if enters and plan.up[i, now]:
            for side in range(2):
                enter_waiting(rules, cells, ring, i, side, FREE)
    step_basket(rules, cells, ring, plan.collateral[now])
    cells[n, MEAN_THIN] = thin
    cells[n, FORCED] = forced
    cells[n, CLOCK] += 1.0


@inlined
def _watch(
    drivers: Drivers, cells: FloatArray, out: Futures, at: tuple[int, int], hours: float
) -> None:
    """Keep the extremes, and what had caused the worse one."""
    path, i = at
    price = cells[i, VALUE] + cells[i, PULL]
    sign = drivers.direction[i]
    if sign * price > sign * out.worst[path, i]:
        out.worst[path, i] = price
        out.worst_h[path, i] = hours
        for channel in range(out.moved.shape[2]):
            out.moved[path, i, channel] = cells[i, MOVED + channel]
    if sign * price < sign * out.other[path, i]:
        out.other[path, i] = price


@inlined
def _begin(cells: FloatArray, out: Futures, path: int) -> None:
    for i in range(cells.shape[0] - 1):
        out.worst[path, i] = cells[i, VALUE] + cells[i, PULL]
        out.other[path, i] = out.worst[path, i]


@inlined
def _finish(cells: FloatArray, out: Futures, path: int) -> None:
    lost = np.nan if out.diverged[path] else 0.0
    for i in range(cells.shape[0] - 1):
        out.worst[path, i] += lost
        out.other[path, i] += lost
        out.worst_h[path, i] += lost
        out.end[path, i] = cells[i, VALUE] + cells[i, PULL] + lost
        for channel in range(out.moved.shape[2]):
            out.moved[path, i, channel] += lost
        for side in range(2):
            out.liquidated_usd[path, i, side] = cells[i, LIQUIDATED_USD + side] + lost
        out.adl_usd[path, i] = cells[i, ADL_USD] + lost
        out.fund[path, i] = cells[i, FUND] + lost
        if path < out.closes.shape[0]:
            out.closes[path, i] += lost
    if path < out.closes.shape[0]:
        out.burnt_usd[path] += lost
