"""A policy as a value: tiers, thresholds, stays, limits, and the rules of the book."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from liqwarn.decisions import Limits, PolicyStamp, Tier
from liqwarn.policy.limits import HOUSE_LIMITS

__all__ = ["BookRules", "Enter", "Policy", "TierRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """When the score alone enters a tier: both conditions, never one of them.

    Attributes
    ----------
    quantile : float
        The 4-h probability stands at or above this quantile of its own trailing past.
    base_multiple : float
        And is at or above this multiple of the side's base rate.
    """

    quantile: float
    base_multiple: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRule:
    """One step of the ladder.

    Attributes
    ----------
    enter : Enter or None
        None for T0, which is always open, and T5, which no score enters.
    exit_quantile : float or None
        Relax only below it; None with `enter`.
    dwell : timedelta
        Least time since the tier was entered, or last had a reason to be.
    quiet : timedelta
        Least time without a cascade in progress before it relaxes.
    threatened, other : Limits
        What binds the flag's own side, and the opposite side of the symbol.
    block_opposite_adds : timedelta
        How long after entering this tier the opposite side may not grow.
    """

    tier: Tier
    enter: Enter | None = None
    exit_quantile: float | None = None
    dwell: timedelta = timedelta(0)
    quiet: timedelta = timedelta(0)
    threatened: Limits = HOUSE_LIMITS
    other: Limits = HOUSE_LIMITS
    block_opposite_adds: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRules:
    """What many symbols together mean.

    Attributes
    ----------
    core_symbols : frozenset of str
        The symbols that stand for the market.
    core_needed : int
        How many of them make a rule fire.
    company_at, company_tier : Tier
        So many core symbols at the first, on one side: that side of every symbol which is there
        itself enters the second.
    whole_book_at, whole_book_tier : Tier
        So many core symbols at the first, on any side: the whole book is at the second or higher.
    """

    core_symbols: frozenset[str]
    core_needed: int
    company_at: Tier
    company_tier: Tier
    whole_book_at: Tier
    whole_book_tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything the breaker needs to know besides scores and the time; read from YAML.

    Made by :func:`liqwarn.policy.ladder.parse_policy`, which checks it whole.

    Attributes
    ----------
    version, sha256 : str
        Semantic version, and the hash of the file it was read from.
    tiers : tuple of TierRule
        T0 to T5, in order.
    valid_bars, grace : float, timedelta
        A score is good from its bar's close for so many bars and the grace.
    expired_tier, expired_later_tier, expired_after : Tier, Tier, timedelta
        Least tier without a usable score; least tier once that lasted `expired_after`.
    degraded_tier, cascade_tier : Tier
        Least tier while data quality is degraded; while a cascade is in progress.
    max_transitions_per_day : int
        Changes of a symbol in a UTC day after which its sides relax no further that day.
    max_loosening : timedelta
        Longest life of a loosening by hand.
    release_to : Tier
        Where a release from T5 leads, to relax step by step from there.
    """

    version: str
    sha256: str
    tiers: tuple[TierRule, ...]
    valid_bars: float
    grace: timedelta
    expired_tier: Tier
    expired_later_tier: Tier
    expired_after: timedelta
    degraded_tier: Tier
    cascade_tier: Tier
    max_transitions_per_day: int
    book: BookRules
    max_loosening: timedelta
    release_to: Tier

    @property
    def stamp(self) -> PolicyStamp:
        """What a flag says of the policy that made it."""
        return PolicyStamp(version=self.version, sha256=self.sha256)

    def valid_for(self, bar: timedelta) -> timedelta:
        """How long after its bar's close a score of `bar` long bars is good."""
        return bar * self.valid_bars + self.grace

    def valid_until(self, as_of: datetime, bar: timedelta) -> datetime:
        """The moment from which a score as of `as_of` counts as expired."""
        return as_of + self.valid_for(bar)
