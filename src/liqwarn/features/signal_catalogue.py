"""The signals of a board, group by group, and the page of the documentation made from them."""

from collections.abc import Iterator, Mapping
from typing import Final

from liqwarn.features.builder import all_features
from liqwarn.features.signals import GROUP_TITLES, GROUPS, Shown, Signal, Words
from liqwarn.frames import SIDES

__all__ = ["SIGNALS", "signals_markdown"]

_BOTH: Final = (1, 1)
_NEITHER: Final = (-1, -1)  # a higher value lowers the risk of both sides
_LONGS: Final = (1, -1)  # a higher value endangers longs
_SHORTS: Final = (-1, 1)  # a higher value endangers shorts

_SIGMA: Final = Shown("plain", 2, "σ", plus=True)
_CHANGE: Final = Shown("growth", 1, plus=True)
_VOLATILITY: Final = Shown("percent", 2, "per √h")
_OF_OI: Final = Shown("percent", 3, "of open interest")
_HOURS: Final = Shown("plain", 1, "h")
_SHARE: Final = Shown("percent", 0)

# fmt: off
SIGNALS: Final[tuple[Signal, ...]] = (
    Signal("funding", "funding_rate", "funding_8h", "Funding rate", _LONGS,
           Words("high funding", "low funding"), Shown("percent", 4, "per 8 h", plus=True)),
    Signal("funding", "funding_week", "funding_carry_7d", "Funding a long paid over 7 days", _LONGS,
           Words("a week of high funding", "a week of low funding"),
           Shown("percent", 3, plus=True)),
    Signal("funding", "funding_change", "funding_change_24h", "Change of funding over 24 h", _LONGS,
           Words("rising funding", "falling funding", 0.0),
           Shown("percent", 4, "per 8 h", plus=True)),
    Signal("funding", "funding_crowding", "funding_oi_crowding_30d",
           "Funding and open interest together", _LONGS,
           Words("funding and open interest stretched together",
                 "funding and open interest pulling apart", 0.0),
           Shown("plain", 2, "σ²", plus=True)),
    Signal("funding", "funding_elsewhere", "funding_venue_spread",
           "Funding here less a second venue", _LONGS,
           Words("funding above a second venue's", "funding below a second venue's", 0.0),
           Shown("percent", 4, "per 8 h", plus=True)),
    Signal("funding", "basis", "basis", "Perpetual over index", _LONGS,
           Words("a dear perpetual", "a cheap perpetual", 0.0), Shown("percent", 3, plus=True)),

    Signal("open_interest", "oi_month", "oi_z_30d", "Open interest against its month", _BOTH,
           Words("open interest above its month", "open interest below its month", 0.0), _SIGMA),
    Signal("open_interest", "oi_day", "oi_change_24h", "Open interest, change over 24 h", _BOTH,
           Words("growing open interest", "shrinking open interest", 0.0), _CHANGE),
    Signal("open_interest", "oi_week", "oi_change_168h", "Open interest, change over 7 days", _BOTH,
           Words("a week of growing open interest", "a week of shrinking open interest", 0.0),
           _CHANGE),
    Signal("open_interest", "oi_intact", "oi_drawdown_7d", "Open interest below its week's high",
           _BOTH, Words("open interest near its week's high", "open interest already cut"),
           _CHANGE),
    Signal("open_interest", "oi_days", "oi_to_volume_24h", "Open interest in days of volume", _BOTH,
           Words("much open interest for the trading", "little open interest for the trading"),
           Shown("plain", 2, "days")),

    Signal("leverage", "leverage", "leverage_level", "Estimated leverage ratio", _BOTH,
           Words("high leverage", "low leverage"), Shown("plain", 3, "of reserve")),
    Signal("leverage", "leverage_month", "leverage_z_30d", "Leverage against its month", _BOTH,
           Words("leverage above its month", "leverage below its month", 0.0), _SIGMA),
    Signal("leverage", "accounts", "long_short_log", "Accounts long over accounts short", _LONGS,
           Words("many accounts long", "few accounts long"), Shown("ratio", 2)),
    Signal("leverage", "accounts_month", "long_short_z_30d", "Accounts long against their month",
           _LONGS, Words("accounts turning long", "accounts turning short", 0.0), _SIGMA),

    Signal("clusters", "cluster_distance", "cluster_dist_{side}_pct", "Nearest cluster {where}",
           _NEITHER, Words("the nearest cluster {value} {where}", "a cluster {value} {where}"),
           Shown("plain", 1, "%")),
    Signal("clusters", "cluster_near", "cluster_mass_1_{side}", "Coins a {move} of 1 % liquidates",
           _BOTH,
           Words("much to liquidate within 1 % {where}", "little to liquidate within 1 % {where}"),
           _OF_OI),
    Signal("clusters", "cluster_next", "cluster_mass_2_{side}",
           "Coins a {move} of 1 to 2 % liquidates", _BOTH,
           Words("much to liquidate 1 to 2 % {where}", "little to liquidate 1 to 2 % {where}"),
           _OF_OI),
    Signal("clusters", "cluster_volume", "cluster_hours_{side}",
           "Coins a {move} of 2 % liquidates, against volume", _BOTH,
           Words("clusters heavy against volume", "clusters light against volume"),
           Shown("plain", 2, "hours of volume")),
    Signal("clusters", "cluster_book", "cluster_over_depth_{side}",
           "Coins a {move} of 2 % liquidates, against the book", _BOTH,
           Words("clusters heavy against the book", "clusters light against the book"),
           Shown("plain", 2, "× depth")),
    Signal("clusters", "cluster_gain", "cluster_gain_peak_{side}", "Cascade gain on the way {way}",
           _BOTH, Words("a high cascade gain", "a low cascade gain"), Shown("plain", 2)),
    Signal("clusters", "cluster_growth", "cluster_growth_{side}_24h",
           "Growth of the clusters {where}, 24 h", _BOTH,
           Words("clusters growing {where}", "clusters shrinking {where}", 0.0), _CHANGE),
    Signal("clusters", "cluster_tilt", "cluster_skew_2", "Clusters above over those below", _SHORTS,
           Words("more to liquidate above than below", "more to liquidate below than above", 0.0),
           Shown("ratio", 2)),
    Signal("clusters", "week_extreme", "{extreme}_dist_pct_7d", "Distance to the week's {extreme}",
           _NEITHER, Words("the week's {extreme} far away", "the week's {extreme} near"),
           Shown("plain", 1, "%")),

    Signal("flows", "inflow", "inflow_z_24h", "Inflow to exchanges against its month", (1, 0),
           Words("heavy inflows to exchanges", "light inflows to exchanges", 0.0), _SIGMA),
    Signal("flows", "netflow", "netflow_to_volume_24h", "Netflow to exchanges over 24 h", _LONGS,
           Words("coins arriving at exchanges", "coins leaving exchanges", 0.0),
           Shown("percent", 2, "of volume", plus=True)),
    Signal("flows", "reserve", "reserve_change_7d", "Exchange reserves, change over 7 days", _LONGS,
           Words("growing exchange reserves", "shrinking exchange reserves", 0.0),
           Shown("growth", 2, plus=True)),
    Signal("flows", "whales", "whale_share_24h", "Inflow from the ten largest transfers", (1, 0),
           Words("inflows from few large transfers", "inflows from many small transfers"), _SHARE),
    Signal("flows", "takers", "taker_imbalance_4h", "Takers buying less selling, 4 h", _SHORTS,
           Words("takers buying", "takers selling", 0.0), Shown("percent", 1, plus=True)),

    Signal("volatility", "volatility_hour", "rv_1h", "Volatility of the last hour", _BOTH,
           Words("a violent hour", "a calm hour"), _VOLATILITY),
    Signal("volatility", "volatility_6h", "rv_6h", "Volatility of the last 6 hours", _BOTH,
           Words("six violent hours", "six calm hours"), _VOLATILITY),
    Signal("volatility", "volatility_day", "rv_1d", "Volatility of the last day", _BOTH,
           Words("a violent day", "a calm day"), _VOLATILITY),
    Signal("volatility", "volatility_week", "rv_7d", "Volatility of the last week", _BOTH,
           Words("a violent week", "a calm week"), _VOLATILITY),
    Signal("volatility", "volatility_month", "rv_30d", "Volatility of the last month", _BOTH,
           Words("a violent month", "a calm month"), _VOLATILITY),
    Signal("volatility", "volatility_rise", "vol_ratio_1d_30d",
           "Volatility of the day over the month's", _BOTH,
           Words("volatility above its month", "volatility below its month", 0.0),
           Shown("ratio", 2)),
    Signal("volatility", "volatility_side", "{half}_vol_1d",
           "Volatility of the {move}s alone, 1 day", _BOTH,
           Words("violent {move}s", "calm {move}s"), _VOLATILITY),
    Signal("volatility", "volatility_unrest", "vol_of_vol_7d", "Unrest of volatility, 7 days",
           _BOTH, Words("volatility that comes in bursts", "steady volatility"), Shown("plain", 2)),
    Signal("volatility", "return_day", "price_return_24h", "Price, change over 24 h", _SHORTS,
           Words("a rising day", "a falling day", 0.0), _CHANGE),
    Signal("volatility", "volume", "volume_surge_1h", "Volume of the hour over the week's mean",
           _BOTH, Words("brisk trading", "quiet trading", 0.0), Shown("ratio", 2)),

    Signal("liquidations", "liquidated_4h", "liq_{side}_share_4h",
           "Liquidations of {side}s over 4 h", _BOTH,
           Words("heavy {side} liquidations", "few {side} liquidations"), _OF_OI),
    Signal("liquidations", "liquidated_day", "liq_{side}_share_24h",
           "Liquidations of {side}s over 24 h", _BOTH,
           Words("a day of heavy {side} liquidations", "a day of few {side} liquidations"), _OF_OI),
    Signal("liquidations", "liquidated_tilt", "liq_imbalance_24h",
           "Liquidations of longs less shorts, 24 h", _LONGS,
           Words("mostly longs liquidated", "mostly shorts liquidated", 0.0),
           Shown("percent", 0, plus=True)),
    Signal("liquidations", "forced", "liq_to_volume_24h", "Forced share of trading, 24 h", _BOTH,
           Words("much forced trading", "little forced trading"), Shown("percent", 3, "of volume")),

    Signal("depth", "depth", "depth_to_oi", "Depth against open interest", _NEITHER,
           Words("deep books", "thin books"), Shown("percent", 2, "of open interest")),
    Signal("depth", "depth_week", "depth_z_7d", "Depth against its week", _NEITHER,
           Words("books deeper than their week", "books thinner than their week", 0.0), _SIGMA),
    Signal("depth", "depth_change", "depth_change_4h", "Depth, change over 4 h", _NEITHER,
           Words("filling books", "thinning books", 0.0), _CHANGE),
    Signal("depth", "depth_tilt", "depth_imbalance", "Bids less asks", _SHORTS,
           Words("more bids than asks", "more asks than bids", 0.0),
           Shown("percent", 1, plus=True)),
    Signal("depth", "illiquidity", "illiquidity_24h", "Price impact of trades over the month's",
           _BOTH,
           Words("a thin market", "a liquid market"), Shown("ratio", 2)),

    Signal("contagion", "leader", "leader_return_4h", "Leader's price, change over 4 h", _SHORTS,
           Words("a rising leader", "a falling leader", 0.0), _CHANGE),
    Signal("contagion", "leader_volatility", "leader_rv_1d", "Leader's volatility of the last day",
           _BOTH, Words("a violent leader", "a calm leader"), _VOLATILITY),
    Signal("contagion", "leader_liquidated", "leader_liq_{side}_share_4h",
           "Leader's liquidations of {side}s over 4 h", _BOTH,
           Words("heavy {side} liquidations of the leader",
                 "few {side} liquidations of the leader"),
           _OF_OI),
    Signal("contagion", "breadth", "breadth_{move}_4h", "Symbols {moving} over 1 % in 4 h", _BOTH,
           Words("many symbols {moving}", "few symbols {moving}"), _SHARE),
    Signal("contagion", "deleveraging", "breadth_oi_drop_4h",
           "Symbols losing over 1 % of open interest in 4 h", _BOTH,
           Words("many symbols deleveraging", "few symbols deleveraging"), _SHARE),
    Signal("contagion", "correlation", "mean_corr_7d", "Correlation across symbols, 7 days", _BOTH,
           Words("symbols moving as one", "symbols moving apart"), Shown("plain", 2)),

    Signal("calendar", "settlement", "funding_next_h", "Next funding settlement", _NEITHER,
           Words("a settlement just past", "a settlement near"), _HOURS),
    Signal("calendar", "macro", "macro_next_h", "Next macro event, at most a week", _NEITHER,
           Words("no macro event near", "a macro event near", 24.0), _HOURS),
    Signal("calendar", "unlock", "unlock_size_7d", "Token unlock within a week", (1, 0),
           Words("a token unlock ahead", "no token unlock ahead", 0.0), Shown("percent", 2)),
    Signal("calendar", "weekend", "weekend", "Weekend", _BOTH,
           Words("the weekend", "a weekday", 0.5), Shown("yes")),
)
# fmt: on
"""Every signal, in the order a board shows them."""

_EXPECTED: Final = {1: "raises", -1: "lowers", 0: "–"}

_ABOUT: Final = """\
The signals are made by `liqwarn.features.signal_catalogue.signals_markdown()`; do not edit them.

*Long*, *short*: what the mechanism expects a higher value to do to the risk of that side.
A board puts beside it what the model makes of the value now, and says where the two disagree."""


def signals_markdown() -> str:
    """The list of signals in ``docs/signals.md``; a test keeps the two the same."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    units = {feature.name: feature.unit for feature in all_features()}
    yield from ("## The signals", "", f"{len(SIGNALS)} signals in {len(GROUPS)} groups.", _ABOUT)
    for group in GROUPS:
        yield from ("", f"### {GROUP_TITLES[group]}", "")
        yield "| signal | what it is | feature | unit | long | short |"
        yield "|---|---|---|---|---|---|"
        for signal in SIGNALS:
            if signal.group == group:
                yield _row(signal, units)


def _row(signal: Signal, units: Mapping[str, str]) -> str:
    columns = dict.fromkeys(signal.column_of(side) for side in SIDES)
    titles = dict.fromkeys(signal.title_of(side) for side in SIDES)
    expected = " | ".join(_EXPECTED[signal.expected(side)] for side in SIDES)
    return (
        f"| `{signal.key}` | {' / '.join(titles)} | {', '.join(f'`{c}`' for c in columns)} "
        f"| {units[next(iter(columns))]} | {expected} |"
    )
