"""A producer of closing bars: sends each line of a file when its bar has closed.

Run: python examples/drill/feed_bars.py coming.jsonl unix:bars.sock

Needs the standard library alone: a producer may be written in any language. What was sent and not
acknowledged is sent again on a new connection; copies change nothing.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path

AGAIN_S = 0.5
AGAIN_WITHIN_S = 3600.0  # the server takes what it has already as late, and it changes nothing
DELAY_S = 0.2  # after the close: what a real source needs to publish


def due(path: Path) -> Iterator[tuple[float, list[str]]]:
    """Close and lines of all symbols, bar by bar; first all that closed within the hour."""
    rows = [(moment_of(line), line) for line in path.read_text().splitlines()]
    yield (
        0.0,
        [line for moment, line in rows if time.time() - AGAIN_WITHIN_S < moment <= time.time()],
    )
    for moment, group in groupby([row for row in rows if row[0] > time.time()], lambda row: row[0]):
        yield moment, [line for _, line in group]


def moment_of(line: str) -> float:
    """Epoch seconds of a bar's close."""
    return datetime.fromisoformat(json.loads(line)["time"]).timestamp()


def connected(target: str) -> socket.socket:
    """A connection to ``unix:PATH`` or ``tcp:HOST:PORT``; tries until there is one."""
    kind, _, rest = target.partition(":")
    while True:
        try:
            if kind == "tcp":
                host, _, port = rest.rpartition(":")
                return socket.create_connection((host, int(port)), timeout=30)
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(30)
            line.connect(rest)
        except OSError:
            time.sleep(AGAIN_S)
        else:
            return line


class Producer:
    """Sends at once and reads answers when they come: a bar must not wait for the one before.

    What was not acknowledged is sent again on a new connection.
    """

    def __init__(self, target: str) -> None:
        self._target, self._line = target, connected(target)
        self._waiting: list[str] = []
        self._heard = b""

    def send(self, lines: list[str]) -> None:
        """Send lines; returns when they are on their way."""
        self._hear()
        self._waiting += lines
        try:
            self._line.sendall("".join(f"{line}\n" for line in lines).encode())
        except OSError:
            self._again()

    def hear(self, until: float) -> None:
        """Read answers until a moment."""
        while (left := until - time.time()) > 0:
            time.sleep(min(left, AGAIN_S))
            self._hear()

    def _hear(self) -> None:
        try:
            if not select.select([self._line], [], [], 0)[0]:
                return
            self._heard += self._line.recv(1 << 16) or self._gone()
        except OSError:
            self._again()
            return
        *answers, self._heard = self._heard.split(b"\n")
        for answer in answers:
            line = self._waiting.pop(0)
            if b"error" in answer:
                print(f"{answer.decode()}: {line[:80]}", flush=True)
        if answers:
            print(f"{len(answers)} lines answered, {len(self._waiting)} wait", flush=True)

    def _gone(self) -> bytes:
        raise ConnectionError("the server has closed the line")

    def _again(self) -> None:
        self._line.close()
        self._line, self._heard = connected(self._target), b""
        try:
            self._line.sendall("".join(f"{line}\n" for line in self._waiting).encode())
        except OSError:
            time.sleep(AGAIN_S)  # the next send or look finds the line broken


if __name__ == "__main__":
    producer = Producer(sys.argv[2])
    for moment, bars in due(Path(sys.argv[1])):
        producer.hear(moment + DELAY_S)
        producer.send(bars)
