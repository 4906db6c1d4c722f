"""What flows and stocks say beside the prices: swapped sides, a clock a step off, USD or coins.

Takers who buy move the price up; shorts are liquidated when it rises; accounts go against it; what
is counted in USD moves with it and what is counted in coins does not.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from liqwarn.data.inspection.doubts import Doubt, spell
from liqwarn.data.inspection.prices import ENOUGH, Market, Prices, shifted
from liqwarn.frames import FloatArray

__all__ = ["flow_doubts"]

_CLEAR: Final = 0.15
_SEEN: Final = 0.2
_STRONG: Final = 0.3
_SIDES: Final = (
    ("taker_buy_volume", "taker_sell_volume", "takers who buy move the price up"),
    ("short_liq_usd", "long_liq_usd", "shorts are liquidated when the price rises"),
)
_SUMS: Final = (
    ("netflow", "inflow", "outflow", -1.0),
    ("volume", "taker_buy_volume", "taker_sell_volume", 1.0),
)
_FEW: Final = 10


def flow_doubts(market: Market) -> Iterator[Doubt]:
    """Doubts about sides, labels, the unit of open interest, and sums that do not add up."""
    yield from _side_doubts(market)
    yield from _ratio_doubts(market)
    yield from _interest_doubts(market)
    yield from _sum_doubts(market)


def _side_doubts(market: Market) -> Iterator[Doubt]:
    """Whether two sides that move the price, or are moved by it, are the right way round."""
    for up, down, why in _SIDES:
        if up not in market.series or down not in market.series:
            continue
        one, other = market.series[up], market.series[down]
        both = one.index.intersection(other.index)
        tilt: FloatArray = np.asarray(one.reindex(both) - other.reindex(both), dtype=np.float64)
        found = shifted(both.to_numpy(dtype=np.int64), tilt, market.prices, market.step_s)
        if found is None:
            continue
        best = max(found, key=lambda shift: abs(found[shift]))
        if found[best] <= -_STRONG:
            yield Doubt(
                level="wrong",
                kind="sides",
                text=f"{market.symbol}: '{up}' and '{down}' are swapped: {why}, here it is the "
                f"other way round (correlation {found[best]:.2f})",
            )
        yield from _shift_doubts(market, up, found)


def _ratio_doubts(market: Market) -> Iterator[Doubt]:
    if "long_short_ratio" not in market.series:
        return
    ratio = market.series["long_short_ratio"]
    ratio = ratio[ratio > 0.0]
    event = ratio.index.to_numpy(dtype=np.int64)
    change = Prices(source=market.source.name, close=ratio).returns(event, market.step_s)
    found = shifted(event, change, market.prices, market.step_s)
    if found is None:
        return
    best = max(found, key=lambda shift: abs(found[shift]))
    if found[best] >= _STRONG:
        yield Doubt(
            level="doubt",
            kind="sides",
            text=f"{market.symbol}: 'long_short_ratio' rises with the price (correlation "
            f"{found[best]:.2f}), while most accounts go against it: short over long, or takers?",
        )
    yield from _shift_doubts(market, "long_short_ratio", found)


def _shift_doubts(market: Market, name: str, found: Mapping[int, float]) -> Iterator[Doubt]:
    """Whether a field goes with the return of another interval than its own."""
    best = max(found, key=lambda shift: abs(found[shift]))
    if best == 0 or abs(found[best]) < _SEEN or abs(found[best]) - abs(found[0]) < _CLEAR:
        return
    ahead = best > 0
    yield Doubt(
        level="doubt",
        kind="label",
        text=f"{market.symbol}: '{name}' goes with the return of the interval "
        f"{spell(abs(best) * market.step_s)} {'later' if ahead else 'earlier'} (correlation "
        f"{found[best]:.2f}, {found[0]:.2f} with its own): "
        + ("a start declared an end, look-ahead?" if ahead else "older than its stamp says?"),
    )


def _interest_doubts(market: Market) -> Iterator[Doubt]:
    """Whether open interest moves with the price, as USD does and coins do not."""
    if "open_interest" not in market.series:
        return
    interest = market.series["open_interest"]
    event, step = interest.index.to_numpy(dtype=np.int64), market.step_s
    change = Prices(source=market.source.name, close=interest).returns(event, step)
    returns = market.prices.returns(event, step)
    both = ~np.isnan(change) & ~np.isnan(returns)
    if both.sum() < ENOUGH or np.ptp(change[both]) == 0.0 or np.ptp(returns[both]) == 0.0:
        return
    change, returns = change[both], returns[both]
    large = np.abs(returns) >= np.quantile(np.abs(returns), 0.8)
    change, returns = change[large], returns[large]
    left = _spread(change - returns) / max(_spread(change), 1e-12)
    together = float(np.corrcoef(change, returns)[0, 1])
    priced = market.source.fields["open_interest"].priced
    if not priced and left <= 0.7 and together >= 0.6:
        yield _interest_doubt(market, together, "moves with the price, as USD does", "coins")
    if priced and left >= 1.2 and together <= 0.5:
        yield _interest_doubt(market, together, "does not move with the price, as coins do", "USD")


def _interest_doubt(market: Market, together: float, found: str, said: str) -> Doubt:
    return Doubt(
        level="doubt",
        kind="unit",
        text=f"{market.symbol}: 'open_interest' {found} (correlation {together:.2f} where the "
        f"price moves most); the panel says {said}",
    )


def _spread(values: FloatArray) -> float:
    """Median distance from the median."""
    return float(np.median(np.abs(values - np.median(values))))


def _sum_doubts(market: Market) -> Iterator[Doubt]:
    """Whether what belongs together adds up."""
    for name, one, other, sign in _SUMS:
        if not {name, one, other} <= set(market.series):
            continue
        made = (market.series[one] + sign * market.series[other]).dropna()
        both = made.index.intersection(market.series[name].index)
        said, sums = market.series[name].reindex(both), made.reindex(both)
        size = float((sums * sums).sum())
        if both.size < _FEW or size == 0.0:
            continue
        ratio = float((said * sums).sum()) / size
        if not 0.5 <= ratio <= 2.0:
            inverted = ratio <= -0.5
            yield Doubt(
                level="wrong" if inverted else "doubt",
                kind="sums",
                text=f"{market.symbol}: '{name}' is {ratio:.3g} times '{one}' "
                f"{'minus' if sign < 0 else 'plus'} '{other}': "
                + (f"'{one}' and '{other}' are swapped" if inverted else "another unit?"),
            )
