"""The perpetuals of a simulated market, and the twelve it has by default."""

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_SPECS", "SIM_SYMBOLS", "SymbolSpec"]

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
    _spec("ADAUSDT", "majors", (1.3, 0.0080, 0.86, 0.20, 300.0)),
    _spec("AVAXUSDT", "majors", (110.0, 0.0088, 0.86, 0.20, 300.0)),
    _spec("BTCUSDT", "majors", (46_300.0, 0.0040, 0.93, 0.10, 4_000.0)),
    _spec("DOGEUSDT", "majors", (0.17, 0.0085, 0.84, 0.20, 400.0)),
    _spec("ETHUSDT", "majors", (3_700.0, 0.0060, 0.91, 0.18, 2_500.0)),
    _spec("FETUSDT", "ai", (0.48, 0.0109, 0.76, 0.36, 80.0)),
    _spec("LINKUSDT", "majors", (19.5, 0.0082, 0.86, 0.20, 250.0)),
    _spec("NEARUSDT", "ai", (14.5, 0.0100, 0.81, 0.30, 150.0)),
    _spec("RNDRUSDT", "ai", (4.2, 0.0109, 0.76, 0.38, 80.0)),
    _spec("SOLUSDT", "majors", (170.0, 0.0086, 0.85, 0.20, 600.0)),
    _spec("TAOUSDT", "ai", (240.0, 0.0112, 0.74, 0.38, 60.0)),
    _spec("XRPUSDT", "majors", (0.83, 0.0078, 0.80, 0.20, 500.0)),
)
"""Twelve perpetuals in two sectors: majors, and tokens of AI infrastructure."""

SIM_SYMBOLS: Final[tuple[str, ...]] = tuple(spec.name for spec in DEFAULT_SPECS)
"""Names of :data:`DEFAULT_SPECS`."""
