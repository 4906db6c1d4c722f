"""What a simulated market is made of: its symbols, its bars, and how everybody in it behaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta

from liqwarn.errors import ConfigError
from liqwarn.simulation.behaviour import (
    CrossMargin,
    Habits,
    Leverage,
    Liquidity,
    Positioning,
    Venue,
    Volatility,
)
from liqwarn.simulation.specs import DEFAULT_SPECS, SIM_SYMBOLS, SymbolSpec

__all__ = [
    "DEFAULT_SPECS",
    "ENGINES",
    "SIM_SYMBOLS",
    "CrossMargin",
    "Habits",
    "Leverage",
    "Liquidity",
    "MarketConfig",
    "Positioning",
    "SymbolSpec",
    "Venue",
    "Volatility",
]

ENGINES = ("full", "partial", "tiered")
"""Venue liquidation engines, in the order of their codes."""

MAX_SECTORS = 16

SHARES = (
    *("common_share", "common_withdrawal", "contagion", "permanent", "slow_permanent", "replaced"),
    *("stop_share", "topped_up", "cut", "first_share", "tier_share", "insurance_frac"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketConfig:
    """A simulated market.

    Attributes
    ----------
    specs : tuple of SymbolSpec
        Symbols, sorted by name.
    start : datetime
        Start of the first bar, aware, on the grid of `bar`.
    n_bars : int
        Number of bars.
    bar, step : timedelta
        Length of a bar, and of the steps inside it.
    leverage_off : bool
        True: the same traders without leverage, so nobody is ever liquidated.

    Raises
    ------
    ConfigError
        Naming every fault at once.

    Examples
    --------
    >>> MarketConfig(n_bars=24).steps_per_bar
    12
    """

    specs: tuple[SymbolSpec, ...] = DEFAULT_SPECS
    start: datetime = datetime(2022, 1, 1, tzinfo=UTC)
    n_bars: int = 21_888
    bar: timedelta = timedelta(hours=1)
    step: timedelta = timedelta(minutes=5)
    leverage_off: bool = False
    volatility: Volatility = field(default_factory=Volatility)
    liquidity: Liquidity = field(default_factory=Liquidity)
    leverage: Leverage = field(default_factory=Leverage)
    positioning: Positioning = field(default_factory=Positioning)
    habits: Habits = field(default_factory=Habits)
    venue: Venue = field(default_factory=Venue)
    cross: CrossMargin = field(default_factory=CrossMargin)

    def __post_init__(self) -> None:
        faults = [*self._axis_faults(), *self._value_faults()]
        if faults:
            raise ConfigError("simulated market: " + "; ".join(faults))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the symbols."""
        return tuple(spec.name for spec in self.specs)

    @property
    def steps_per_bar(self) -> int:
        """Steps in a bar."""
        return self.bar // self.step

    @property
    def bar_h(self) -> float:
        """Length of a bar in hours."""
        return self.bar / timedelta(hours=1)

    @property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return self.step / timedelta(hours=1)

    def _axis_faults(self) -> Iterator[str]:
        if not self.specs or list(self.symbols) != sorted(set(self.symbols)):
            yield f"symbols are {self.symbols}, expected at least one, sorted and unique"
        if len({spec.sector for spec in self.specs}) > MAX_SECTORS:
            yield f"there are more than {MAX_SECTORS} sectors"
        if self.n_bars < 1:
            yield f"n_bars is {self.n_bars}, expected at least 1"
        if self.step <= timedelta(0) or self.bar < self.step or self.bar % self.step:
            yield f"bar is {self.bar}, expected a whole number of steps of {self.step}"
        elif self.start.tzinfo is None:
            yield f"start is {self.start}, expected a timezone"
        elif self.start.timestamp() % self.bar.total_seconds():
            yield f"start is {self.start}, expected a multiple of {self.bar}"

    def _value_faults(self) -> Iterator[str]:
        for spec in self.specs:
            yield from _spec_faults(spec)
        for part in (self.volatility, self.liquidity, self.positioning, self.habits, self.cross):
            yield from _negative(part)
        yield from _negative(self.venue)
        if not 0.0 < self.liquidity.floor <= 1.0:
            yield f"liquidity.floor is {self.liquidity.floor}, expected in (0, 1]"
        for name, share in self._shares():
            if share > 1.0:
                yield f"{name} is {share}, expected at most 1"
        if self.venue.engine not in ENGINES:
            yield f"venue.engine is '{self.venue.engine}', expected one of {', '.join(ENGINES)}"
        yield from self._ladder_faults()

    def _ladder_faults(self) -> Iterator[str]:
        ladder = self.leverage.ladder
        for name, mix in (("leverage", self.leverage.mix), ("cross", self.cross.mix)):
            if len(mix) != len(ladder) or abs(sum(mix) - 1.0) > 1e-9 or min(mix) < 0.0:
                yield f"{name}.mix is {mix}, expected a share for each leverage, summing to 1"
        if min(ladder) < 1.0 or max(ladder) * self.leverage.maintenance_rate >= 1.0:
            yield f"leverage.ladder is {ladder}, expected leverages below 1 / maintenance_rate"
        stops = self.habits.stop_distances
        if not 1 <= len(stops) <= len(ladder) or not min(stops) > 0.0:
            yield (
                f"habits.stop_distances is {stops}, expected 1 to {len(ladder)} distances above 0"
            )

    def _shares(self) -> Iterator[tuple[str, float]]:
        yield "volatility.leverage_effect", abs(self.volatility.leverage_effect)
        for part in (self.volatility, self.liquidity, self.positioning, self.habits, self.venue):
            for item in fields(part):
                if item.name in SHARES:
                    yield f"{_key(part)}.{item.name}", getattr(part, item.name)
        yield "habits.topped_up + habits.cut", self.habits.topped_up + self.habits.cut
        yield "cross.share", self.cross.share
        yield "cross.collateral_share", self.cross.collateral_share


def _spec_faults(spec: SymbolSpec) -> Iterator[str]:
    for name in ("price", "volatility", "open_interest_usd", "depth_usd"):
        if not getattr(spec, name) > 0.0:
            yield f"{spec.name}.{name} is {getattr(spec, name)}, expected above 0"
    if min(spec.beta, spec.sector_beta) < 0.0 or spec.beta**2 + spec.sector_beta**2 >= 1.0:
        yield f"{spec.name}: beta² + sector_beta² must be below 1, with both at least 0"


def _key(part: object) -> str:
    """Name of a part in the configuration."""
    return "cross" if isinstance(part, CrossMargin) else type(part).__name__.lower()


def _negative(part: object) -> Iterator[str]:
    """Every number of a part is a rate, a spread or a share, except two signed ones."""
    for item in fields(part):  # type: ignore[arg-type]
        value = getattr(part, item.name)
        if not isinstance(value, int | float):
            continue
        if item.name not in ("leverage_effect", "crowding_mean") and not value >= 0.0:
            yield f"{_key(part)}.{item.name} is {value}, expected at least 0"
        if item.name.endswith(("_h", "_min", "_s", "bargain")) and value == 0.0:
            yield f"{_key(part)}.{item.name} is {value}, expected above 0"
