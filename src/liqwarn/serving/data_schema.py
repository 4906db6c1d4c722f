"""What the server answers beside flags, for OpenAPI: history, events, maps, scores, errors."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from liqwarn.serving.schema import Share, Stamp, TierName

__all__ = [
    "MAX_NAMES",
    "MAX_ROWS",
    "EventsAnswer",
    "HistoryAnswer",
    "MapAnswer",
    "Problem",
    "ScoreAnswer",
    "ScoreRecords",
    "ScoreRows",
]

MAX_NAMES: Final = 2_000
"""Features of a request."""
MAX_ROWS: Final = 4_096
"""Rows of a request."""

SideName = Literal["long", "short"]
QualityName = Literal["ok", "degraded", "stale", "unknown"]
Names = Annotated[list[str], Field(min_length=1, max_length=MAX_NAMES)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Answer):
    """What went wrong: what, what was found, what was expected."""

    detail: str


class _HistoryRow(_Answer):
    """What was issued for one side at one bar; a replay may not know its rule."""

    symbol: str
    as_of: str
    side: SideName
    p_1h: Share | None
    p_4h: Share | None
    p_24h: Share | None
    tier: TierName
    state: Literal["ACTIVE", "REDUCING", "HALTED"]
    rule: str | None
    quality: QualityName
    sequence: int
    issued_at: str
    valid_until: str


class HistoryAnswer(_Answer):
    """One page of a symbol's flag history, schema ``liqwarn.flag_history/1``."""

    schema_: Annotated[Literal["liqwarn.flag_history/1"], Field(alias="schema")]
    symbol: str
    known_by: str | None
    rows: list[_HistoryRow]
    next: str | None


class _Event(_Answer):
    symbol: str
    side: SideName
    onset: str
    peak: str
    end: str
    move: float | None
    oi_loss: float | None
    long_liq_usd: float | None
    short_liq_usd: float | None
    severity: float | None
    flags: list[str]


class EventsAnswer(_Answer):
    """The newest events that fit, by onset, schema ``liqwarn.events/1``; `total` fitted."""

    schema_: Annotated[Literal["liqwarn.events/1"], Field(alias="schema")]
    total: int
    events: list[_Event]


class MapAnswer(BaseModel):
    """The liquidation map of one symbol, schema ``liqwarn.map_profile/1``."""

    model_config = ConfigDict(extra="allow")
    schema_: Annotated[Literal["liqwarn.map_profile/1"], Field(alias="schema")]
    symbol: str
    as_of: str
    price: float | None
    open_interest: float | None
    bins: list[dict[str, Any]]
    usable: bool


class ScoreRows(_Answer):
    """Rows of features in the order of `names`; null is unknown."""

    names: Names
    rows: Annotated[list[list[float | None]], Field(min_length=1, max_length=MAX_ROWS)]


class ScoreRecords(_Answer):
    """The same, each value with its name; a name that a record leaves out is unknown there."""

    records: Annotated[
        list[Annotated[dict[str, float | None], Field(max_length=MAX_NAMES)]],
        Field(min_length=1, max_length=MAX_ROWS),
    ]


class _SideScore(_Answer):
    p_1h: Share | None
    p_4h: Share | None
    p_24h: Share | None


class _RowScore(_Answer):
    long: _SideScore
    short: _SideScore
    quality: QualityName
    novelty: float | None


class ScoreAnswer(_Answer):
    """Scores of the rows in their order, all by one model, schema ``liqwarn.scores/1``."""

    schema_: Annotated[Literal["liqwarn.scores/1"], Field(alias="schema")]
    model: Stamp
    rows: list[_RowScore]
