"""The ladder in words, and flags laid out side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.decisions import HORIZONS_H, Tier
from liqwarn.frames import SIDES
from liqwarn.policy.restriction import TIER_NAMES
from liqwarn.reports.formats import finite

__all__ = ["TIER_MEANINGS", "FlagSide", "flag_sides", "tier_number", "tier_title"]

TIER_MEANINGS: Final = (
    "House limits apply.",
    "Risk is raised: smaller leverage and orders on the threatened side.",
    "Risk is high, or the data are degraded: leverage and additions are cut.",
    "Risk is very high: no net increase on the threatened side.",
    "A cascade runs or is close: reduce or cancel only.",
    "Integrity failure or a human decision: every risk-increasing order is cancelled.",
)
"""What each tier asks for, in one sentence."""


def tier_number(raw: object) -> int:
    """The tier as 0 to 5; anything unreadable counts as T2, as an expired flag would.

    >>> tier_number("T4"), tier_number(Tier.T1), tier_number("?"), tier_number(None)
    (4, 1, 2, 2)
    """
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < len(Tier):
        return int(raw)
    return Tier[raw].value if isinstance(raw, str) and raw in Tier.__members__ else Tier.T2.value


def tier_title(tier: int) -> str:
    """Step and word together, so that colour is never the only sign.

    >>> tier_title(3)
    'T3 restrict'
    """
    return f"T{tier} {TIER_NAMES[Tier(tier)]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSide:
    """One side of one flag."""

    symbol: str
    side: str
    tier: int
    state: str
    probability: Mapping[int, float | None]
    reasons: tuple[str, ...]
    quality: str
    as_of: str
    valid_until: str
    completeness: float | None


def flag_sides(flags: Iterable[Mapping[str, Any]]) -> list[FlagSide]:
    """Every side of every flag: strictest tier first, then highest 4-h probability."""
    rows = [
        FlagSide(
            symbol=str(flag["symbol"]),
            side=side,
            tier=tier_number(flag["sides"][side].get("tier")),
            state=str(flag["sides"][side].get("state")),
            probability={h: finite(flag["sides"][side].get(f"p_{h}h")) for h in HORIZONS_H},
            reasons=tuple(str(reason) for reason in flag["sides"][side].get("reasons", ())),
            quality=str(flag["quality"]),
            as_of=str(flag["as_of"]),
            valid_until=str(flag["valid_until"]),
            completeness=finite(flag["data"].get("completeness")),
        )
        for flag in flags
        for side in SIDES
        if side in flag["sides"]
    ]
    return sorted(rows, key=lambda r: (-r.tier, -(r.probability[4] or 0.0), r.symbol, r.side))
