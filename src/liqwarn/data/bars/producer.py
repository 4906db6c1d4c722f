"""Sends closed bars to a :class:`~liqwarn.data.bars.socket_feed.SocketFeed`, and hears its answers.

What was sent and not acknowledged is sent again on a new connection: the loop may have been killed
before it was on disk, and a copy changes nothing. Sending never waits for an answer, so one bar
does not wait for the one before.
"""

import re
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from liqwarn.data.bars.feed import Monotonic

__all__ = ["Answers", "Producer"]

_MOST_WAITING: Final = 100_000  # lines; a bar of 300 symbols for five hours of minutes
_BLOCK: Final = 1 << 16
_AGAIN_S: Final = 0.5
_LONGEST_AGAIN_S: Final = 10.0
_LINE: Final = re.compile(r"line (\d+):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the answers of a turn said.

    Attributes
    ----------
    acked : int
        Lines that were taken.
    refused : tuple of str
        Why a line was not, in the server's words.
    dropped : int
        Lines given up since the last turn, the oldest first, because too many waited.
    """

    acked: int = 0
    refused: tuple[str, ...] = ()
    dropped: int = 0


@dataclass(slots=True)
class _Line:
    """A connection: the lines sent on it that were not answered, by their number on it."""

    socket: socket.socket
    sent: int = 0
    acked: int = 0
    unanswered: deque[tuple[int, bytes]] = field(default_factory=deque)
    out: bytearray = field(default_factory=bytearray)
    heard: bytearray = field(default_factory=bytearray)


class Producer:
    """Lines to one server, over as many connections as it takes.

    Parameters
    ----------
    target : Path or tuple of str and int
        A Unix socket's path, or a host and a port.
    clock
        Where it gets the time from.
    """

    def __init__(
        self, target: Path | tuple[str, int], *, clock: Monotonic = time.monotonic
    ) -> None:
        self._target, self._clock = target, clock
        self._waiting: deque[bytes] = deque()
        self._line: _Line | None = None
        self._again_at, self._again_s, self._dropped = clock(), _AGAIN_S, 0

    @property
    def waiting(self) -> int:
        """Lines that were not acknowledged or refused yet."""
        return len(self._waiting) + (0 if self._line is None else len(self._line.unanswered))

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._line is not None

    def give(self, lines: Iterable[bytes]) -> None:
        """Take lines to send at the next turn; each is a message without its line break."""
        self._waiting.extend(lines)
        while self.waiting > _MOST_WAITING and self._waiting:
            self._waiting.popleft()
            self._dropped += 1

    def turn(self, wait_s: float) -> Answers:
        """Connect if need be, send what waits, and hear answers for at most so many seconds."""
        until = self._clock() + wait_s
        acked, refused = 0, []
        while True:
            self._connect()
            left = max(0.0, until - self._clock())
            try:
                answers = self._exchange(left)
            except OSError:
                self._lost()
                answers = []
            for answer in answers:
                taken, fault = self._answered(answer)
                acked += taken
                refused += [fault] if fault else []
            if left <= 0.0 or not self.waiting:
                break
        dropped, self._dropped = self._dropped, 0
        return Answers(acked=acked, refused=tuple(refused), dropped=dropped)

    def close(self) -> None:
        """Close the connection; what waits is forgotten."""
        if self._line is not None:
            self._line.socket.close()
            self._line = None

    def _connect(self) -> None:
        if self._line is not None or self._clock() < self._again_at:
            return
        try:
            self._line = _Line(socket=_connected(self._target))
        except OSError:
            self._again_at = self._clock() + self._again_s
            self._again_s = min(2.0 * self._again_s, _LONGEST_AGAIN_S)
        else:
            self._again_s = _AGAIN_S

    def _exchange(self, wait_s: float) -> list[bytes]:
        """Send and hear once; complete answers."""
        line = self._line
        if line is None:
            time.sleep(min(wait_s, _AGAIN_S / 10))
            return []
        while self._waiting and len(line.out) < _BLOCK:
            line.sent += 1
            line.unanswered.append((line.sent, self._waiting.popleft()))
            line.out += line.unanswered[-1][1] + b"\n"
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.out else 0)
        with selectors.DefaultSelector() as selector:
            selector.register(line.socket, wanted)
            ready = selector.select(min(wait_s, _AGAIN_S))
        for _, events in ready:
            if events & selectors.EVENT_WRITE:
                del line.out[: line.socket.send(line.out)]
            if events & selectors.EVENT_READ:
                content = line.socket.recv(_BLOCK)
                if not content:
                    raise ConnectionError
                line.heard += content
        *answers, rest = bytes(line.heard).split(b"\n")
        line.heard[:] = rest
        return answers

    def _answered(self, answer: bytes) -> tuple[int, str]:
        """How many more lines were taken, or why one was refused."""
        line = self._line
        try:
            told = orjson.loads(answer)
        except ValueError:
            return 0, f"an answer that is no JSON: {answer[:80]!r}"
        if line is None or not isinstance(told, dict):
            return 0, ""
        if isinstance(told.get("ack"), int):
            return self._acked(line, told["ack"]), ""
        fault = str(told.get("error", answer[:80]))
        found = _LINE.search(fault)
        if found is not None:
            number = int(found.group(1))
            line.unanswered = deque(one for one in line.unanswered if one[0] != number)
        return 0, fault

    def _acked(self, line: _Line, count: int) -> int:
        """Forget the lines up to the acknowledged one: refused ones are not counted by the feed."""
        taken = min(count - line.acked, len(line.unanswered))
        for _ in range(taken):
            line.unanswered.popleft()
        line.acked = count
        return taken

    def _lost(self) -> None:
        """What the connection did not answer waits again, before what is newer."""
        line = self._line
        if line is not None:
            line.socket.close()
            self._waiting.extendleft(sent for _, sent in reversed(line.unanswered))
        self._line, self._again_at = None, self._clock() + _AGAIN_S


def _connected(target: Path | tuple[str, int]) -> socket.socket:
    if isinstance(target, Path):
        line = socket.socket(socket.AF_UNIX)
        try:
            line.settimeout(5.0)
            line.connect(str(target))
        except OSError:
            line.close()
            raise
    else:
        line = socket.create_connection(target, timeout=5.0)
    line.setblocking(False)
    return line
