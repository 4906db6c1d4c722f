"""A signal board as data: what ``signals.json`` holds, written and read in one place.

A board explains one flag: every signal of one side of one symbol as of the last bar scored, in
groups, each with what it adds to the log-odds of the 4-h probability.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from reprlib import repr as short
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from liqwarn.errors import ConfigError
from liqwarn.frames import Side

__all__ = [
    "NEUTRAL",
    "SIGNALS_SCHEMA",
    "Board",
    "Direction",
    "Group",
    "Reading",
    "boards_from_document",
    "direction_of",
    "document_of",
]

SIGNALS_SCHEMA: Final = "liqwarn.signals/1"

NEUTRAL: Final = 0.02
"""A contribution smaller than this, in log-odds, is called neutral: it moves the odds by < 2 %."""

Direction = Literal["raising", "lowering", "neutral"]
Level = Literal["high", "middle", "low"]
Absence = Literal["never", "now"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


def direction_of(contribution: float | None) -> Direction | None:
    """What a contribution does to the risk now; None when there is none.

    >>> direction_of(0.3), direction_of(-0.3), direction_of(0.01), direction_of(None)
    ('raising', 'lowering', 'neutral', None)
    """
    if contribution is None:
        return None
    if abs(contribution) < NEUTRAL:
        return "neutral"
    return "raising" if contribution > 0 else "lowering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One signal as of one bar; None stands for what is not known.

    Attributes
    ----------
    key, title, feature, unit : str
        Name, what it is, the feature it shows, the unit of `value`.
    value : float or None
        None when its input is missing.
    text : str
        The value as a person reads it; empty when missing.
    percentile : float or None
        Share of the symbol's trailing 180 days below the value, ties by half, 0 to 1.
    level : {"high", "middle", "low"} or None
        In which third of those days the value stands, by the percentile.
    contribution : float or None
        What it adds to the log-odds of the 4-h probability. None when the value is missing (the
        push of its absence is in the group's rest), when the model does not read it, or when
        there is no probability.
    direction : {"raising", "lowering", "neutral"} or None
        What it does to the risk of this side now: the sign of the contribution.
    expected : {"raising", "lowering"} or None
        What the mechanism expects of a higher value.
    agrees : bool or None
        Whether the model reads the value as the mechanism would; None when either says nothing.
    missing : {"never", "now"} or None
        Never known in the trailing 180 days, or not now.
    phrase : str
        The value in a sentence; empty when missing.
    """

    key: str
    title: str
    feature: str
    unit: str
    value: float | None
    text: str
    percentile: Share | None
    level: Level | None
    contribution: float | None
    direction: Direction | None
    expected: Direction | None
    agrees: bool | None
    missing: Absence | None
    phrase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The signals of a kind, and what all features of that kind add together.

    Attributes
    ----------
    contribution : float or None
        Sum over every feature of the group, shown or not; None when there is no probability.
    rest : float or None
        The part of it that no signal shows.
    """

    key: str
    title: str
    contribution: float | None
    rest: float | None
    signals: tuple[Reading, ...]

    @property
    def direction(self) -> Direction | None:
        """What the group does to the risk of this side now."""
        return direction_of(self.contribution)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Why one side of one symbol has the probability it has.

    ``log_odds = start + sum of the groups' contributions``.

    Attributes
    ----------
    as_of : str
        Close of the bar, ISO 8601 in UTC.
    tier : str or None
        The breaker's tier, ``T0`` to ``T5``.
    p_4h : float or None
        Probability of an onset within 4 h; None when core inputs are missing.
    base_rate : float or None
        Share of training labels that are 1.
    quantile : float or None
        Share of the trailing 180 days of probabilities below this one, ties by half.
    log_odds : float or None
        Of `p_4h`.
    start : float or None
        Where the log-odds stand before any feature: average level and calibration.
    verdict : str
        All of it in one sentence.
    """

    symbol: str
    side: Side
    as_of: str
    tier: str | None
    p_4h: Share | None
    base_rate: Share | None
    quantile: Share | None
    log_odds: float | None
    start: float | None
    groups: tuple[Group, ...]
    verdict: str = ""

    @property
    def readings(self) -> Iterator[Reading]:
        """Every signal, group by group."""
        for group in self.groups:
            yield from group.signals

    @property
    def live(self) -> int:
        """How many signals have a value."""
        return sum(reading.missing is None for reading in self.readings)

    @property
    def total(self) -> int:
        """How many signals there are."""
        return sum(1 for _ in self.readings)


def document_of(boards: tuple[Board, ...], *, generated_at: str, market: str) -> dict[str, Any]:
    """What ``signals.json`` holds."""
    return {
        "schema": SIGNALS_SCHEMA,
        "generated_at": generated_at,
        "market": market,
        "horizon_h": 4,
        "boards": [_board_to_dict(board) for board in boards],
    }


def _board_to_dict(board: Board) -> dict[str, Any]:
    return asdict(board) | {"signals": board.total, "live": board.live}


def boards_from_document(document: object) -> tuple[Board, ...]:
    """Boards read back from ``signals.json``.

    Raises
    ------
    ConfigError
        When the schema is unknown, or a field is missing, of the wrong type, out of its range, or
        a text with control characters, which must not steer a terminal. Every such field is named.

    Examples
    --------
    >>> boards_from_document({"schema": SIGNALS_SCHEMA, "boards": "none"})
    Traceback (most recent call last):
    liqwarn.errors.ConfigError: unreadable signals:
      boards: found 'none'. Input should be a valid array
    """
    if not isinstance(document, Mapping) or document.get("schema") != SIGNALS_SCHEMA:
        found = document.get("schema") if isinstance(document, Mapping) else None
        raise ConfigError(f"signals have schema {short(found)}, expected {SIGNALS_SCHEMA!r}")
    try:
        boards = _shape().validate_json(orjson.dumps(document.get("boards")), strict=True)
    except ValidationError as error:
        faults = [_fault(told) for told in error.errors()]
    except orjson.JSONEncodeError as error:  # nested too deep
        faults = [str(error)]
    else:
        faults = [
            f"{place}: found {short(text)}, expected no control characters"
            for place, text in _texts([asdict(board) for board in boards], "boards")
            if not text.isprintable()
        ]
        if not faults:
            return boards
    raise ConfigError("\n  ".join(["unreadable signals:", *faults]))


@cache
def _shape() -> TypeAdapter[tuple[Board, ...]]:
    return TypeAdapter(tuple[Board, ...])


def _fault(told: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails is not exported
    place = "boards" + "".join(_step(part) for part in told["loc"])
    if told["type"] == "missing":
        return f"{place}: required and missing"
    return f"{place}: found {short(told['input'])}. {told['msg']}"


def _texts(raw: object, place: str) -> Iterator[tuple[str, str]]:
    """Every text in plain data, and where it stands."""
    if isinstance(raw, str):
        yield place, raw
    elif isinstance(raw, Mapping):
        for name, inner in raw.items():
            yield from _texts(inner, place + _step(name))
    elif isinstance(raw, Sequence):
        for k, inner in enumerate(raw):
            yield from _texts(inner, place + _step(k))


def _step(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part}"
