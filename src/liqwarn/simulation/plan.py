"""A scenario as the compiled engine reads it: arrays over steps, and the market they act on."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ConfigError
from liqwarn.frames import FloatArray
from liqwarn.simulation.config import MarketConfig, SymbolSpec
from liqwarn.simulation.market_parts import parts_of
from liqwarn.simulation.plain_values import nearest_of
from liqwarn.simulation.scenario import (
    AdlShock,
    DepthShock,
    FundingShock,
    HaircutShock,
    OutageShock,
    PriceShock,
    Scenario,
    Shock,
    StoreStart,
    UnlockShock,
    unknown_symbols,
)
from liqwarn.simulation.step_grid import StepGrid

__all__ = ["Plan", "check_symbols", "market_of", "plan_of"]

_SECOND = timedelta(seconds=1)


class Plan(NamedTuple):
    """What a scenario does in each step; a tuple, because compiled code reads it.

    Attributes
    ----------
    news : ndarray, shape (n_symbols, n_steps)
        Log return added to the step's news.
    depth : ndarray, shape (n_symbols, n_steps)
        Log factor on makers' depth; 0 in a calm book.
    erosion : ndarray, shape (n_symbols, 2, n_steps)
        Log distance by which liquidation prices of longs and shorts come nearer in the step.
    collateral : ndarray, shape (n_steps,)
        Factor on the equity of cross-margin accounts in the step, the share of their collateral
        that a haircut hits included; 1: none.
    supply : ndarray, shape (n_symbols, n_steps)
        Coins sold slowly in the step, as a share of open interest.
    up : ndarray of bool, shape (n_symbols, n_steps)
        Whether the venue works.
    drained : ndarray of bool, shape (n_steps,)
        Whether the insurance fund is empty.
    """

    news: FloatArray
    depth: FloatArray
    erosion: FloatArray
    collateral: FloatArray
    supply: FloatArray
    up: NDArray[np.bool_]
    drained: NDArray[np.bool_]


def market_of(scenario: Scenario, specs: Sequence[SymbolSpec]) -> MarketConfig:
    """The market that a scenario runs on.

    Parameters
    ----------
    scenario : Scenario
        Its symbols, bars and overrides.
    specs : sequence of SymbolSpec
        Symbols of the initial market, sorted by name.

    Raises
    ------
    ConfigError
        Naming every unknown symbol, and every override that makes no market.

    Examples
    --------
    >>> from liqwarn.simulation.config import DEFAULT_SPECS
    >>> from liqwarn.simulation.scenario import SyntheticStart
    >>> calm = Scenario(name="calm", title="Calm", description="Nothing happens.",
    ...                 symbols=("BTCUSDT",), start=SyntheticStart(), horizon=timedelta(hours=24))
    >>> market = market_of(calm, DEFAULT_SPECS)
    >>> market.symbols, market.n_bars, market.steps_per_bar
    (('BTCUSDT',), 96, 15)
    """
    faults = list(_unknown(scenario, [spec.name for spec in specs]))
    parts = parts_of(scenario.market, faults)
    if faults:
        raise ConfigError(f"scenario {scenario.name}: " + "; ".join(faults))
    wanted = scenario.symbols
    chosen = tuple(spec for spec in specs if wanted is None or spec.name in wanted)
    first = (
        MarketConfig().start if not isinstance(scenario.start, StoreStart) else scenario.start.at
    )
    return MarketConfig(
        specs=chosen,
        start=first - timedelta(seconds=first.timestamp() % (scenario.bar / _SECOND)),
        n_bars=scenario.horizon // scenario.bar,
        bar=scenario.bar,
        step=scenario.step,
        **parts,
    )


def plan_of(scenario: Scenario, config: MarketConfig) -> Plan:
    """The shocks of a scenario on its steps; where they overlap, their effects add up.

    News, erosion and supply add up, depth in logs; collateral multiplies; the venue is up where
    no outage says otherwise.

    Raises
    ------
    ConfigError
        Naming every unknown symbol.

    Examples
    --------
    >>> from liqwarn.simulation.config import DEFAULT_SPECS
    >>> from liqwarn.simulation.scenario import SyntheticStart
    >>> fall = PriceShock(at=timedelta(0), move=-0.1, over=timedelta(minutes=30))
    >>> slump = Scenario(name="slump", title="A slump", description="Price falls by 10 %.",
    ...                  start=SyntheticStart(), horizon=timedelta(hours=1), shocks=(fall,))
    >>> plan = plan_of(slump, market_of(slump, DEFAULT_SPECS))
    >>> round(float(np.expm1(plan.news[0].sum())), 9), plan.news.shape
    (-0.1, (12, 60))
    """
    faults = list(_unknown(scenario, config.symbols))
    if config.step != scenario.step:
        faults.append(f"step of the market is {config.step}, expected {scenario.step}")
    if faults:
        raise ConfigError(f"scenario {scenario.name}: " + "; ".join(faults))
    grid = StepGrid.of(scenario.n_steps, scenario.step)
    plan = _calm(len(config.specs), scenario.n_steps)
    for shock in scenario.shocks:
        _apply(shock, plan, grid, config)
    return plan


def _apply(shock: Shock, plan: Plan, grid: StepGrid, config: MarketConfig) -> None:
    """Add one shock."""
    rows = _rows(getattr(shock, "symbols", None), config)
    match shock:
        case PriceShock():
            shares = grid.shares(shock.at, shock.over)
            plan.news[rows] += np.outer(_moves(shock, rows, config), shares)
        case DepthShock():
            left = grid.left(shock.at, shock.lasts, shock.half_life)
            plan.depth[rows] += np.log(shock.to) * left
        case FundingShock():
            for number in range(shock.payments):
                step = grid.step_at(shock.at + number * shock.every)
                plan.erosion[rows, 0, step] += shock.rate
                plan.erosion[rows, 1, step] -= shock.rate
        case HaircutShock():
            lost = config.cross.collateral_share * shock.haircut
            plan.collateral[:] *= grid.factors(1.0 - lost, shock.at, shock.over)
        case OutageShock():
            plan.up[rows] &= ~grid.touched(shock.at, shock.lasts)
        case UnlockShock():
            plan.supply[rows] += shock.share * grid.shares(shock.at, shock.over)
        case AdlShock():
            plan.drained[grid.step_at(shock.at) :] = True


def _calm(n_symbols: int, n_steps: int) -> Plan:
    return Plan(
        news=np.zeros((n_symbols, n_steps)),
        depth=np.zeros((n_symbols, n_steps)),
        erosion=np.zeros((n_symbols, 2, n_steps)),
        collateral=np.ones(n_steps),
        supply=np.zeros((n_symbols, n_steps)),
        up=np.ones((n_symbols, n_steps), dtype=np.bool_),
        drained=np.zeros(n_steps, dtype=np.bool_),
    )


def check_symbols(scenario: Scenario, known: Sequence[str]) -> None:
    """Refuse a scenario of symbols that the initial market does not have.

    Raises
    ------
    ConfigError
        Naming every one.
    """
    faults = list(_unknown(scenario, known))
    if faults:
        raise ConfigError(f"scenario {scenario.name}: " + "; ".join(faults))


def _unknown(scenario: Scenario, known: Sequence[str]) -> Iterator[str]:
    for symbol in scenario.symbols or ():
        if symbol not in known:
            yield f"symbols: unknown symbol {symbol}, {nearest_of(symbol, known)}"
    yield from unknown_symbols(enumerate(scenario.shocks), known)


def _rows(symbols: Sequence[str] | None, config: MarketConfig) -> NDArray[np.intp]:
    names = config.symbols
    return np.array([i for i, name in enumerate(names) if symbols is None or name in symbols])


def _moves(shock: PriceShock, rows: NDArray[np.intp], config: MarketConfig) -> FloatArray:
    """Log move of each symbol; under ``beta`` relative to the largest of them."""
    log = np.full(len(rows), np.log1p(shock.move))
    if shock.follow == "equal":
        return log
    specs = [config.specs[row] for row in rows]
    pull = np.array([spec.volatility * spec.beta for spec in specs])
    largest = int(np.argmax([spec.open_interest_usd for spec in specs]))
    if pull[largest] == 0.0:
        raise ConfigError(
            f"price shock with follow: beta: {specs[largest].name} has beta 0, expected above 0"
        )
    return np.asarray(log * (pull / pull[largest]))
