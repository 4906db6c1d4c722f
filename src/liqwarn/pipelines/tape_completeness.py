"""How much of the liquidations the feed in a panel tells, beside what its venue says of it."""

from typing import Any, Final

import numpy as np

from liqwarn.collectors.tally_completeness import told_share
from liqwarn.collectors.venues import VENUES
from liqwarn.frames import SIDES, FloatArray, MarketFrame
from liqwarn.pipelines.market import Market

__all__ = ["CAVEAT", "feed_completeness"]

CAVEAT: Final = (
    "A bound, not a measurement: open interest falls through stops and choice too, so the feed may "
    "tell more of the liquidations than this; what is opened meanwhile hides a part of the fall."
)


def feed_completeness(market: Market, *, seed: int = 0) -> dict[str, Any]:
    """What was told of each symbol and side over the fall of open interest in its hardest bars.

    Only bars with an open interest of their own count: one that was carried on shows no fall.

    Parameters
    ----------
    market : Market
    seed : int
        Of the resampling.

    Returns
    -------
    dict
        ``panel``, ``market``, ``venue``, ``bar``, ``sides`` (see
        :class:`liqwarn.collectors.tally_completeness.ToldShare`), ``grade``, ``caveat``.
    """
    frame = market.frame
    sides = []
    for row, symbol in enumerate(frame.symbols):
        stock = _fresh_open_interest(frame, row)
        for side in SIDES:
            told = frame.field(f"{side}_liq_usd")[row]
            found = told_share(frame.field("close")[row], stock, told, side, seed=seed)
            sides.append({"symbol": symbol, "side": side, **found.to_dict()})
    return {
        "panel": market.panel.name,
        "market": market.panel.market,
        "venue": market.panel.venue,
        "bar": str(market.panel.bar),
        "sides": sides,
        "grade": _grade(market),
        "caveat": CAVEAT,
    }


def _fresh_open_interest(frame: MarketFrame, row: int) -> FloatArray:
    stock: FloatArray = frame.field("open_interest")[row]
    age = frame.ages.get("open_interest")
    if age is None:
        return stock
    stale = ~(age[row] < frame.bar_s)
    fresh: FloatArray = stock.copy()
    fresh[stale] = np.nan
    return fresh


def _grade(market: Market) -> str:
    if market.panel.market == "simulated":
        return "The market is SIMULATED; its feed is thinned on purpose."
    venue = VENUES.get(market.panel.venue)
    if venue is None:
        return f"{market.panel.venue}: nothing is known of its feed."
    told = venue.completeness
    return f"{market.panel.venue} says of its feed: {told.grade}. {told.note}"
