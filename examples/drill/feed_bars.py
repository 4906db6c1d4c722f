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


def due(path: Path) -> Iterator[list[str]]:
    """Lines of all symbols, bar by bar as they close; first all that closed within the hour."""
    rows = [(moment_of(line), line) for line in path.read_text().splitlines()]
    first = [line for moment, line in rows if time.time() - AGAIN_WITHIN_S < moment <= time.time()]
    later = [row for row in rows if row[0] > time.time()]
    yield first  # in one go: a server that waits for a symbol sees that it is on its way
    for moment, group in groupby(later, key=lambda row: row[0]):
        time.sleep(max(0.0, moment + DELAY_S - time.time()))
        yield [line for _, line in group]


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
    for lines in due(Path(sys.argv[1])):
        send(sys.argv[2], lines)
        print(f"{len(lines)} lines sent and taken", flush=True)
