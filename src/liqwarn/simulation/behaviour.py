"""How the traders, makers and venues of a simulated market behave.

The defaults are calibrated against hourly history of large perpetuals: ``docs/realism.md`` holds
the table and says what does not match.
"""

from dataclasses import dataclass

__all__ = [
    "CrossMargin",
    "Habits",
    "Leverage",
    "Liquidity",
    "Positioning",
    "Venue",
    "Volatility",
]


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
    sellers_per_month, seller_share : float
        Rate of large holders who move coins onto (or off) exchanges and trade them slowly over
        the next hours; mean size as a share of open interest.
    """

    fast_std: float = 0.38
    fast_half_life_h: float = 9.0
    slow_std: float = 0.34
    slow_half_life_h: float = 500.0
    common_share: float = 0.75
    leverage_effect: float = -0.3
    jumps_per_month: float = 1.5
    jump_std: float = 4.2
    sellers_per_month: float = 8.0
    seller_share: float = 0.05


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
    slow_impact, slow_permanent, slow_memory_min : float
        Slow orders of volume Q move price by ``slow_impact * sigma_day * sqrt(Q / V_day)``; the
        share of it that stays; the half-life with which the market forgets the order's past.
    """

    regime_std: float = 0.35
    regime_half_life_h: float = 96.0
    recovery_half_life_min: float = 15.0
    withdrawal: float = 0.06
    bite: float = 0.16
    common_withdrawal: float = 0.25
    aftershock: float = 0.25
    bargain: float = 0.02
    floor: float = 0.1
    permanent: float = 0.3
    rebound_half_life_min: float = 60.0
    contagion: float = 0.2
    slow_impact: float = 1.2
    slow_permanent: float = 0.67
    slow_memory_min: float = 240.0


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
    mix: tuple[float, ...] = (0.39, 0.28, 0.17, 0.077, 0.05, 0.018, 0.007, 0.0043, 0.0023, 0.0014)
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
    volume_to_oi : float
        Coins traded in an average hour over open interest.
    entry_min : float
        Positions opened are entered as one cohort this often, in minutes.
    crowding_mean, crowding_std, crowding_half_life_h : float
        Crowding of longs (positive) or shorts (negative), without the trend.
    trend_pull : float
        Crowding gained from a three-day trend of one standard deviation.
    """

    turnover_per_h: float = 0.014
    appetite_std: float = 0.14
    appetite_half_life_h: float = 240.0
    pursuit_half_life_h: float = 120.0
    noise_std: float = 0.0053
    panic: float = 0.04
    replaced: float = 0.1
    volume_to_oi: float = 0.109
    entry_min: float = 15.0
    crowding_mean: float = 0.15
    crowding_std: float = 0.7
    crowding_half_life_h: float = 190.0
    trend_pull: float = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What holders do before a venue does it for them.

    Attributes
    ----------
    stop_share : float
        Share of new positions that carry a stop-loss order.
    stop_distances : tuple of float
        Log distances from entry to the stop; new stops are spread evenly over them.
    call_distance : float
        Log distance from the liquidation price at which a margin call comes.
    topped_up, cut : float
        Shares of the called positions that add collateral, and that are closed.
    top_up : float
        Log distance by which added collateral moves a liquidation price away.
    """

    stop_share: float = 0.08
    stop_distances: tuple[float, ...] = (0.02, 0.04, 0.07, 0.12)
    call_distance: float = 0.012
    topped_up: float = 0.15
    cut: float = 0.1
    top_up: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """How a venue liquidates, and who pays when that fails.

    Attributes
    ----------
    engine : {"full", "partial", "tiered"}
        ``full``: the whole position at once. ``partial``: `first_share` at once, the rest after
        `rest_after_s` if price has not come back. ``tiered``: `tier_share` at once, and the rest
        survives with a liquidation price `tier_relief` further away, in a lower tier.
    first_share, rest_after_s, tier_share, tier_relief : float
        See above; `tier_relief` is a log distance.
    insurance_frac : float
        Insurance fund at the start, and at most, as a share of open interest.
    """

    engine: str = "full"
    first_share: float = 0.2
    rest_after_s: float = 30.0
    tier_share: float = 0.4
    tier_relief: float = 0.006
    insurance_frac: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossMargin:
    """Accounts that hold every symbol on one collateral.

    Attributes
    ----------
    share : float
        Share of each symbol's open interest that they hold, on both sides.
    mix : tuple of float
        Shares of their leverages, on the ladder of :class:`Leverage`.
    collateral_share : float
        Share of their collateral in coins that a haircut hits.
    """

    share: float = 0.12
    mix: tuple[float, ...] = (0.45, 0.28, 0.15, 0.06, 0.04, 0.02, 0.0, 0.0, 0.0, 0.0)
    collateral_share: float = 0.5
