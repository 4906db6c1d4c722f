"""A producer of closing bars: sends each line of a file when its bar has closed.

Run: python examples/drill/feed_bars.py coming.jsonl unix:bars.sock

Needs the standard library alone: a producer may be written in any language. What was sent and not
acknowledged is sent again on a new connection; copies change nothing.
"""

import json
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


def closing(path: Path) -> Iterator[tuple[float, list[str]]]:
    """Moment of each close, and the lines of all symbols; what closed within the hour once more."""
    rows = [(json.loads(line), line) for line in path.read_text().splitlines()]
    for close, group in groupby(rows, key=lambda row: row[0]["time"]):
        lines = list(group)
        moment = datetime.fromisoformat(close).timestamp()
        if moment > time.time() - AGAIN_WITHIN_S:
            yield moment, [line for _, line in lines]


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


def send(target: str, lines: list[str]) -> None:
    """Send lines and wait for an answer to each; again, from the first, when the line breaks."""
    global LINE  # noqa: PLW0603  one connection for the whole run
    while True:
        try:
            LINE = LINE or connected(target)
            LINE.sendall("".join(f"{line}\n" for line in lines).encode())
            answers = LINE.makefile("rb")
            for _ in lines:
                answer = answers.readline()
                if not answer:
                    raise ConnectionError
                if b"error" in answer:
                    print(answer.decode().strip(), flush=True)
        except OSError:
            LINE = None
            time.sleep(AGAIN_S)
        else:
            return


LINE: socket.socket | None = None

if __name__ == "__main__":
    for moment, lines in closing(Path(sys.argv[1])):
        time.sleep(max(0.0, moment + DELAY_S - time.time()))
        send(sys.argv[2], lines)
        print(f"sent the bar that closed at {moment:.0f}", flush=True)
