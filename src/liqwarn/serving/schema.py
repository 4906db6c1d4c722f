"""What the server answers, for OpenAPI: the published shape of a flag and its companions."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "FlagAnswer",
    "FlagsAnswer",
    "Health",
    "Share",
    "Stamp",
    "TierName",
    "Unavailable",
    "UnknownSymbol",
]

Share = Annotated[float, Field(ge=0, le=1)]
TierName = Literal["T0", "T1", "T2", "T3", "T4", "T5"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Limits(_Answer):
    """Factors and shares of the house limits; none of them ever limits a reducing order."""

    leverage_frac: Share
    order_size_frac: Share
    add_frac: Share
    collateral_buffer_mult: Annotated[float, Field(ge=1)]
    max_participation_frac: Share | None
    net_increase: bool
    post_only: bool
    collar_frac: Share | None
    cancel_increasing: bool


class _Side(_Answer):
    """What binds one side of the symbol."""

    p_1h: Share | None
    p_4h: Share | None
    p_24h: Share | None
    tier: TierName
    state: Literal["ACTIVE", "REDUCING", "HALTED"]
    limits: _Limits
    reasons: list[str]


class _Sides(_Answer):
    long: _Side
    short: _Side


class Stamp(_Answer):
    """Which version of a model or a policy."""

    version: str
    sha256: str


class _Data(_Answer):
    sha256: str
    completeness: Share


class _Signature(_Answer):
    """Of the document without it, keys sorted; there when the server has a key."""

    key: str
    ed25519: str


class FlagAnswer(_Answer):
    """The risk flag of one symbol, schema ``liqwarn.flag/1``."""

    schema_: Annotated[Literal["liqwarn.flag/1"], Field(alias="schema")]
    symbol: str
    as_of: str
    issued_at: str
    valid_until: str
    sequence: int
    quality: Literal["ok", "degraded", "stale", "unknown"]
    sides: _Sides
    model: Stamp
    policy: Stamp
    data: _Data
    signature: _Signature | None = None


class FlagsAnswer(_Answer):
    """All flags, schema ``liqwarn.flags/1``."""

    schema_: Annotated[Literal["liqwarn.flags/1"], Field(alias="schema")]
    generated_at: str
    market: Literal["real", "simulated"]
    flags: list[FlagAnswer]


class UnknownSymbol(_Answer):
    """There is no flag for this symbol: what an execution system must assume instead."""

    detail: str
    symbol: str
    quality: Literal["unknown"]
    sides: _Sides


class Unavailable(_Answer):
    """There is no flag at all: assume the same of every symbol."""

    detail: str
    quality: Literal["unknown"]
    sides: _Sides


class Health(_Answer):
    """Whether the server lives, and what it has to serve."""

    status: Literal["ok", "ready", "not ready"]
    version: str
    generated_at: str | None
    fresh: int
    stale: int
    fault: str | None
