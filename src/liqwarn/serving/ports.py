"""What the application reads, named by what it asks and not by where it comes from.

A file, the live loop's memory and a test's fake all fit. Whatever is not configured is None in
:class:`Sources`, and its route answers 503.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from liqwarn.decisions import ModelStamp, Quality
from liqwarn.frames import FloatArray, Side
from liqwarn.policy.orders import Order
from liqwarn.serving.flag_file import FlagSet, Reading

__all__ = [
    "Announcer",
    "EventSource",
    "FlagSource",
    "HistoryAsk",
    "HistoryKey",
    "HistoryPage",
    "HistorySource",
    "MapSource",
    "OrderPort",
    "Publisher",
    "ScoreReply",
    "Scorer",
    "Sources",
]

HistoryKey = tuple[int, str, int, int]
"""Place of a row in the order of a history: as_of in µs, side, sequence, issued_at in µs."""


class FlagSource(Protocol):
    """Where the newest flags come from."""

    def read(self) -> Reading:
        """What is known now. Cheap, never raises; the same object while nothing has changed."""


@runtime_checkable
class Announcer(Protocol):
    """A source that says when there is something new, so that nobody needs to ask."""

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` after every publication, from whatever thread publishes."""


class Publisher(Protocol):
    """Something the live loop publishes to."""

    def publish(self, flags: FlagSet) -> None:
        """Take the flags of one closed bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReply:
    """Scores of a caller's own rows, all by one model.

    Attributes
    ----------
    probability : ndarray of float64, shape (n, 2, n_horizons)
        Calibrated; sides in the order of :data:`liqwarn.frames.SIDES`, horizons in that of
        :data:`liqwarn.decisions.HORIZONS_H`. NaN where a row cannot be scored.
    model : ModelStamp
    quality : sequence of str, one a row
    novelty : ndarray of float64, shape (n,)
        How unlike training a row is; NaN when unknown.
    """

    probability: FloatArray
    model: ModelStamp
    quality: Sequence[Quality]
    novelty: FloatArray


class Scorer(Protocol):
    """The model in use."""

    def score(self, rows: FloatArray, names: Sequence[str]) -> ScoreReply:
        """Score rows of features, shape (n, len(names)), NaN where unknown.

        Called from a worker thread. Raises FrameError when the names are not the model's (the
        caller's mistake), and any other LiqwarnError when there is no model to score with.
        """


class MapSource(Protocol):
    """The liquidation map in force."""

    def profile(self, symbol: str) -> Mapping[str, Any] | None:
        """The profile of a symbol as :func:`liqwarn.reports.map_export.profile_dict` shapes it."""


class EventSource(Protocol):
    """The catalogue of events."""

    def events(
        self, symbol: str | None, side: Side | None, start: datetime | None, end: datetime | None
    ) -> Sequence[Mapping[str, Any]]:
        """Events with an onset in [start, end), ordered by onset; see :data:`EVENT_COLUMNS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsk:
    """One page of a symbol's flag history.

    Attributes
    ----------
    start, end : datetime or None
        Bars that closed in [start, end).
    known_by : datetime or None
        Only what was issued at or before it. None: everything, as of the first page.
    after : HistoryKey or None
        Only rows behind this place.
    """

    symbol: str
    side: Side | None = None
    start: datetime | None = None
    end: datetime | None = None
    known_by: datetime | None = None
    after: HistoryKey | None = None
    limit: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Rows in the order of their keys.

    Attributes
    ----------
    known_by : datetime or None
        What the page was cut by: as asked, else the newest issue in the history. Ask the next page
        with it, and rows that are added meanwhile shift nothing. None for an empty history.
    behind : HistoryKey or None
        Where the next page starts; None when this was the last. A page may be shorter than asked
        and still not be the last.
    """

    rows: Sequence[Mapping[str, Any]]
    known_by: datetime | None
    behind: HistoryKey | None


class HistorySource(Protocol):
    """Every flag that was issued."""

    def rows(self, ask: HistoryAsk) -> HistoryPage:
        """One page. Called from a worker thread; StoreError when the history cannot be read."""


class OrderPort(Protocol):
    """Orders by hand; called from a worker thread."""

    def ask(self, order: Order, by: str) -> Mapping[str, Any]:
        """What came of an order. StoreError when it was not carried out and nothing has changed."""

    def in_force(self) -> Sequence[Mapping[str, Any]]:
        """What was ordered and binds now. StoreError while the loop is being begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What is configured beside the flags.

    Attributes
    ----------
    render_metrics : callable or None
        The metrics as Prometheus text.
    """

    scorer: Scorer | None = None
    maps: MapSource | None = None
    events: EventSource | None = None
    history: HistorySource | None = None
    render_metrics: Callable[[], bytes] | None = None
    orders: OrderPort | None = None
