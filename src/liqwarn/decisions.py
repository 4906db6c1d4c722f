"""What crosses from the model to execution: scores, restrictions, flags. Immutable.

An execution system reads a :class:`Flag` and nothing else. The vocabulary of
:class:`TradingState` is the one execution systems already know.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, Literal, cast, get_args

from liqwarn.errors import PolicyError

__all__ = [
    "FLAGS_SCHEMA",
    "FLAG_SCHEMA",
    "HORIZONS_H",
    "MAX_LIFE",
    "Flag",
    "Limits",
    "ModelStamp",
    "PolicyStamp",
    "Quality",
    "Restriction",
    "RiskScore",
    "Tier",
    "TradingState",
    "flag_from_dict",
    "flag_to_dict",
    "iso_utc",
    "moment_from_iso",
    "side_to_dict",
]

FLAG_SCHEMA: Final = "liqwarn.flag/1"
FLAGS_SCHEMA: Final = "liqwarn.flags/1"
HORIZONS_H: Final = (1, 4, 24)
"""Hours ahead every score speaks of; 4 h is the primary one."""
MAX_LIFE: Final = timedelta(hours=24)
"""Longest a flag may be valid, counted from its bar's close; a reader refuses a longer one."""

Quality = Literal["ok", "degraded", "stale", "unknown"]


class Tier(IntEnum):
    """Step of the circuit breaker; a higher one is stricter."""

    T0 = 0
    T1 = 1
    T2 = 2
    T3 = 3
    T4 = 4
    T5 = 5


class TradingState(StrEnum):
    """What execution may do on one side of one symbol."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskScore:
    """Calibrated risk of one side of one symbol as of one bar's close.

    Attributes
    ----------
    probability : mapping of hours ahead to float
        Coherent: never falls as the horizon grows. Empty when price or open interest is missing.
    quantile : float or None
        Share of the trailing, past-only 180 days of 4-h probabilities below this one, ties by half.
    base_rate : float
        Climatological 4-h rate of the side, from the training data.
    drivers : tuple of (feature, contribution)
        Largest contributions to the raw 4-h score, in log-odds, strongest first.
    in_progress : bool
        Whether the rule-based detector sees a cascade of this side running now.
    """

    symbol: str
    side: Literal["long", "short"]
    as_of: datetime
    probability: Mapping[int, float]
    quantile: float | None
    base_rate: float
    drivers: tuple[tuple[str, float], ...]
    in_progress: bool
    quality: Quality

    def __post_init__(self) -> None:
        _need_aware(self.as_of, "as_of")
        ordered = [self.probability[h] for h in sorted(self.probability)]
        if not all(0.0 <= p <= 1.0 for p in ordered):
            raise PolicyError(f"probabilities {ordered} are not all within 0 and 1")
        if any(b < a for a, b in pairwise(ordered)):
            raise PolicyError(f"probabilities {ordered} fall with the horizon, expected rising")
        object.__setattr__(self, "probability", MappingProxyType(dict(self.probability)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a restriction allows; every number is a factor or share of the house limit.

    Reducing a position is never limited by any of these: they speak of orders that would increase
    exposure. The one exception speaks of price, not of size: `collar_frac`.

    Attributes
    ----------
    leverage_frac, order_size_frac, add_frac : float
        Factors on the house limits of leverage, order size and added exposure; 0 means none.
    collateral_buffer_mult : float
        Factor on the collateral the house keeps free against margin calls, 1 or more.
    max_participation_frac : float or None
        Cap on taker participation as a share of volume; None is the house limit.
    net_increase : bool
        Whether net exposure of this side may grow at all.
    post_only : bool
        Whether entries must rest in the book.
    collar_frac : float or None
        Orders are priced within this fraction of the mark; None is no collar.
    cancel_increasing : bool
        Whether resting orders that would increase exposure are to be cancelled.

    Raises
    ------
    PolicyError
        When a number is outside its range.

    Examples
    --------
    >>> Limits(leverage_frac=0.5).add_frac
    1.0
    """

    leverage_frac: float = 1.0
    order_size_frac: float = 1.0
    add_frac: float = 1.0
    collateral_buffer_mult: float = 1.0
    max_participation_frac: float | None = None
    net_increase: bool = True
    post_only: bool = False
    collar_frac: float | None = None
    cancel_increasing: bool = False

    def __post_init__(self) -> None:
        for name in ("leverage_frac", "order_size_frac", "add_frac"):
            _need_share(getattr(self, name), name)
        for name in ("max_participation_frac", "collar_frac"):
            value = getattr(self, name)
            if value is not None:
                _need_share(value, name)
        if not 1.0 <= self.collateral_buffer_mult < math.inf:
            raise PolicyError(
                f"collateral_buffer_mult is {self.collateral_buffer_mult}, expected 1 or more"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What execution must obey now, for one side of one symbol."""

    tier: Tier
    state: TradingState
    limits: Limits
    probability: Mapping[int, float]
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        for hours, p in self.probability.items():
            _need_share(p, f"probability over {hours} h")
        object.__setattr__(self, "probability", MappingProxyType(dict(self.probability)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStamp:
    """Which model scored."""

    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStamp:
    """Which policy decided."""

    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """The risk flag of one symbol: the only thing execution sees.

    Attributes
    ----------
    as_of : datetime
        Close of the bar it is computed from, UTC.
    issued_at, valid_until : datetime
        Obey within; after `valid_until` treat as expired, never as it was.
    sequence : int
        Grows with every flag of the symbol; a lower one than seen before is to be refused.
    sides : mapping of side to Restriction
    data_sha256 : str
        Hash of the manifest of the data scored.
    completeness : float
        Share of the model's core inputs that were known, 0 to 1.
    """

    symbol: str
    as_of: datetime
    issued_at: datetime
    valid_until: datetime
    sequence: int
    quality: Quality
    sides: Mapping[str, Restriction]
    model: ModelStamp
    policy: PolicyStamp
    data_sha256: str
    completeness: float

    def __post_init__(self) -> None:
        for name in ("as_of", "issued_at", "valid_until"):
            _need_aware(getattr(self, name), name)
        _need_share(self.completeness, "completeness")
        if set(self.sides) != {"long", "short"}:
            raise PolicyError(f"sides are {sorted(self.sides)}, expected long and short")
        object.__setattr__(self, "sides", MappingProxyType(dict(self.sides)))


def _need_aware(moment: datetime, name: str) -> None:
    if moment.tzinfo is None:
        raise PolicyError(f"{name} is {moment.isoformat()} without a timezone, expected UTC")


def _need_share(value: float, name: str) -> None:
    if not 0.0 <= value <= 1.0:
        raise PolicyError(f"{name} is {value}, expected 0 to 1")


def iso_utc(moment: datetime) -> str:
    """An aware time as ISO 8601 in UTC: milliseconds, or microseconds where there are any.

    >>> iso_utc(datetime(2024, 8, 5, 6, tzinfo=UTC))
    '2024-08-05T06:00:00.000Z'
    """
    _need_aware(moment, "time")
    unit = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.astimezone(UTC).isoformat(timespec=unit).replace("+00:00", "Z")


def _limits_to_dict(limits: Limits) -> dict[str, Any]:
    return {field.name: getattr(limits, field.name) for field in fields(Limits)}


def side_to_dict(side: Restriction) -> dict[str, Any]:
    """One side of a flag in its published JSON shape."""
    return {
        **{f"p_{h}h": side.probability.get(h) for h in HORIZONS_H},
        "tier": side.tier.name,
        "state": side.state.value,
        "limits": _limits_to_dict(side.limits),
        "reasons": list(side.reasons),
    }


def flag_to_dict(flag: Flag) -> dict[str, Any]:
    """The flag in its published JSON shape; times are ISO 8601 in UTC.

    Policy thresholds are private to a deployment and are not in it.
    """
    return {
        "schema": FLAG_SCHEMA,
        "symbol": flag.symbol,
        "as_of": iso_utc(flag.as_of),
        "issued_at": iso_utc(flag.issued_at),
        "valid_until": iso_utc(flag.valid_until),
        "sequence": flag.sequence,
        "quality": flag.quality,
        "sides": {name: side_to_dict(flag.sides[name]) for name in ("long", "short")},
        "model": {"version": flag.model.version, "sha256": flag.model.sha256},
        "policy": {"version": flag.policy.version, "sha256": flag.policy.sha256},
        "data": {"sha256": flag.data_sha256, "completeness": flag.completeness},
    }


def _limits_from_dict(raw: Mapping[str, Any]) -> Limits:
    """Every limit, named: one that is left out must not read as none."""
    names = {field.name for field in fields(Limits)}
    if set(raw) != names:
        raise PolicyError(f"limits are {sorted(raw)}, expected {sorted(names)}")
    for field in fields(Limits):
        if isinstance(raw[field.name], bool) != isinstance(field.default, bool):
            raise PolicyError(f"{field.name} is {raw[field.name]!r}, expected as {field.default!r}")
    return Limits(**raw)


def _side_from_dict(raw: Mapping[str, Any]) -> Restriction:
    side = Restriction(
        tier=Tier[raw["tier"]],
        state=TradingState(raw["state"]),
        limits=_limits_from_dict(raw["limits"]),
        probability={h: raw[f"p_{h}h"] for h in HORIZONS_H if raw[f"p_{h}h"] is not None},
        reasons=tuple(_text(reason, "reason") for reason in raw["reasons"]),
    )
    if (side.state is TradingState.ACTIVE) != side.limits.net_increase:
        raise PolicyError(
            f"flag is {side.state.value}, expected ACTIVE if and only if it has net_increase"
        )
    if side.state is TradingState.HALTED and side.tier is not Tier.T5:
        raise PolicyError(f"flag is HALTED at {side.tier.name}, expected at T5 alone")
    return side


def moment_from_iso(text: object, name: str) -> datetime:
    """An ISO 8601 time with an offset, in UTC; PolicyError when it is none, or UTC cannot hold it.

    >>> moment_from_iso("2024-08-05T08:00:00+02:00", "as_of").isoformat()
    '2024-08-05T06:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(_text(text, name))
        _need_aware(moment, name)
        return moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise PolicyError(f"{name} is {text!r}, expected a time in UTC: {error}") from error


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise PolicyError(f"{name} is {value!r}, expected text")
    return value


def _quality(value: object) -> Quality:
    for known in get_args(Quality):
        if value == known:
            return cast("Quality", known)
    raise ValueError(f"quality is {value!r}, expected one of {get_args(Quality)}")


def _sequence(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"sequence is {value!r}, expected a whole number of 0 or more")
    return value


def _coherent(flag: Flag) -> Flag:
    """The flag, unless its times contradict each other, or its sequence bars all good ones."""
    life = flag.valid_until - flag.as_of
    if not timedelta(0) <= life <= MAX_LIFE:
        raise PolicyError(
            f"flag as of {iso_utc(flag.as_of)} is valid until {iso_utc(flag.valid_until)}, "
            f"expected an end within {MAX_LIFE} of it"
        )
    newest = max(flag.as_of, flag.issued_at).timestamp() + MAX_LIFE.total_seconds()
    if flag.sequence > newest:
        raise PolicyError(
            f"flag has sequence {flag.sequence}, expected at most {int(newest)}, by its own times"
        )
    return flag


def flag_from_dict(raw: Mapping[str, Any]) -> Flag:
    """Read a flag back from its published shape.

    Raises
    ------
    PolicyError
        When the schema is unknown, a key is missing or unreadable, or they contradict each other.
        A caller must treat that as an expired flag: no new risk.
    """
    if not isinstance(raw, Mapping) or raw.get("schema") != FLAG_SCHEMA:
        found = raw.get("schema") if isinstance(raw, Mapping) else type(raw).__name__
        raise PolicyError(f"flag schema is {found!r}, expected {FLAG_SCHEMA!r}")
    try:
        flag = Flag(
            symbol=_text(raw["symbol"], "symbol"),
            as_of=moment_from_iso(raw["as_of"], "as_of"),
            issued_at=moment_from_iso(raw["issued_at"], "issued_at"),
            valid_until=moment_from_iso(raw["valid_until"], "valid_until"),
            sequence=_sequence(raw["sequence"]),
            quality=_quality(raw["quality"]),
            sides={name: _side_from_dict(side) for name, side in raw["sides"].items()},
            model=ModelStamp(**raw["model"]),
            policy=PolicyStamp(**raw["policy"]),
            data_sha256=raw["data"]["sha256"],
            completeness=raw["data"]["completeness"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"unreadable flag: {type(error).__name__} {error}") from error
    return _coherent(flag)
