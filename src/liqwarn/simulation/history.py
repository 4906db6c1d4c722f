"""One long history: bars of every symbol, advanced together and recorded, compiled."""

from typing import NamedTuple

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.basket import step_basket
from liqwarn.simulation.climate import Climate
from liqwarn.simulation.cohorts import enter_waiting, lane_of, own, rescale, ring_of
from liqwarn.simulation.engine import close_bar, open_bar, step
from liqwarn.simulation.layout import (
    BANDS,
    BIN_WIDTH,
    CHANNELS,
    CLOCK,
    CROWDING,
    DEPTH,
    FORCED,
    FUND,
    HELD,
    HIGH,
    IN_ACTIVITY,
    IN_DEPTH,
    IN_DOWN,
    IN_NEWS,
    IN_OPEN,
    IN_STD,
    IN_SUPPLY,
    LIQUIDATED,
    LOW,
    MASS,
    MEAN_THIN,
    MOVED,
    OWED,
    PULL,
    QUEUE,
    SCALE,
    TALLY,
    TALLY_END,
    THIN,
    TOP,
    UNIT,
    VALUE,
    WEIGHT,
    Books,
)
from liqwarn.simulation.loans import borrowed
from liqwarn.simulation.rules import Rules
from liqwarn.windows.arguments import compiled, inlined

__all__ = ["Record", "World", "new_record", "run"]

EDGES = -np.log1p(-np.array(BANDS)), np.log1p(np.array(BANDS))  # of the bands, in log price


class World(NamedTuple):
    """Exogenous paths."""

    returns: FloatArray  # (n_symbols, n_steps)
    wicks: FloatArray  # (2, n_symbols, n_steps): unit exponentials
    step_std: FloatArray  # (n_symbols, n_bars)
    activity: FloatArray  # (n_symbols, n_bars)
    supply: FloatArray  # (n_symbols, n_bars): coins sold slowly in each step; negative: bought
    climate: Climate


class Record(NamedTuple):
    """What happened, by symbol and bar."""

    prices: FloatArray  # (4, n_symbols, n_bars): log open, high, low, close
    tally: FloatArray  # (n_symbols, n_bars, TALLY_SIZE)
    moved: FloatArray  # (n_symbols, n_bars, n_channels): log price moved in the bar
    held: FloatArray  # (n_symbols, n_bars)
    cohorts: FloatArray  # (n_symbols, n_bars, 2): sum over each side's cohorts
    near: FloatArray  # (n_symbols, n_bars, 2, n_bands)
    depth: FloatArray  # (n_symbols, n_bars, 2): coins, bids first
    crowding: FloatArray  # (n_symbols, n_bars)
    fund: FloatArray  # (n_symbols, n_bars): insurance fund, quote


def new_record(n_symbols: int, n_bars: int) -> Record:
    """Room for `n_bars` bars."""
    shape = (n_symbols, n_bars)
    return Record(
        prices=np.zeros((4, *shape)),
        tally=np.zeros((*shape, TALLY_END - TALLY)),
        moved=np.zeros((*shape, len(CHANNELS))),
        held=np.zeros(shape),
        cohorts=np.zeros((*shape, 2)),
        near=np.zeros((*shape, 2, len(BANDS) - 1)),
        depth=np.zeros((*shape, 2)),
        crowding=np.zeros(shape),
        fund=np.zeros(shape),
    )


@compiled
def run(
    rules: Rules,
    world: World,
    books: Books,
    record: Record,
    span: tuple[int, int],
) -> None:
    """Advance the market over the bars of `span`, writing `record`.

    What the obedient and the fearful are told stands in their columns of `cells`.
    """
    lent = borrowed(books)
    _run(rules, borrowed(world), lent.cells, lent.ring, borrowed(record), span)


@inlined
def _run(
    rules: Rules,
    world: World,
    cells: FloatArray,
    ring: FloatArray,
    record: Record,
    span: tuple[int, int],
) -> None:
    n_symbols = world.step_std.shape[0]
    for bar in range(span[0], span[1]):
        for i in range(n_symbols):
            _open(rules, world, cells, (i, bar))
            record.prices[0, i, bar] = cells[i, HIGH]
        for now in range(bar * rules.steps, (bar + 1) * rules.steps):
            _step_all(rules, world, cells, ring, now)
        for i in range(n_symbols):
            _close(rules, world, cells, ring, record, (i, bar))
        rescale(cells, ring, n_symbols)


@inlined
def _open(rules: Rules, world: World, cells: FloatArray, at: tuple[int, int]) -> None:
    i, bar = at
    climate = world.climate
    open_bar(
        rules, cells, i, (climate.appetite[i, bar], climate.mood[i, bar], climate.oi_noise[i, bar])
    )
    cells[i, IN_STD] = world.step_std[i, bar]
    cells[i, IN_ACTIVITY] = world.activity[i, bar]
    cells[i, IN_DEPTH] = climate.depth[i, bar] + climate.tilt[i, bar]
    cells[i, IN_DEPTH + 1] = climate.depth[i, bar] - climate.tilt[i, bar]
    cells[i, IN_SUPPLY] = world.supply[i, bar]
    cells[i, IN_OPEN] = 1.0
    cells[i, TALLY:TALLY_END] = 0.0
    price = cells[i, VALUE] + cells[i, PULL]
    cells[i, HIGH] = price
    cells[i, LOW] = price


@inlined
def _step_all(rules: Rules, world: World, cells: FloatArray, ring: FloatArray, now: int) -> None:
    n_symbols = cells.shape[0] - 1
    thin = 0.0
    forced = 0.0
    enters = int(cells[n_symbols, CLOCK]) % rules.entry_steps == 0
    for i in range(n_symbols):
        cells[i, IN_NEWS] = world.returns[i, now]
        cells[i, IN_DOWN] = world.wicks[0, i, now]
        cells[i, IN_DOWN + 1] = world.wicks[1, i, now]
        forced += cells[i, WEIGHT] * step(rules, cells, ring, i)
        thin += (cells[i, THIN] + cells[i, THIN + 1]) / (2.0 * n_symbols)
        if enters:
            for side in range(2):
                for pop in range(rules.populations):
                    enter_waiting(rules, cells, ring, i, side, pop)
    step_basket(rules, cells, ring, 1.0)
    cells[n_symbols, MEAN_THIN] = thin
    cells[n_symbols, FORCED] = forced
    cells[n_symbols, CLOCK] += 1.0


@inlined
def _close(
    rules: Rules,
    world: World,
    cells: FloatArray,
    ring: FloatArray,
    record: Record,
    at: tuple[int, int],
) -> None:
    """Write the bar's close, and update what looks back over bars."""
    i, bar = at
    close = cells[i, VALUE] + cells[i, PULL]
    record.prices[1, i, bar] = cells[i, HIGH]
    record.prices[2, i, bar] = cells[i, LOW]
    record.prices[3, i, bar] = close
    record.tally[i, bar] = cells[i, TALLY:TALLY_END]
    record.moved[i, bar] = cells[i, MOVED : MOVED + record.moved.shape[2]]
    record.held[i, bar] = cells[i, HELD]
    record.crowding[i, bar] = cells[i, CROWDING]
    record.fund[i, bar] = cells[i, FUND]
    climate = world.climate
    for side in range(2):
        calm = climate.depth[i, bar] + (1 - 2 * side) * climate.tilt[i, bar]
        record.depth[i, bar, side] = cells[i, DEPTH] * np.exp(calm - cells[i, THIN + side])
        _count(rules, cells, ring, record, at, side)
    rescale(cells, ring, i)
    close_bar(rules, cells, i)


@inlined
def _count(
    rules: Rules,
    cells: FloatArray,
    ring: FloatArray,
    record: Record,
    at: tuple[int, int],
    side: int,
) -> None:
    """Sum the cohorts of a side: all of them, and those that liquidate near price by distance."""
    i, bar = at
    populations = rules.populations
    total = cells[i, QUEUE + side] + cells[i, OWED + side]
    total += cells[i, UNIT] * cells[cells.shape[0] - 1, MASS + 2 * side]
    here = own(cells, i, side)
    edges = EDGES[0] if side == 0 else EDGES[1]
    last = ring.shape[2] - 1
    for pop in range(populations):
        total += cells[i, MASS + 2 * side + pop]
        lane = lane_of(rules, side, pop, LIQUIDATED)
        band = 0
        top = min(int(np.floor(here / BIN_WIDTH)), int(cells[i, lane + TOP]))
        for place in range(top, int(np.floor((here - edges[-1]) / BIN_WIDTH)), -1):
            while here - place * BIN_WIDTH > edges[band + 1]:
                band += 1
            coins = cells[i, lane + SCALE] * ring[i, ring_of(lane), place & last]
            record.near[i, bar, side, band] += coins
    record.cohorts[i, bar, side] = total
