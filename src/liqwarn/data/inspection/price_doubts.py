"""What prices say of one another: whether bars join, and whose clock is a step off.

A stamp alone cannot tell whether it is a start. But prices of one coin move together in every
file; where two files agree best a step apart, one of them is labelled wrongly.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from liqwarn.data.inspection.doubts import Doubt, spell
from liqwarn.data.inspection.prices import ENOUGH, Market, Prices, shifted

__all__ = ["price_doubts"]

_APART: Final = 0.3
_SAME: Final = 0.7
_PRICES: Final = ("close", "mark", "index")


def price_doubts(market: Market) -> Iterator[Doubt]:
    """Doubts about open and close, about labels, and about another unit or coin."""
    yield from _bar_doubts(market)
    if market.source.name != market.prices.source:
        for name in (name for name in _PRICES if name in market.series):
            yield from _shift_doubts(market, name)
            yield from _level_doubts(market, name)


def _bar_doubts(market: Market) -> Iterator[Doubt]:
    """Whether a bar opens where the one before closed."""
    if "open" not in market.series or "close" not in market.series:
        return
    first, last, step = market.series["open"], market.series["close"], market.step_s
    joined = last.index.intersection(first.index - step)
    joined = joined.intersection(last.index - step).intersection(first.index)
    if joined.size < ENOUGH:
        return
    forward = _apart(last.reindex(joined), first.reindex(joined + step))
    usual = _apart(last.reindex(joined), first.reindex(joined))
    swapped = _apart(first.reindex(joined), last.reindex(joined + step))
    if swapped < usual / 2.0 and swapped < forward / 4.0:
        yield Doubt(
            level="wrong",
            kind="open and close",
            text=f"{market.symbol}: bars close where the next one opens only if 'open' and 'close' "
            "are swapped",
        )
    elif forward > usual:
        yield Doubt(
            level="doubt",
            kind="open and close",
            text=f"{market.symbol}: bars open {forward:.2%} off the close of the bar before, which "
            f"is no nearer than their own close ({usual:.2%}): another step, or averages?",
        )


def _apart(one: "pd.Series[float]", other: "pd.Series[float]") -> float:
    """Median distance of prices as a fraction."""
    return float(np.median(np.abs(np.log(one.to_numpy() / other.to_numpy()))))


def _shift_doubts(market: Market, name: str) -> Iterator[Doubt]:
    """Whether a price moves at another moment than the close."""
    own = Prices(source=market.source.name, close=market.series[name])
    event, step = own.close.index.to_numpy(dtype=np.int64), market.step_s
    found = shifted(event, own.returns(event, step), market.prices, step)
    if found is None:
        return
    best = max(found, key=lambda shift: found[shift])
    if best == 0 or found[best] < _SAME or found[best] - found[0] < _APART:
        return
    early, late = ("a start declared an end", "an end declared a start")
    own_fault, other_fault = (early, late) if best > 0 else (late, early)
    yield Doubt(
        level="wrong",
        kind="label",
        text=f"{market.symbol}: '{name}' moves as the close of '{market.prices.source}' does "
        f"{spell(abs(best) * step)} {'later' if best > 0 else 'earlier'} (correlation "
        f"{found[best]:.2f}, {found[0]:.2f} at the same moment): its stamp is {own_fault}, which "
        f"{'is look-ahead' if best > 0 else 'is late'}, or that of the close is {other_fault}",
    )


def _level_doubts(market: Market, name: str) -> Iterator[Doubt]:
    close, own = market.prices.close, market.series[name]
    both = close.index.intersection(own.index)
    ratio = float((own.reindex(both) / close.reindex(both)).median()) if both.size else 1.0
    if not 0.8 <= ratio <= 1.25:
        yield Doubt(
            level="doubt",
            kind="price level",
            text=f"{market.symbol}: '{name}' is {ratio:.4g} times the close of "
            f"'{market.prices.source}': another unit, contract or coin?",
        )
