"""The compiled engine: price, book and cohorts, step by step.

All compiled functions of the market live in this one file, because numba's cache does not notice
changes in other files. Each takes the same few tuples of :mod:`liqwarn.simulation.state`.
"""

import numpy as np
from numba import njit

from liqwarn.simulation.state import BANDS, BIN_WIDTH, N_BINS, Record, Rules, State, World

__all__ = ["run"]

ROUNDS = 4  # of liquidation and impact inside one step; what is left waits for the next step
EDGES = -np.log1p(-np.array(BANDS)), np.log1p(np.array(BANDS))  # of the bands, in log price
LOWEST_SCALE = 1e-60
LAST = N_BINS - 1  # N_BINS is a power of two, so `place & LAST` is `place` modulo N_BINS


@njit(cache=True)
def run(rules: Rules, world: World, state: State, record: Record) -> None:
    """Advance `state` over every bar of `world`, writing `record`."""
    n_symbols, n_bars = world.step_std.shape
    for bar in range(n_bars):
        for symbol in range(n_symbols):
            _open_bar(rules, world, state, symbol, bar)
            record.prices[:, symbol, bar] = state.value[symbol] + state.pull[symbol]
        for step in range(bar * rules.steps, (bar + 1) * rules.steps):
            thin = 0.0
            forced = 0.0
            for symbol in range(n_symbols):
                move = _step(rules, world, state, record, symbol, step)
                forced += rules.weight[symbol] * move
                thin += (state.thin[symbol, 0] + state.thin[symbol, 1]) / (2.0 * n_symbols)
            state.market[0] = thin
            state.market[1] = forced
        for symbol in range(n_symbols):
            _close_bar(rules, world, state, record, symbol, bar)


@njit(cache=True)
def _open_bar(rules: Rules, world: World, state: State, symbol: int, bar: int) -> None:
    """Crowding, the leverage mix it brings, and the wanted change of open interest."""
    crowding = world.climate.mood[symbol, bar] + rules.trend_pull * state.trend[symbol]
    state.crowding[symbol] = crowding
    appetite = world.climate.appetite[symbol, bar]
    for side in range(2):
        lean = rules.tilt * ((1 - 2 * side) * crowding + 1.5 * appetite)
        weights = rules.mix * np.exp(lean * rules.log_ladder)
        state.mix[symbol, side] = weights / weights.sum()
    gap = np.log(rules.open_interest[symbol]) + appetite - np.log(state.held[symbol])
    change = rules.pursuit * gap + world.climate.oi_noise[symbol, bar]
    state.growth[symbol] = change / rules.steps


@njit(cache=True)
def _step(
    rules: Rules, world: World, state: State, record: Record, symbol: int, step: int
) -> float:
    """One step of one symbol; returns the move that forced flow caused."""
    bar = step // rules.steps
    before = state.value[symbol] + state.pull[symbol]
    news = world.returns[symbol, step]
    thin = 0.5 * (state.thin[symbol, 0] + state.thin[symbol, 1])
    state.pull[symbol] *= rules.rebound
    state.value[symbol] += news * np.exp(rules.aftershock * thin)
    state.value[symbol] += rules.contagion * rules.beta[symbol] * state.market[1]
    _stray(world, state, record, symbol, step, before)
    forced = 0.0
    if not rules.leverage_off:
        forced = _cascade(rules, world, state, record, symbol, bar)
        _note(record, symbol, bar, state.value[symbol] + state.pull[symbol])
    move = state.value[symbol] + state.pull[symbol] - before
    _withdraw(rules, state, symbol, move / world.step_std[symbol, bar])
    _trade(rules, state, symbol, move, world.activity[symbol, bar])
    record.exogenous[symbol, bar] += news
    record.pull[symbol, bar] += state.pull[symbol] / rules.steps
    return forced


@njit(cache=True)
def _stray(
    world: World, state: State, record: Record, symbol: int, step: int, before: float
) -> None:
    """Extremes of price inside the step: those of a Brownian bridge between its ends."""
    bar = step // (world.returns.shape[1] // world.step_std.shape[1])
    after = state.value[symbol] + state.pull[symbol]
    for side in range(2):
        sign = 1 - 2 * side
        wild = 2.0 * world.step_std[symbol, bar] ** 2 * world.wicks[side, symbol, step]
        lowest = 0.5 * (sign * (before + after) - np.sqrt((after - before) ** 2 + wild))
        state.lowest[symbol, side] = lowest
        _note(record, symbol, bar, sign * lowest)


@njit(cache=True)
def _note(record: Record, symbol: int, bar: int, price: float) -> None:
    record.prices[1, symbol, bar] = max(record.prices[1, symbol, bar], price)
    record.prices[2, symbol, bar] = min(record.prices[2, symbol, bar], price)


@njit(cache=True)
def _cascade(
    rules: Rules, world: World, state: State, record: Record, symbol: int, bar: int
) -> float:
    """Liquidate what price has crossed; its impact crosses more, round after round."""
    moved = 0.0
    for _ in range(ROUNDS):
        total = 0.0
        for side in range(2):
            coins = _cross(state, symbol, side)
            if coins > 0.0:
                price = np.exp(state.value[symbol] + state.pull[symbol])
                record.liquidated[symbol, bar, side] += coins
                record.liquidated_usd[symbol, bar, side] += coins * price
                moved += _hit_book(rules, world, state, symbol, bar, (side, coins))
                _settle(rules, state, symbol, side, coins)
                total += coins
        if total == 0.0:
            break
    return moved


@njit(cache=True)
def _own(state: State, symbol: int, side: int) -> float:
    """Log price in the direction of a side: its liquidation prices lie below."""
    return float((1 - 2 * side) * (state.value[symbol] + state.pull[symbol]))


@njit(cache=True)
def _cross(state: State, symbol: int, side: int) -> float:
    """Take the cohorts that price has crossed out of the ring; returns their coins."""
    lowest = min(state.lowest[symbol, side], _own(state, symbol, side))
    state.lowest[symbol, side] = np.inf  # who enters from here on never saw that price
    first = int(np.ceil(lowest / BIN_WIDTH))
    ring = state.ring[symbol, side]
    stored = 0.0
    for place in range(first, state.top[symbol, side] + 1):
        stored += ring[place & LAST]
        ring[place & LAST] = 0.0
    state.top[symbol, side] = min(state.top[symbol, side], first - 1)
    return float(stored * state.scale[symbol, side])


@njit(cache=True)
def _depth(rules: Rules, world: World, state: State, symbol: int, bar: int, side: int) -> float:
    """Coins that move price by 1 % against a side's forced flow: bids for longs."""
    climate = world.climate
    calm = climate.depth[symbol, bar] + (1 - 2 * side) * climate.tilt[symbol, bar]
    return float(rules.depth[symbol] * np.exp(calm - state.thin[symbol, side]))


@njit(cache=True)
def _bargains(rules: Rules, state: State, symbol: int, side: int) -> float:
    """Coins a percent offered by value traders, the more the further price was pushed."""
    pushed = max(0.0, -(1 - 2 * side) * state.pull[symbol])
    return float(rules.depth[symbol] * pushed / rules.bargain)


@njit(cache=True)
def _hit_book(
    rules: Rules, world: World, state: State, symbol: int, bar: int, flow: tuple[int, float]
) -> float:
    """Linear impact of forced flow: part stays, part rebounds, and the book gets thinner."""
    side, coins = flow
    depth = _depth(rules, world, state, symbol, bar, side)
    depth += _bargains(rules, state, symbol, side)
    move = -(1 - 2 * side) * 0.01 * coins / depth
    state.value[symbol] += rules.permanent * move
    state.pull[symbol] += (1.0 - rules.permanent) * move
    thinner = state.thin[symbol, side] + rules.bite * coins / depth
    state.thin[symbol, side] = min(thinner, rules.deepest)
    return move


@njit(cache=True)
def _settle(rules: Rules, state: State, symbol: int, side: int, coins: float) -> None:
    """Liquidated contracts pass to new holders, or close against the other side."""
    closed = (1.0 - rules.replaced) * coins
    state.scale[symbol, 1 - side] *= 1.0 - closed / state.held[symbol]
    state.held[symbol] -= closed
    _enter(rules, state, symbol, side, coins - closed)


@njit(cache=True)
def _withdraw(rules: Rules, state: State, symbol: int, surprise: float) -> None:
    """Makers step back after a large move, most on the side that was run over."""
    common = rules.common_withdrawal * state.market[0] * (1.0 - rules.recovery)
    for side in range(2):
        against = 1.0 if (surprise < 0.0) == (side == 0) else 0.5
        shock = against * rules.withdrawal * max(0.0, abs(surprise) - 1.0)
        thin = rules.recovery * state.thin[symbol, side] + shock + common
        state.thin[symbol, side] = min(thin, rules.deepest)


@njit(cache=True)
def _trade(rules: Rules, state: State, symbol: int, move: float, activity: float) -> None:
    """Positions opened and closed by choice: on both sides alike."""
    turnover = rules.turnover * activity
    growth = state.growth[symbol]
    closing = turnover + max(-growth, 0.0) + rules.panic * abs(move)
    opened = state.held[symbol] * (turnover + max(growth, 0.0))
    state.held[symbol] *= 1.0 - closing
    state.held[symbol] += opened
    for side in range(2):
        state.scale[symbol, side] *= 1.0 - closing
        _enter(rules, state, symbol, side, opened)


@njit(cache=True)
def _enter(rules: Rules, state: State, symbol: int, side: int, coins: float) -> None:
    """Open positions of one side at the current price, spread over the leverage ladder."""
    stored = coins / state.scale[symbol, side]
    if rules.leverage_off:
        state.far[symbol, side] += stored
        return
    here = _own(state, symbol, side)
    for rung in range(rules.mix.size):
        place = int(np.floor((here - rules.reach[side, rung]) / BIN_WIDTH))
        _make_room(state, symbol, side, place)
        if place > state.top[symbol, side] - N_BINS:
            state.ring[symbol, side, place & LAST] += stored * state.mix[symbol, side, rung]
        else:
            state.far[symbol, side] += stored * state.mix[symbol, side, rung]


@njit(cache=True)
def _make_room(state: State, symbol: int, side: int, place: int) -> None:
    """Raise the ring's top to `place`; what falls off its lower end is out of reach."""
    top = state.top[symbol, side]
    for new in range(top + 1, place + 1):
        state.far[symbol, side] += state.ring[symbol, side, new & LAST]
        state.ring[symbol, side, new & LAST] = 0.0
    state.top[symbol, side] = max(top, place)


@njit(cache=True)
def _close_bar(
    rules: Rules, world: World, state: State, record: Record, symbol: int, bar: int
) -> None:
    """Write the bar's close, and update what looks back over bars."""
    close = state.value[symbol] + state.pull[symbol]
    record.prices[3, symbol, bar] = close
    record.held[symbol, bar] = state.held[symbol]
    record.crowding[symbol, bar] = state.crowding[symbol]
    for side in range(2):
        record.depth[symbol, bar, side] = _depth(rules, world, state, symbol, bar, side)
        _count(state, record, symbol, bar, side)
        _rescale(state, symbol, side)
    move = close - record.prices[0, symbol, bar]
    scale = world.step_std[symbol, bar] * np.sqrt(rules.steps)
    gain = np.sqrt(1.0 - rules.trend_left * rules.trend_left)
    state.trend[symbol] = rules.trend_left * state.trend[symbol] + gain * move / scale


@njit(cache=True)
def _count(state: State, record: Record, symbol: int, bar: int, side: int) -> None:
    """Sum the cohorts of a side: all of them, and those near price by distance."""
    scale = state.scale[symbol, side]
    stored = state.far[symbol, side] + state.ring[symbol, side].sum()
    record.cohorts[symbol, bar, side] = scale * stored
    here = _own(state, symbol, side)
    edges = EDGES[0] if side == 0 else EDGES[1]
    band = 0
    top = min(int(np.floor(here / BIN_WIDTH)), state.top[symbol, side])
    for place in range(top, int(np.floor((here - edges[-1]) / BIN_WIDTH)), -1):
        while here - place * BIN_WIDTH > edges[band + 1]:
            band += 1
        coins = scale * state.ring[symbol, side, place & LAST]
        record.near[symbol, bar, side, band] += coins


@njit(cache=True)
def _rescale(state: State, symbol: int, side: int) -> None:
    """Keep the lazily shrinking scale away from underflow."""
    scale = state.scale[symbol, side]
    if scale < LOWEST_SCALE:
        state.ring[symbol, side] *= scale
        state.far[symbol, side] *= scale
        state.scale[symbol, side] = 1.0
