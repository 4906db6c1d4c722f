"""What a simulated market is made of: its symbols, and how traders and liquidity behave.

The defaults are calibrated against hourly history of large perpetuals (``docs/simulation.md``
holds the table and says what does not match).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Final

from liqwarn.errors import ConfigError

__all__ = [
    "DEFAULT_SPECS",
    "SIM_SYMBOLS",
    "Leverage",
    "Liquidity",
    "MarketConfig",
    "Positioning",
    "SymbolSpec",
    "Volatility",
]

OI_TO_DEPTH: Final = 25.0
"""Open interest over the USD that moves price by 1 %, in a calm book."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSpec:
    """One perpetual.

    Attributes
    ----------
    name, sector : str
        Symbol, and the group whose factor it shares.
    price : float
        First price, quote per coin.
    volatility : float
        Standard deviation of the exogenous hourly log return in average times, as a fraction.
    beta : float
        Share of that standard deviation owed to the market-wide factor, in [0, 1).
    sector_beta : float
        Share owed to the sector's factor, in [0, 1).
    open_interest_usd, depth_usd : float
        First open interest, and the USD that moves price by 1 % in a calm book.
    """

    name: str
    sector: str
    price: float
    volatility: float
    beta: float
    sector_beta: float
    open_interest_usd: float
    depth_usd: float


def _spec(name: str, sector: str, numbers: tuple[float, float, float, float, float]) -> SymbolSpec:
    price, volatility, beta, sector_beta, oi_musd = numbers
    return SymbolSpec(
        name=name,
        sector=sector,
        price=price,
        volatility=volatility,
        beta=beta,
        sector_beta=sector_beta,
        open_interest_usd=oi_musd * 1e6,
        depth_usd=oi_musd * 1e6 / OI_TO_DEPTH,
    )


DEFAULT_SPECS: Final[tuple[SymbolSpec, ...]] = (
    _spec("AVAXUSDT", "majors", (110.0, 0.0088, 0.80, 0.25, 300.0)),
    _spec("BTCUSDT", "majors", (46_300.0, 0.0040, 0.93, 0.10, 4_000.0)),
    _spec("DOGEUSDT", "majors", (0.17, 0.0085, 0.78, 0.22, 400.0)),
    _spec("ETHUSDT", "majors", (3_700.0, 0.0058, 0.91, 0.18, 2_500.0)),
    _spec("FETUSDT", "ai", (0.48, 0.0115, 0.68, 0.42, 80.0)),
    _spec("LINKUSDT", "majors", (19.5, 0.0082, 0.80, 0.25, 250.0)),
    _spec("NEARUSDT", "ai", (14.5, 0.0100, 0.74, 0.36, 150.0)),
    _spec("RNDRUSDT", "ai", (4.2, 0.0115, 0.68, 0.45, 80.0)),
    _spec("SOLUSDT", "majors", (170.0, 0.0086, 0.80, 0.25, 600.0)),
    _spec("XRPUSDT", "majors", (0.83, 0.0078, 0.72, 0.22, 500.0)),
)
"""Ten perpetuals in two sectors: majors, and tokens of AI infrastructure."""

SIM_SYMBOLS: Final[tuple[str, ...]] = tuple(spec.name for spec in DEFAULT_SPECS)
"""Names of :data:`DEFAULT_SPECS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volatility:
    """Exogenous risk: stochastic volatility, jumps, large holders.

    Attributes
    ----------
    fast_std, fast_half_life_h, slow_std, slow_half_life_h : float
        The two components of log volatility.
    common_share : float
        Share of the variance of log volatility that all symbols have in common.
    leverage_effect : float
        Correlation of the factor's hourly return with the next change of fast log volatility.
    jumps_per_month, jump_std : float
        Rate of jumps of the market factor, and again of each symbol; size in hourly
        standard deviations.
    sellers_per_month, seller_std : float
        Rate of large holders who move coins onto (or off) exchanges and trade over the next
        hours; total effect on price in hourly standard deviations.
    """

    fast_std: float = 0.36
    fast_half_life_h: float = 9.0
    slow_std: float = 0.34
    slow_half_life_h: float = 288.0
    common_share: float = 0.6
    leverage_effect: float = -0.3
    jumps_per_month: float = 1.0
    jump_std: float = 2.2
    sellers_per_month: float = 8.0
    seller_std: float = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidity:
    """The book that forced flow meets.

    Attributes
    ----------
    regime_std, regime_half_life_h : float
        Slow log variation of depth.
    recovery_half_life_min : float
        Withdrawn depth comes back with this half-life.
    withdrawal : float
        Log depth withdrawn for each standard deviation of a step's move beyond the first.
    bite : float
        Log depth taken by forced flow as large as the depth.
    common_withdrawal : float
        Share of the average withdrawal of all symbols that every symbol suffers as well.
    aftershock : float
        Log amplification of exogenous moves for each unit of log depth withdrawn.
    bargain : float
        Distance of price from value at which value traders offer as much depth as a calm book.
    floor : float
        Makers' depth never falls below this share of its calm level.
    permanent : float
        Share of the impact of forced flow that stays.
    rebound_half_life_min : float
        The rest fades with this half-life.
    contagion : float
        Share of the market's forced move that passes to the other symbols.
    """

    regime_std: float = 0.35
    regime_half_life_h: float = 96.0
    recovery_half_life_min: float = 15.0
    withdrawal: float = 0.06
    bite: float = 0.1
    common_withdrawal: float = 0.25
    aftershock: float = 0.25
    bargain: float = 0.02
    floor: float = 0.1
    permanent: float = 0.45
    rebound_half_life_min: float = 40.0
    contagion: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Leverage:
    """How positions are opened.

    Attributes
    ----------
    ladder : tuple of float
        Leverages on offer.
    mix : tuple of float
        Shares of newly opened notional in balanced times, summing to 1.
    tilt : float
        The crowded side's shares are multiplied by ``leverage ** (tilt * crowding)``.
    maintenance_rate : float
        Maintenance margin, fraction of notional.
    """

    ladder: tuple[float, ...] = (2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0)
    mix: tuple[float, ...] = (0.37, 0.26, 0.17, 0.085, 0.062, 0.028, 0.014, 0.007, 0.0025, 0.0015)
    tilt: float = 0.38
    maintenance_rate: float = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Positioning:
    """How open interest and crowding move.

    Attributes
    ----------
    turnover_per_h : float
        Share of open interest closed and opened anew in an average hour.
    appetite_std, appetite_half_life_h : float
        Log variation of the open interest that traders want.
    pursuit_half_life_h : float
        Open interest closes half of its gap to the wanted one in this time.
    noise_std : float
        Standard deviation of the hourly change of log open interest without cause.
    panic : float
        Share of open interest closed by choice for a move of 100 %.
    replaced : float
        Share of liquidated positions that pass to new holders instead of closing.
    crowding_mean, crowding_std, crowding_half_life_h : float
        Crowding of longs (positive) or shorts (negative), without the trend.
    trend_pull : float
        Crowding gained from a three-day trend of one standard deviation.
    """

    turnover_per_h: float = 0.014
    appetite_std: float = 0.28
    appetite_half_life_h: float = 240.0
    pursuit_half_life_h: float = 60.0
    noise_std: float = 0.0036
    panic: float = 0.08
    replaced: float = 0.35
    crowding_mean: float = 0.15
    crowding_std: float = 0.7
    crowding_half_life_h: float = 190.0
    trend_pull: float = 0.35


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
        for part in (self.volatility, self.liquidity, self.positioning):
            yield from _negative(part)
        if not 0.0 < self.liquidity.floor <= 1.0:
            yield f"liquidity.floor is {self.liquidity.floor}, expected in (0, 1]"
        for name, share in self._shares():
            if share > 1.0:
                yield f"{name} is {share}, expected at most 1"
        mix, ladder = self.leverage.mix, self.leverage.ladder
        if len(mix) != len(ladder) or abs(sum(mix) - 1.0) > 1e-9 or min(mix) < 0.0:
            yield f"leverage.mix is {mix}, expected a share for each leverage, summing to 1"
        if min(ladder) < 1.0 or max(ladder) * self.leverage.maintenance_rate >= 1.0:
            yield f"leverage.ladder is {ladder}, expected leverages below 1 / maintenance_rate"

    def _shares(self) -> Iterator[tuple[str, float]]:
        yield "liquidity.permanent", self.liquidity.permanent
        yield "liquidity.common_withdrawal", self.liquidity.common_withdrawal
        yield "liquidity.contagion", self.liquidity.contagion
        yield "volatility.common_share", self.volatility.common_share
        yield "volatility.leverage_effect", abs(self.volatility.leverage_effect)
        yield "positioning.replaced", self.positioning.replaced


def _spec_faults(spec: SymbolSpec) -> Iterator[str]:
    for name in ("price", "volatility", "open_interest_usd", "depth_usd"):
        if not getattr(spec, name) > 0.0:
            yield f"{spec.name}.{name} is {getattr(spec, name)}, expected above 0"
    if min(spec.beta, spec.sector_beta) < 0.0 or spec.beta**2 + spec.sector_beta**2 >= 1.0:
        yield f"{spec.name}: beta² + sector_beta² must be below 1, with both at least 0"


def _negative(part: Volatility | Liquidity | Positioning) -> Iterator[str]:
    """Every number of a part is a rate, a spread or a share, except two signed ones."""
    for item in fields(part):
        value = getattr(part, item.name)
        if item.name not in ("leverage_effect", "crowding_mean") and not value >= 0.0:
            yield f"{type(part).__name__.lower()}.{item.name} is {value}, expected at least 0"
        if item.name.endswith(("_h", "_min", "bargain")) and value == 0.0:
            yield f"{type(part).__name__.lower()}.{item.name} is {value}, expected above 0"
