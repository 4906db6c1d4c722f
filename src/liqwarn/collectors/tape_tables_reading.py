"""The records of a tape as happenings again, with the readers of today.

Frames go through a fresh reader in their order, so a mended reader mends the past: a frame that was
refused when it came is tried again. Only what a reader remembers must have been read before, so the
newest taped reply to every question (contract sizes) is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from liqwarn.collectors.happening_codec import decode_happenings
from liqwarn.collectors.happenings import Happening
from liqwarn.collectors.taped import Taped
from liqwarn.collectors.venue import Venue
from liqwarn.errors import DataError

__all__ = ["Said", "TapeCounts", "TapeReading"]


@dataclass(slots=True, kw_only=True)
class TapeCounts:
    """What the records of a tape were.

    Attributes
    ----------
    frames, samples : int
        Records of frames and of encoded happenings.
    mended : int
        Frames that were refused when they came and are read now.
    unread : int
        Frames that cannot be read, now; while they came a line counts as not listened to.
    damaged : int
        Encoded happenings that cannot be decoded.
    dropped : int
        Records that say that samples were given up.
    first_fault : str
        Why the first unread or damaged one cannot be read.
    """

    frames: int = 0
    samples: int = 0
    mended: int = 0
    unread: int = 0
    damaged: int = 0
    dropped: int = 0
    first_fault: str = ""

    def to_dict(self) -> dict[str, int | str]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Said:
    """What a record says; `unread` when it is a frame that cannot be read."""

    happenings: tuple[Happening, ...] = ()
    unread: bool = False


class TapeReading:
    """Reads a venue's tape, record by record. One owner.

    Parameters
    ----------
    venue : Venue
    symbols : sequence of str
        Symbols whose happenings are wanted.
    once : mapping of line to Taped, optional
        Replies that a reader needs from before the first record.

    Attributes
    ----------
    counts : TapeCounts
    once : dict of line to Taped
        The newest taped reply to each question.
    """

    def __init__(
        self, venue: Venue, symbols: Sequence[str], once: Mapping[str, Taped] | None = None
    ) -> None:
        self.venue = venue
        self.counts = TapeCounts()
        self.once = dict(once or {})
        self._reader = venue.reader(symbols)
        self._polls = frozenset(poll.name for poll in venue.polls(symbols, venue.kinds))
        for record in self.once.values():
            self._remember(record)

    def read(self, record: Taped) -> Said:
        """What a record says; faults are counted, never raised."""
        if record.what == "happenings":
            return self._sample(record)
        if record.what in ("frame", "refused"):
            return self._frame(record)
        if record.what == "opened":
            self._reader.opened(record.line)
        elif record.what == "dropped":
            self.counts.dropped += 1
        return Said()

    def _sample(self, record: Taped) -> Said:
        try:
            told = decode_happenings(record.content)
        except DataError as error:
            self.counts.damaged += 1
            self._fault(error)
            return Said()
        self.counts.samples += 1
        return Said(happenings=told)

    def _frame(self, record: Taped) -> Said:
        try:
            heard = self._reader.read(record.line, record.content)
        except Exception as error:  # a reader's own mistake is none of the tape's
            self.counts.unread += 1
            self._fault(error)
            return Said(unread=True)
        self.counts.frames += 1
        self.counts.mended += record.what == "refused"
        if record.line in self._polls:
            self.once[record.line] = record
        return Said(happenings=heard.happenings)

    def _remember(self, record: Taped) -> None:
        try:
            self._reader.read(record.line, record.content)
        except Exception as error:
            self._fault(error)

    def _fault(self, error: Exception) -> None:
        self.counts.first_fault = self.counts.first_fault or str(error)
