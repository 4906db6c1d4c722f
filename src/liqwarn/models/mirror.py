"""Up and down exchanged: what a row would say of the market turned upside down.

A cascade of shorts is a cascade of longs seen in a mirror. A row turned over lets one set of trees
learn both: its columns then speak of the side that would be liquidated and of the other one, not of
``long`` and ``short``.

What a feature becomes is read off its name. Of a pair, each takes the other's place; what points up
or down changes its sign; a share of the time, or a rank, that longs have becomes one less itself;
all else stays. Three things have no exact mirror image and keep to this rule all the same: round
numbers are where they are, coins that arrive at exchanges have no column of coins that leave, and
``oi_price_gap`` stays although price is a part of it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray

__all__ = ["Mirror", "mirror_of", "partner"]

PAIRS: Final = (
    ("long", "short"),
    ("longs", "shorts"),
    ("low", "high"),
    ("below", "above"),
    ("lower", "upper"),
    ("downside", "upside"),
    ("fall", "rise"),
    ("drawdown", "runup"),
)
"""Words of a name that take each other's place."""

NEGATIVE: Final = ("drawdown_", "runup_")
"""Pairs of opposite sign: a fall is negative, a rise positive."""

SIGNED: Final = (
    "basis",
    "cluster_skew",
    "depth_imbalance",
    "flow_imbalance",
    "funding_8h",
    "funding_carry",
    "funding_change",
    "funding_extreme",
    "funding_mean",
    "funding_oi_crowding",
    "funding_run",
    "funding_venue_spread",
    "funding_z",
    "leader_return",
    "liq_imbalance",
    "long_short",
    "netflow",
    "price_return",
    "relative_return",
    "return_skew",
    "semivol_skew",
    "taker_imbalance",
    "trend",
)
"""What names begin with whose sign changes."""

SHARES: Final = ("funding_positive_share", "funding_rank")
"""What names begin with that become one less themselves."""

NO_SIDE: Final = ("oi_drawdown",)
"""What names begin with that hold a word of a pair and have no side."""

_SWAPPED: Final = {word: other for pair in PAIRS for word, other in (pair, pair[::-1])}


def partner(name: str) -> str:
    """The feature that takes a feature's place; itself where none does.

    Examples
    --------
    >>> partner("liq_long_share_4h"), partner("long_short_log"), partner("oi_drawdown_7d")
    ('liq_short_share_4h', 'long_short_log', 'oi_drawdown_7d')
    """
    if name.startswith((*SIGNED, *NO_SIDE)):
        return name
    return "_".join(_SWAPPED.get(word, word) for word in name.split("_"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mirror:
    """The exchange of up and down for the columns of a table.

    Attributes
    ----------
    source : ndarray of int, shape (n_features,)
        Position of each column's partner; its own where the table has none.
    sign, offset : ndarray of float64, shape (n_features,)
        A turned column is ``offset + sign * X[:, source]``. The sign of a column whose partner is
        not in the table is NaN, and so is the turned column.
    """

    source: NDArray[np.intp]
    sign: FloatArray
    offset: FloatArray

    def turned(self, X: FloatArray) -> FloatArray:
        """Rows of the market turned upside down, shape (n_rows, n_features)."""
        out: FloatArray = self.offset + self.sign * X[:, self.source]
        return out

    def given_back(self, parts: FloatArray) -> FloatArray:
        """Numbers about each turned column, as numbers about the columns they came from.

        Parameters
        ----------
        parts : ndarray of float64, shape (n_rows, n_features)
        """
        return np.ascontiguousarray(parts[:, self.source])  # a partner's partner is oneself


@lru_cache(maxsize=32)
def mirror_of(names: tuple[str, ...]) -> Mirror:
    """The mirror of a table's columns.

    Examples
    --------
    >>> mirror = mirror_of(("runup_24h", "drawdown_24h", "funding_rank_90d", "rv_1d"))
    >>> mirror.turned(np.array([[0.03, -0.01, 0.9, 0.004]])).round(3)
    array([[ 0.01 , -0.03 ,  0.1  ,  0.004]])
    """
    where = {name: k for k, name in enumerate(names)}
    source = np.array([where.get(partner(name), where[name]) for name in names], dtype=np.intp)
    turns = (*SIGNED, *NEGATIVE, *SHARES)
    sign = np.array([-1.0 if name.startswith(turns) else 1.0 for name in names])
    alone = np.array([partner(name) not in where for name in names], dtype=bool)
    return Mirror(
        source=source,
        sign=np.where(alone, np.nan, sign),
        offset=np.array([float(name.startswith(SHARES)) for name in names]),
    )
