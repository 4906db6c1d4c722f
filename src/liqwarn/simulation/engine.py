"""One step of one symbol: news, forced flow and the book, compiled.

What a step is told of a symbol, what the market remembers and what a bar adds up are the columns of
:mod:`liqwarn.simulation.layout`. Histories and Monte-Carlo paths run these same functions. Compiled
into their callers: after a change here delete ``__pycache__``.
"""

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.cohorts import held_by, highest, lift
from liqwarn.simulation.forced_flow import await_entry, cascade
from liqwarn.simulation.layout import (
    ARBITRAGE,
    BAR_OPEN,
    BETA,
    BIN_WIDTH,
    CONTAGION,
    CROWDING,
    FORCED,
    FREE,
    GROWTH,
    HELD,
    HIGH,
    IN_ACTIVITY,
    IN_DOWN,
    IN_ENTRY,
    IN_ERODE,
    IN_NEWS,
    IN_OPEN,
    IN_STD,
    IN_SUPPLY,
    LOW,
    LOWEST,
    MEAN_THIN,
    MISSED,
    MIX,
    NEWS,
    OBEDIENT,
    OPEN_INTEREST,
    OPENED,
    ORDERS,
    OWN_FORCED,
    PAID,
    PULL,
    PULL_SUM,
    THIN,
    THIN_BOOK,
    TREND,
    VALUE,
    WEIGHT,
)
from liqwarn.simulation.obedience import put_right
from liqwarn.simulation.rules import Rules
from liqwarn.simulation.slow_flow import move_price, trade_slowly
from liqwarn.windows.arguments import inlined

__all__ = ["close_bar", "open_bar", "step"]

RAREST = 37.5  # no exponential is larger: that of the smallest uniform there is


@inlined
def open_bar(rules: Rules, cells: FloatArray, i: int, climate: tuple[float, float, float]) -> None:
    """Crowding, the leverage mix it brings, and the wanted change of open interest.

    `climate`: appetite, crowding without the trend, change of open interest without cause.
    """
    appetite, mood, noise = climate
    cells[i, CROWDING] = mood + rules.trend_pull * cells[i, TREND]
    n = rules.rungs
    for side in range(2):
        lean = rules.tilt * ((1 - 2 * side) * cells[i, CROWDING] + 1.5 * appetite)
        total = 0.0
        for rung in range(n):
            weight = cells[i, MIX + 5 * n + rung] * np.exp(lean * cells[i, MIX + 4 * n + rung])
            cells[i, MIX + side * n + rung] = weight
            total += weight
        for rung in range(n):
            cells[i, MIX + side * n + rung] /= total
    gap = np.log(cells[i, OPEN_INTEREST]) + appetite - np.log(cells[i, HELD])
    cells[i, GROWTH] = (rules.pursuit * gap + noise) / rules.steps
    cells[i, BAR_OPEN] = cells[i, VALUE] + cells[i, PULL]


@inlined
def close_bar(rules: Rules, cells: FloatArray, i: int) -> None:
    """The trend, in standard deviations, looks back over bars."""
    move = cells[i, VALUE] + cells[i, PULL] - cells[i, BAR_OPEN]
    scale = cells[i, IN_STD] * np.sqrt(rules.steps)
    gain = np.sqrt(1.0 - rules.trend_left * rules.trend_left)
    cells[i, TREND] = rules.trend_left * cells[i, TREND] + gain * move / scale


@inlined
def step(rules: Rules, cells: FloatArray, ring: FloatArray, i: int) -> float:
    """One step of one symbol; returns the move that forced flow caused."""
    before = cells[i, VALUE] + cells[i, PULL]
    thin = 0.5 * (cells[i, THIN] + cells[i, THIN + 1])
    news = cells[i, IN_NEWS]
    if cells[i, IN_OPEN] > 0.0:
        move_price(cells, i, ARBITRAGE, 0.0, (rules.rebound - 1.0) * cells[i, PULL])
    move_price(cells, i, NEWS, news, 0.0)
    move_price(cells, i, THIN_BOOK, news * (np.exp(rules.aftershock * thin) - 1.0), 0.0)
    others = cells[cells.shape[0] - 1, FORCED] - cells[i, WEIGHT] * cells[i, OWN_FORCED]
    passed = rules.contagion * cells[i, BETA] * others
    move_price(cells, i, CONTAGION, passed, 0.0)
    cells[i, ORDERS] *= 1.0 - rules.forgotten
    cells[i, ORDERS + 1] *= 1.0 - rules.forgotten
    if cells[i, IN_SUPPLY] != 0.0:
        side = 0 if cells[i, IN_SUPPLY] > 0.0 else 1
        trade_slowly(rules, cells, i, (side, abs(cells[i, IN_SUPPLY])))
    cells[i, PAID] += cells[i, IN_ERODE]
    cells[i, PAID + 1] += cells[i, IN_ERODE + 1]
    _stray(rules, cells, i, before)
    forced = 0.0
    if cells[i, IN_OPEN] > 0.0 and not rules.leverage_off:
        forced = cascade(rules, cells, ring, i)
        _note(cells, i, cells[i, VALUE] + cells[i, PULL])
    move = cells[i, VALUE] + cells[i, PULL] - before
    _withdraw(rules, cells, i, move / cells[i, IN_STD])
    if cells[i, IN_OPEN] > 0.0:
        if rules.populations > 1:
            put_right(rules, cells, ring, i, 0)
            put_right(rules, cells, ring, i, 1)
        _trade(rules, cells, i, move)
    cells[i, PULL_SUM] += cells[i, PULL]
    cells[i, OWN_FORCED] = forced
    return forced


@inlined
def _stray(rules: Rules, cells: FloatArray, i: int, before: float) -> None:
    """Extremes of price inside the step: those of a Brownian bridge between its ends."""
    after = cells[i, VALUE] + cells[i, PULL]
    spread = cells[i, IN_STD] * cells[i, IN_STD]
    for side in range(2):
        sign = 1 - 2 * side
        drawn = cells[i, IN_DOWN + side]
        if drawn < 0.0:
            level = BIN_WIDTH * highest(rules, cells, i, side) + cells[i, PAID + side]
            start, end = sign * before - level, sign * after - level
            if start > 0.0 and end > 0.0 and 2.0 * start * end > RAREST * spread:
                cells[i, LOWEST + side] = min(start, end) + level - cells[i, PAID + side]
                continue
            drawn = -np.log(-drawn)
        wild = 2.0 * spread * drawn
        lowest = 0.5 * (sign * (before + after) - np.sqrt((after - before) ** 2 + wild))
        cells[i, LOWEST + side] = lowest - cells[i, PAID + side]
        _note(cells, i, sign * lowest)


@inlined
def _note(cells: FloatArray, i: int, price: float) -> None:
    cells[i, HIGH] = max(cells[i, HIGH], price)
    cells[i, LOW] = min(cells[i, LOW], price)


@inlined
def _withdraw(rules: Rules, cells: FloatArray, i: int, surprise: float) -> None:
    """Makers step back after a large move, most on the side that was run over."""
    common = rules.common_withdrawal * cells[cells.shape[0] - 1, MEAN_THIN]
    for side in range(2):
        against = 1.0 if (surprise < 0.0) == (side == 0) else 0.5
        shock = against * rules.withdrawal * max(0.0, abs(surprise) - 1.0)
        thin = rules.recovery * cells[i, THIN + side] + shock + common
        cells[i, THIN + side] = min(thin, rules.deepest)


@inlined
def _trade(rules: Rules, cells: FloatArray, i: int, move: float) -> None:
    """Positions opened and closed by choice: on both sides alike.

    Where the obedient may not open on one side, fewer contracts come about, and the orders that
    are missing on that side push price.
    """
    turnover = rules.turnover * cells[i, IN_ACTIVITY]
    closing = turnover + max(-cells[i, GROWTH], 0.0) + rules.panic * abs(move)
    opened = cells[i, HELD] * (turnover + max(cells[i, GROWTH], 0.0))
    may = (
        1.0 - rules.phi * (1.0 - cells[i, IN_ENTRY]),
        1.0 - rules.phi * (1.0 - cells[i, IN_ENTRY + 1]),
    )
    made = opened * min(may[0], may[1])
    closed = closing * min(held_by(rules, cells, i, 0), held_by(rules, cells, i, 1))
    for side in range(2):
        lift(rules, cells, i, side, closed)
        obedient = rules.phi * cells[i, IN_ENTRY + side] / may[side] if may[side] > 0.0 else 0.0
        await_entry(rules, cells, i, side, FREE, made * (1.0 - obedient))
        if obedient > 0.0:
            await_entry(rules, cells, i, side, OBEDIENT, made * obedient)
        cells[i, OPENED + side] += made * obedient
        cells[i, MISSED + side] += opened * rules.phi * (1.0 - cells[i, IN_ENTRY + side])
    cells[i, HELD] += made - closed
    if may[0] != may[1]:
        missing = opened * abs(may[0] - may[1])
        trade_slowly(rules, cells, i, (0 if may[0] < may[1] else 1, missing))
