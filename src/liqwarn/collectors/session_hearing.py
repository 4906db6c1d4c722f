"""What becomes of a frame: read, kept or sampled, counted; a venue's lines share one reader."""

from collections.abc import Iterable, Sequence
from typing import Final

from liqwarn.collectors.backlog import Backlog
from liqwarn.collectors.collector_status import LineStatus, VenueStatus
from liqwarn.collectors.happening_codec import encode_happenings
from liqwarn.collectors.happenings import Candle, Happening, Position
from liqwarn.collectors.sampler import Sampler
from liqwarn.collectors.session_refused import RefusedBudget
from liqwarn.collectors.tape_record import LARGEST
from liqwarn.collectors.taped import Taped, What
from liqwarn.collectors.venue import Heard, Venue
from liqwarn.collectors.watch_clocks import Clocks, JumpWatch, SkewWatch
from liqwarn.errors import DataError

__all__ = ["Hearing"]

_PROOF_OF_LIFE_MS: Final = 30_000
_STEP_BACK_MS: Final = 1_000


class Hearing:
    """Reads a venue's frames in the order in which they come and hands on what is to be taped.

    Parameters
    ----------
    venue : Venue
    symbols : sequence of str
    backlog : Backlog
    clocks : Clocks

    Attributes
    ----------
    status : VenueStatus
        Counts as it goes.
    """

    def __init__(
        self, venue: Venue, symbols: Sequence[str], backlog: Backlog, clocks: Clocks
    ) -> None:
        self._reader = venue.reader(symbols)
        self._backlog, self._clocks = backlog, clocks
        self._samplers: dict[str, Sampler] = {}
        self._taped_ms: dict[str, int] = {}
        self._refused: dict[str, RefusedBudget] = {}
        self._skew = SkewWatch()
        self._jumps = JumpWatch(clocks.wall(), clocks.monotonic())
        self._seen_ms = 0
        self.status = VenueStatus()

    def now_ms(self) -> int:
        """Our clock; a step back of less than a second does not show."""
        now = int(self._clocks.wall() * 1_000)
        if not 0 < self._seen_ms - now < _STEP_BACK_MS:
            self._seen_ms = now
        return self._seen_ms

    def opened(self, line: str, why: str = "") -> None:
        """A line was opened."""
        self._reader.opened(line)
        told = self.line(line)
        told.connected_ms, told.fault = self.now_ms(), ""
        told.opened += 1
        self.tell(line, "opened", why)

    def closed(self, line: str, why: str) -> None:
        """A line was closed."""
        told = self.line(line)
        told.connected_ms, told.fault = None, why
        self._flush(line)
        self.tell(line, "closed", why)

    def tell(self, line: str, what: What, why: str) -> None:
        """Put what became of a line on the tape."""
        self._keep(line, what, why.encode()[:4_096])

    def line(self, name: str) -> LineStatus:
        """The status of a line or a poll."""
        return self.status.lines.get(name) or self.status.polls[name]

    def hear(self, line: str, content: bytes) -> Heard | None:
        """What a frame says; None when it cannot be read, which is told."""
        seen_ms, told = self.now_ms(), self.line(line)
        told.frames += 1
        told.frame_ms = seen_ms
        try:
            heard = self._reader.read(line, content)
        except DataError:
            self._refuse(line, content)
            return None
        except Exception:  # a reader's own mistake ends no recording: its frame is kept for mending
            self._refuse(line, content)
            return None
        if heard.keep and len(content) <= LARGEST:
            self._keep(line, "frame", content)
        if heard.happenings:
            self._take(line, heard, seen_ms)
        if heard.gap:
            told.gaps += 1
            self.tell(line, "gap", heard.gap)
        return heard

    def flush(self) -> None:
        """Put the newest values on the tape."""
        for line in self._samplers:
            self._flush(line)

    def prove_life(self) -> None:
        """Put on the tape that lines that say nothing are open, however seldom samples are."""
        now_ms = self.now_ms()
        for line, told in self.status.lines.items():
            quiet = now_ms - self._taped_ms.get(line, 0) >= _PROOF_OF_LIFE_MS
            if quiet and told.connected_ms is not None:
                self._keep(line, "happenings", encode_happenings(()))

    def check_clocks(self) -> None:
        """Tell when the wall's clock jumped or is not the venue's; see that counts are fresh."""
        jump = self._jumps.jump(self._clocks.wall(), self._clocks.monotonic())
        if jump:
            self._skew.restart()
            self.tell("", "clock", f"our clock jumped by {jump:+.3f} s")
        if (changed := self._skew.changed()) is not None:
            self.tell("", "clock", changed)
        status = self.status
        status.skew_s = self._skew.skew_s()
        status.dropped, status.disk = self._backlog.dropped, self._backlog.fault
        status.waiting_bytes, status.bytes = self._backlog.waiting_bytes, self._backlog.bytes
        status.acknowledged = self._backlog.acknowledged
        status.acknowledged_ms = self._backlog.acknowledged_ms(self.now_ms())

    def _take(self, line: str, heard: Heard, seen_ms: int) -> None:
        for happening in heard.happenings:
            self.status.happenings[type(happening).__name__.lower()] += 1
        time_ms = _told_at(heard.happenings)
        if time_ms is not None:
            self._skew.heard(seen_ms, time_ms)
        if not heard.keep:
            sampler = self._samplers.get(line) or self._samplers.setdefault(line, Sampler())
            for happening in heard.happenings:
                sampler.add(happening)
            if any(isinstance(one, Candle) for one in heard.happenings):
                self._flush(line)  # a bar waits for its candle

    def _flush(self, line: str) -> None:
        sampler = self._samplers.get(line)
        taken = sampler.take() if sampler is not None else ()
        if not taken:
            return
        seen_ms = self.now_ms()
        content = self._encoded(line, taken)
        record = Taped(seen_ms=seen_ms, line=line, what="happenings", content=content)
        if self._backlog.offer(record):
            self._taped_ms[line] = seen_ms

    def _encoded(self, line: str, taken: Sequence[Happening]) -> bytes:
        """The bytes of a sample; a value that no happening may have is left out and counted."""
        try:
            return encode_happenings(taken)
        except DataError:
            self.line(line).refused += 1
            return encode_happenings([one for one in taken if _can_be(one)])

    def _refuse(self, line: str, content: bytes) -> None:
        """Keep a frame that could not be read, unless there were too many this minute."""
        told = self.line(line)
        told.refused += 1
        budget = self._refused.get(line) or self._refused.setdefault(line, RefusedBudget())
        if budget.take(len(content), self._clocks.monotonic()):
            self._keep(line, "refused", content)
        else:
            told.unkept += 1
        if (unkept := budget.untold()) is not None:
            self.tell(line, "dropped", f"{unkept} refused frames not kept")

    def _keep(self, line: str, what: What, content: bytes) -> None:
        seen_ms = self.now_ms()
        self._taped_ms[line] = seen_ms
        self._backlog.keep(Taped(seen_ms=seen_ms, line=line, what=what, content=content))


def _can_be(told: Happening) -> bool:
    try:
        encode_happenings([told])
    except DataError:
        return False
    return True


def _told_at(happenings: Iterable[Happening]) -> int | None:
    """The venue's own time of a frame; candles are of their close, positions of a past moment."""
    times = [one.time_ms for one in happenings if not isinstance(one, (Candle, Position))]
    return max(times, default=None)
