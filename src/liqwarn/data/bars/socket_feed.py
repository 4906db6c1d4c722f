"""Bars from producers on this host: a TCP or Unix socket that takes JSON lines and answers each.

::

    producer ▶ {"schema": "liqwarn.bar/1", …}      feed ▶ {"ack": 1}
    producer ▶ not a message                       feed ▶ {"error": "line 2: …"}

``ack`` counts the connection's messages that the loop has *taken*: they are in the assembler, and
on disk if they closed a bar. It is not a promise for a bar that is still open: after a restart of
the loop a producer sends the open bar again. A producer that has no ack sends again, as well; a
copy changes nothing.

Everything runs inside :meth:`SocketFeed.poll`, without threads. Bounds: connections, bytes of a
line, bytes of answers a producer does not read, faulty lines, and seconds for a line's end.
"""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from liqwarn.data.bars.feed import MOST_FAULTS, Delivery, Monotonic, Silence
from liqwarn.data.bars.lines import LineReader
from liqwarn.data.bars.message import BarMessage
from liqwarn.errors import ConfigError

__all__ = ["MOST_PRODUCERS", "SocketFeed"]

MOST_PRODUCERS: Final = 64
"""Connections at a time; a further one is closed at once."""

_BLOCK: Final = 1 << 16
_MOST_UNREAD: Final = 1 << 20  # bytes of answers that a producer lets lie
_MOST_REFUSED: Final = 100  # lines of one connection
_LINE_S: Final = 30.0  # for a line that has begun
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(slots=True)
class _Producer:
    """One connection: its lines, and what it has not been answered yet."""

    socket: socket.socket
    lines: LineReader
    began: float
    handed: int = 0
    acked: int = 0
    refused: int = 0
    answers: bytearray = field(default_factory=bytearray)


class SocketFeed:
    """A server that producers of bars connect to.

    Parameters
    ----------
    at : Path or tuple of str and int
        A Unix socket's path, or a host of this machine and a port; port 0 takes a free one.
    clock
        Where the feed gets the time from.

    Raises
    ------
    ConfigError
        When the host is not loopback, or the address cannot be had.
    """

    def __init__(self, at: Path | tuple[str, int], *, clock: Monotonic = time.monotonic) -> None:
        self._clock, self._silence, self._at = clock, Silence(clock), at
        self._selector = selectors.DefaultSelector()
        self._producers: dict[int, _Producer] = {}
        self._count, self._more = 0, False
        try:
            self._server = _bound(at)
        except OSError as error:
            self._selector.close()
            raise ConfigError(f"socket feed at {at}: {error.strerror or error}") from error
        self._selector.register(self._server, selectors.EVENT_READ)

    @property
    def address(self) -> Path | tuple[str, int]:
        """Where producers connect to, with the port that was taken."""
        if isinstance(self._at, Path):
            return self._at
        host, port = self._server.getsockname()[:2]
        return str(host), int(port)

    def poll(self, wait_s: float) -> Delivery:
        """What the producers sent, at most 64 KiB of each."""
        until, self._more = self._clock() + wait_s, False
        messages: list[BarMessage] = []
        faults: list[str] = []
        while True:
            left = max(0.0, until - self._clock())
            for key, events in self._selector.select(left):
                for one in self._ready(key, events):
                    if isinstance(one, BarMessage):
                        messages.append(one)
                    else:
                        faults.append(one)
            faults += self._overdue()
            if messages or faults or left <= 0.0:
                break
        return Delivery(
            messages=tuple(messages),
            refused=len(faults),
            faults=tuple(faults[-MOST_FAULTS:]),
            silence_s=self._silence.after(heard=bool(messages)),
            more=self._more or self._waits(),
        )

    def _waits(self) -> bool:
        """Whether a producer has sent more, or one waits to be welcomed."""
        return any(events & selectors.EVENT_READ for _, events in self._selector.select(0.0))

    def taken(self) -> None:
        """Acknowledge to every producer what was handed out."""
        for producer in list(self._producers.values()):
            while producer.acked < producer.handed:
                producer.acked += 1
                producer.answers += orjson.dumps({"ack": producer.acked}) + b"\n"
            self._answer(producer)

    def close(self) -> None:
        """Close every connection and the server."""
        for producer in list(self._producers.values()):
            self._drop(producer)
        self._selector.close()
        self._server.close()
        if isinstance(self._at, Path):
            self._at.unlink(missing_ok=True)

    def _ready(self, key: selectors.SelectorKey, events: int) -> Iterator[BarMessage | str]:
        producer = key.data
        if producer is None:
            yield from self._welcome()
            return
        if events & selectors.EVENT_WRITE:
            self._answer(producer)
        if events & selectors.EVENT_READ and producer.socket.fileno() in self._producers:
            yield from self._hear(producer)

    def _welcome(self) -> Iterator[str]:
        try:
            connection, _ = self._server.accept()
        except OSError:  # it went away while it waited
            return
        if len(self._producers) >= MOST_PRODUCERS:
            connection.close()
            yield f"a producer was turned away: {MOST_PRODUCERS} are connected"
            return
        connection.setblocking(False)
        self._count += 1
        lines = LineReader(name=f"producer {self._count}")
        producer = _Producer(socket=connection, lines=lines, began=self._clock())
        self._producers[connection.fileno()] = producer
        self._selector.register(connection, selectors.EVENT_READ, producer)

    def _hear(self, producer: _Producer) -> Iterator[BarMessage | str]:
        try:
            content = producer.socket.recv(_BLOCK)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if not content:
            lost = producer.lines.drop()
            self._drop(producer)
            yield from [] if lost is None else [lost]
            return
        self._more |= len(content) == _BLOCK
        if not producer.lines.partial or b"\n" in content:
            producer.began = self._clock()
        for one in producer.lines.push(content):
            if isinstance(one, BarMessage):
                producer.handed += 1
            else:
                producer.refused += 1
                producer.answers += orjson.dumps({"error": one}) + b"\n"
            yield one
        self._answer(producer)
        if producer.refused > _MOST_REFUSED:
            self._drop(producer)
            yield f"{producer.lines.name}: closed after {producer.refused} refused lines"

    def _overdue(self) -> Iterator[str]:
        """Close the producers that began a line and do not end it."""
        for producer in list(self._producers.values()):
            if producer.lines.partial and self._clock() - producer.began > _LINE_S:
                self._drop(producer)
                yield f"{producer.lines.name}: closed, a line had no end for {_LINE_S:g} s"

    def _answer(self, producer: _Producer) -> None:
        """Send what the producer will take now; drop one that reads no answers."""
        if producer.socket.fileno() not in self._producers:
            return
        try:
            while producer.answers:
                del producer.answers[: producer.socket.send(producer.answers)]
        except BlockingIOError:
            pass
        except OSError:
            producer.answers.clear()  # it has gone; what it sent before is still to be read
        if len(producer.answers) > _MOST_UNREAD:
            self._drop(producer)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if producer.answers else 0)
        self._selector.modify(producer.socket, wanted, producer)

    def _drop(self, producer: _Producer) -> None:
        if self._producers.pop(producer.socket.fileno(), None) is not None:
            self._selector.unregister(producer.socket)
            producer.socket.close()


def _bound(at: Path | tuple[str, int]) -> socket.socket:
    if isinstance(at, Path):
        return _bound_path(at)
    if at[0] not in _LOOPBACK:
        raise ConfigError(f"socket feed: found host '{at[0]}', expected one of {_LOOPBACK}")
    server = socket.create_server(at, family=socket.AF_INET6 if ":" in at[0] else socket.AF_INET)
    server.setblocking(False)
    return server


def _bound_path(path: Path) -> socket.socket:
    """A Unix socket that only our own user may connect to."""
    server = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket() and not _answers(path):
            path.unlink()  # of a server that was killed
        server.bind(str(path))
        path.chmod(0o600)
        server.listen()
        server.setblocking(False)
    except OSError:
        server.close()
        raise
    return server


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
