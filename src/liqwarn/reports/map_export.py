"""The liquidation map as tables and JSON: the same numbers the pictures are drawn from.

Volumes are estimates, in coins and in USD; USD values a coin at the price that liquidates it (the
centre of its bin), not at today's price. Prices are quote per coin.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn.frames import SIDES, FloatArray, Side
from liqwarn.liquidation.heat_map import HeatMap
from liqwarn.liquidation.profile import Profile
from liqwarn.reports.formats import finite

__all__ = [
    "Cluster",
    "bin_centres",
    "heat_map_table",
    "heaviest_clusters",
    "profile_dict",
    "profile_table",
]

_SCHEMA: Final = "liqwarn.map_profile/1"
_WIDTH: Final = 0.01
"""A cluster is so wide at most, as a fraction of its lowest price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One percent of price where estimated liquidation volume concentrates.

    Attributes
    ----------
    side : {"long", "short"}
        Who is liquidated there.
    low, high : float
        Centres of its first and last bin that are not empty.
    price : float
        Mean price, weighted by coins.
    distance_frac : float
        ``price / profile.price - 1``; negative below the price.
    coins, usd : float
        Volume of the whole cluster.
    """

    side: Side
    low: float
    high: float
    price: float
    distance_frac: float
    coins: float
    usd: float


def bin_centres(edges: FloatArray) -> FloatArray:
    """Geometric centres of the bins between edges.

    >>> bin_centres(np.array([1.0, 4.0, 16.0])).tolist()
    [2.0, 8.0]
    """
    centres: FloatArray = np.sqrt(edges[:-1] * edges[1:])
    return centres


def heat_map_table(heat_map: HeatMap) -> pd.DataFrame:
    """The heat map as a long table, one row for each moment and price bin.

    Bins where both sides are 0 have no row; unknown ones (NaN) do, so that nobody takes unknown
    for empty.

    Parameters
    ----------
    heat_map : HeatMap

    Returns
    -------
    DataFrame
        ``time`` (bar close, UTC), ``price_low``, ``price_high`` (edges, quote per coin),
        ``long_coins``, ``short_coins``, ``long_usd``, ``short_usd`` (estimated volume liquidated
        when the price falls or rises into the bin), ordered by time, then price.

    Examples
    --------
    >>> heat_map = HeatMap(
    ...     symbol="X", times=np.array(["2024-01-01"], "datetime64[s]"),
    ...     edges=np.array([1.0, 4.0, 16.0]), long=np.array([[5.0, 0.0]]),
    ...     short=np.array([[0.0, 0.0]]), high=np.ones(1), low=np.ones(1), close=np.ones(1))
    >>> heat_map_table(heat_map)[["price_low", "price_high", "long_coins", "long_usd"]]
       price_low  price_high  long_coins  long_usd
    0        1.0         4.0         5.0      10.0
    """
    moment, bin_ = np.nonzero((heat_map.long != 0.0) | (heat_map.short != 0.0))  # NaN != 0
    long, short = heat_map.long[moment, bin_], heat_map.short[moment, bin_]
    centre = bin_centres(heat_map.edges)[bin_]
    return pd.DataFrame(
        {
            "time": pd.DatetimeIndex(heat_map.times[moment]).tz_localize("UTC").as_unit("us"),
            "price_low": heat_map.edges[:-1][bin_],
            "price_high": heat_map.edges[1:][bin_],
            "long_coins": long,
            "short_coins": short,
            "long_usd": long * centre,
            "short_usd": short * centre,
        }
    )


def profile_table(profile: Profile) -> pd.DataFrame:
    """The profile as a table, one row for each price bin that is not empty.

    Empty are bins where the estimate and the upper end of the band are 0 on both sides.

    Parameters
    ----------
    profile : Profile

    Returns
    -------
    DataFrame
        ``price`` (centre of the bin), ``distance_pct`` (% from the current price, negative below),
        then for each side ``*_coins``, ``*_usd`` (estimated volume), ``*_low``, ``*_high`` (5th
        and 95th percentile over the map's draws, coins), ordered by price.
    """
    columns: dict[str, FloatArray] = {
        "price": profile.prices,
        "distance_pct": 100.0 * (profile.prices / profile.price - 1.0),
    }
    for side in SIDES:
        coins, band = _coins(profile, side), _band(profile, side)
        columns[f"{side}_coins"] = coins
        columns[f"{side}_usd"] = coins * profile.prices
        columns[f"{side}_low"], columns[f"{side}_high"] = band[0], band[1]
    table = pd.DataFrame(columns)
    volumes = ["long_coins", "long_high", "short_coins", "short_high"]
    return table[(table[volumes] != 0.0).any(axis=1)].reset_index(drop=True)


def profile_dict(profile: Profile, *, clusters: int = 5) -> dict[str, Any]:
    """The profile as JSON-able data, schema ``liqwarn.map_profile/1``.

    Parameters
    ----------
    profile : Profile
    clusters : int
        At most so many clusters of each side, the heaviest first.

    Returns
    -------
    dict
        ``schema``, ``symbol``, ``as_of`` (ISO 8601, UTC), ``price``, ``open_interest`` (coins),
        ``units``, ``bins`` (rows of :func:`profile_table`), ``totals`` (each side's volume inside
        the bins, and its share of the open interest), ``usable`` (false for a map too young
        or too long without open interest), ``ledger`` (counts of what the map has
        seen and missed, see :class:`~liqwarn.liquidation.ledger.Ledger`), ``clusters`` (of each
        side). What is unknown is None.
    """
    table = profile_table(profile)
    return {
        "schema": _SCHEMA,
        "symbol": profile.symbol,
        "as_of": str(np.datetime_as_string(profile.as_of.astype("M8[s]"), timezone="UTC")),
        "price": finite(float(profile.price)),
        "open_interest": finite(float(profile.open_interest)),
        "units": {"price": "quote per coin", "open_interest": "coins", "low, high": "coins"},
        "bins": [_known(row) for row in table.to_dict("records")],
        "totals": _totals(profile),
        "usable": profile.usable,
        "ledger": None if profile.ledger is None else asdict(profile.ledger),
        "clusters": {
            side: [_cluster_row(c) for c in heaviest_clusters(profile, side, clusters)]
            for side in SIDES
        },
    }


def heaviest_clusters(profile: Profile, side: Side, count: int) -> list[Cluster]:
    """The clusters of one side, the one with the most USD first.

    The first is the one percent of price that holds most; the next the one that holds most of
    what is left, without a bin of those before. A width in percent makes clusters of other symbols
    and other bins comparable; where bins are wider, a cluster is one bin.

    Parameters
    ----------
    profile : Profile
    side : {"long", "short"}
    count : int
        At most so many.

    Examples
    --------
    >>> none = np.zeros(5)
    >>> profile = Profile(
    ...     symbol="X", as_of=np.datetime64("2024-01-01", "s"), price=100.0, open_interest=20.0,
    ...     prices=np.array([90.0, 94.0, 94.5, 96.0, 100.0]),
    ...     long=np.array([4.0, 3.0, 4.0, 1.0, 0.0]), short=none,
    ...     long_band=np.zeros((2, 5)), short_band=np.zeros((2, 5)))
    >>> [(c.low, c.high, c.coins) for c in heaviest_clusters(profile, "long", 2)]
    [(94.0, 94.5, 7.0), (90.0, 90.0, 4.0)]
    """
    usd = np.nan_to_num(_coins(profile, side) * profile.prices)
    ends = np.searchsorted(profile.prices, profile.prices * (1.0 + _WIDTH), side="right")
    sums = np.concatenate([[0.0], np.cumsum(usd)])
    held = sums[ends] - sums[:-1]
    clusters: list[Cluster] = []
    while len(clusters) < count and held.max(initial=0.0) > 0.0:
        best = int(held.argmax())
        stop = int(ends[best])
        full = best + np.flatnonzero(usd[best:stop])
        clusters.append(_cluster(profile, side, int(full[0]), int(full[-1])))
        held[(ends > best) & (np.arange(len(held)) < stop)] = 0.0
    return clusters


def _cluster(profile: Profile, side: Side, first: int, last: int) -> Cluster:
    prices = profile.prices[first : last + 1]
    coins = np.nan_to_num(_coins(profile, side)[first : last + 1])
    total, usd = float(coins.sum()), float(coins @ prices)
    return Cluster(
        side=side,
        low=float(prices[0]),
        high=float(prices[-1]),
        price=usd / total,
        distance_frac=usd / total / float(profile.price) - 1.0,
        coins=total,
        usd=usd,
    )


def _cluster_row(cluster: Cluster) -> dict[str, Any]:
    return {
        "price": cluster.price,
        "price_low": cluster.low,
        "price_high": cluster.high,
        "distance_pct": finite(100.0 * cluster.distance_frac),
        "coins": cluster.coins,
        "usd": cluster.usd,
    }


def _totals(profile: Profile) -> dict[str, float | None]:
    totals: dict[str, float | None] = {}
    for side in SIDES:
        coins = _coins(profile, side)
        inside = float(coins.sum())
        share = inside / profile.open_interest if profile.open_interest > 0.0 else float("nan")
        totals[f"{side}_coins"] = finite(inside)
        totals[f"{side}_usd"] = finite(float(coins @ profile.prices))
        totals[f"{side}_share_of_open_interest"] = finite(share)
    return totals


def _known(row: dict[Any, Any]) -> dict[str, float | None]:
    return {str(name): finite(value) for name, value in row.items()}


def _coins(profile: Profile, side: Side) -> FloatArray:
    return profile.long if side == "long" else profile.short


def _band(profile: Profile, side: Side) -> FloatArray:
    return profile.long_band if side == "long" else profile.short_band
