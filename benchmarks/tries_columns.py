"""What tries make of the columns: which are of a side, which have a sign, which belong together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.rows import Rows, column_of

SWAPPED = (
    ("_long", "_short"),
    ("new_longs", "new_shorts"),
    ("long_exit", "short_exit"),
    ("low_dist", "high_dist"),
    ("round_below", "round_above"),
    ("downside_vol", "upside_vol"),
    ("wick_lower", "wick_upper"),
    ("touch_low", "touch_high"),
    ("breadth_fall", "breadth_rise"),
    ("drawdown_", "runup_"),
)
"""What a name becomes when down becomes up, the long side's first."""

FLIPPED = re.compile(
    r"funding_(8h|mean|z_|carry|run|venue|change|extreme|oi_crowding)|long_short|"
    r"price_return|trend_|return_skew|semivol_skew|basis|taker_imbalance|liq_imbalance|"
    r"depth_imbalance|leader_return|relative_return|cluster_skew|netflow|flow_imbalance"
)
"""Features whose sign turns over when down becomes up."""

SIGNED = re.compile(r"drawdown_|runup_")
"""Pairs of opposite sign: a fall is negative, a rise positive."""

COMPLEMENT = re.compile(r"funding_rank|funding_positive_share")
"""Features in 0 to 1 that become one less themselves."""

UNTOUCHED = re.compile(r"oi_drawdown|long_short_log_|oi_price_gap")
"""Names that look as if they had a side and have none."""


def partner(name: str) -> str | None:
    """The feature of the other side; None for one that belongs to no side."""
    if UNTOUCHED.search(name):
        return None
    for long, short in SWAPPED:
        if "long_short" in name:
            return None
        if long in name:
            return name.replace(long, short)
        if short in name:
            return name.replace(short, long)
    return None


def towards(names: Sequence[str], X: FloatArray, side: int) -> FloatArray:
    """Columns as the side sees them: for ``long`` as they are, for ``short`` turned over.

    A turned row is what the market would look like with up and down exchanged, so that "long" in a
    name means "the side that would be liquidated".
    """
    if side == 0:
        return X
    out = X.copy()
    where = {name: k for k, name in enumerate(names)}
    for k, name in enumerate(names):
        other = partner(name)
        if other is not None:
            sign = -1.0 if SIGNED.match(name) else 1.0
            out[:, k] = sign * X[:, where[other]] if other in where else np.nan
        elif FLIPPED.search(name) and not UNTOUCHED.search(name):
            out[:, k] = -X[:, k]
        elif COMPLEMENT.search(name):
            out[:, k] = 1.0 - X[:, k]
    return out


ANY_SIDE = {
    r"^rv_|^downside_vol|^upside_vol|^parkinson|^atr_pct|^vol_rank|^vol_of_vol": 1,
    r"^oi_rank_90d|^leverage_rank_90d|^leverage_z|^oi_z_": 1,
    r"^illiquidity_24h": 1,
    r"^depth_to_oi|^depth_z": -1,
    r"^cluster_mass_[123]_|^cluster_gain_": 1,
    r"^cluster_dist_(long|short)_": -1,
}
"""Signs of what a feature adds to the risk of a cascade of either side."""

OF_SIDE = {
    r"^funding_(z_60d|mean_3d|rank_90d|carry_7d|oi_crowding_30d)|^long_short_": (1, -1),
    r"^cluster_mass_[1235]_long|^cluster_gain_(peak_)?long": (1, 0),
    r"^cluster_mass_[1235]_short|^cluster_gain_(peak_)?short": (0, 1),
    r"^cluster_dist_long_": (-1, 0),
    r"^cluster_dist_short_": (0, -1),
    r"^cluster_skew_[25]": (-1, 1),
}
"""Signs for the long and for the short side, in the trees that tell the sides apart."""


def signs_either(names: Sequence[str], patterns: Mapping[str, int]) -> list[int]:
    found = [next((s for p, s in patterns.items() if re.search(p, name)), 0) for name in names]
    return [int(sign) for sign in found]


def signs(names: Sequence[str], stage: int | None) -> list[int]:
    """Monotone constraints of the shared trees (None) or of a side's."""
    if stage is None:
        return signs_either(names, ANY_SIDE)
    return signs_either(names, {p: pair[stage] for p, pair in OF_SIDE.items()})


def volatility_signs(names: Sequence[str], stage: int | None) -> list[int]:
    """Only: more volatility is never less risk, in the shared trees."""
    if stage is not None:
        return [0] * len(names)
    return signs_either(names, {r"^rv_|^downside_vol|^upside_vol|^parkinson|^atr_pct|^vol_rank": 1})


def _keep(rows: Rows, pattern: str, *, drop: bool = False) -> Rows:
    match = re.compile(pattern)
    return rows.without([name for name in rows.names if bool(match.search(name)) is drop])


HAR = r"^rv_(1h|6h|1d|7d|30d)$|"
CROWDING = (
    HAR + r"funding_(8h|mean_3d|z_60d|rank_90d|carry_7d|carry_30d|run_30d|oi_crowding_30d|extreme)|"
    r"^oi_(change_24h|change_72h|change_168h|z_7d|z_30d|rank_90d|price_gap)|^leverage_|"
    r"^cluster_(mass|skew|rank|dist|growth)|^basis"
)
MECHANISM = (
    HAR + r"^funding_(z_60d|rank_90d|carry_7d|oi_crowding_30d)$|^oi_(z_7d|rank_90d|change_24h)$|"
    r"^leverage_rank_90d$|^cluster_mass_2_(long|short)$|^cluster_dist_(long|short)_atr$|"
    r"^cluster_gain_peak_(long|short)$|^illiquidity_24h$|^volume_surge_24h$|^vol_rank_90d$|"
    r"^vol_of_vol_7d$|^price_return_(4h|24h)$|^(low|high)_dist_atr_7d$|^basis_z_7d$"
)

crowding_only = partial(_keep, pattern=CROWDING)
mechanism_only = partial(_keep, pattern=MECHANISM)
without_clusters = partial(_keep, pattern=r"^cluster_", drop=True)
without_levels = partial(_keep, pattern=r"_dist_(pct|atr)_|^round_|^touch_", drop=True)
without_flows = partial(_keep, pattern=r"flow|reserve|whale", drop=True)
without_calendar = partial(_keep, pattern=r"^hour_|^weekend|^funding_next|^macro_", drop=True)
volatility_only = partial(_keep, pattern=HAR + r"vol|^parkinson|^atr_pct|illiquidity|jump")


def without_slow(rows: Rows) -> Rows:
    """Without what moves over a month or more, which can name the week; the HAR columns stay."""
    slow = re.compile(r"(_30d|_90d|_168h|_level|_60d)")
    return rows.without([n for n in rows.names if slow.search(n) and not n.startswith("rv_")])


def interactions(rows: Rows) -> Rows:
    """Products that the mechanism suggests, beside the columns there are: fuel × spark × room."""
    x = partial(column_of, rows.names, rows.X)
    full = x("oi_rank_90d")
    made: dict[str, FloatArray] = {}
    for side, sign in (("long", 1.0), ("short", -1.0)):
        rank = x("funding_rank_90d")
        crowded = rank if sign > 0 else 1.0 - rank
        near = 1.0 / (1.0 + x(f"cluster_dist_{side}_atr"))
        mass = x(f"cluster_mass_1_{side}") + x(f"cluster_mass_2_{side}")
        made |= {
            f"fuel_{side}": crowded * full,
            f"fuel_near_{side}": crowded * full * near,
            f"fuel_mass_{side}": crowded * full * mass,
            f"fuel_vol_{side}": crowded * full * x("vol_rank_90d"),
            f"mass_vol_{side}": mass * x("rv_1d"),
            f"pressed_{side}": near * np.maximum(-sign * x("price_return_4h"), 0.0),
        }
    made["full_thin"] = full * x("illiquidity_24h")
    return replace(
        rows,
        names=(*rows.names, *made),
        families={**rows.families, **dict.fromkeys(made, "interaction")},
        X=np.column_stack([rows.X, *made.values()]),
    )
