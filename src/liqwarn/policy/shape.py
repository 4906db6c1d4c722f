"""The shape of a policy file: its keys, types and ranges. What they mean is in the ladder."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from liqwarn.decisions import Limits, Tier

__all__ = ["PolicyShape", "TierShape", "TiersShape"]


def _tier(value: object) -> object:
    if isinstance(value, str) and value in Tier.__members__:
        return Tier[value]
    raise ValueError("expected one of T0, T1, T2, T3, T4, T5")


TierName = Annotated[Tier, BeforeValidator(_tier)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Minutes = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Limits(_Shape):
    leverage_frac: Share = 1.0
    order_size_frac: Share = 1.0
    add_frac: Share = 1.0
    collateral_buffer_mult: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1.0
    max_participation_frac: Share | None = None
    net_increase: bool = True
    post_only: bool = False
    collar_frac: Share | None = None
    cancel_increasing: bool = False

    def value(self) -> Limits:
        return Limits(**self.model_dump())


class _Enter(_Shape):
    quantile: Share
    base_multiple: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class TierShape(_Shape):
    """One tier of the file."""

    enter: _Enter | None = None
    exit_quantile: Share | None = None
    dwell_minutes: Minutes = 0.0
    quiet_minutes: Minutes = 0.0
    block_opposite_adds_minutes: Minutes = 0.0
    threatened: _Limits = _Limits()
    other: _Limits = _Limits()


class TiersShape(_Shape):
    """All tiers of the file, none left out."""

    T0: TierShape
    T1: TierShape
    T2: TierShape
    T3: TierShape
    T4: TierShape
    T5: TierShape

    def of(self, tier: Tier) -> TierShape:
        """The part of one tier."""
        found: TierShape = getattr(self, tier.name)
        return found


class _Validity(_Shape):
    bars: Annotated[float, Field(gt=0, le=4)]
    grace_minutes: Minutes


class _Expired(_Shape):
    tier: TierName
    later_tier: TierName
    after_minutes: Minutes


class _Floor(_Shape):
    tier: TierName


class _Rule(_Shape):
    at: TierName
    tier: TierName


class _Book(_Shape):
    core_symbols: list[str]
    core_needed: Annotated[int, Field(ge=2)]
    company: _Rule
    whole_book: _Rule


class _Manual(_Shape):
    max_loosening_hours: Annotated[float, Field(gt=0, le=4)]
    release_to: TierName


class PolicyShape(_Shape):
    """The whole file."""

    schema_: Annotated[Literal["liqwarn.policy/1"], Field(alias="schema")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    validity: _Validity
    expired: _Expired
    degraded: _Floor
    cascade: _Floor
    max_transitions_per_day: Annotated[int, Field(ge=2)]
    book: _Book
    manual: _Manual
    tiers: TiersShape
