"""What the end of an audit log holds, without reading all of it."""

from pathlib import Path
from typing import Final

import orjson

__all__ = ["logged_sequences"]

_TAIL: Final = 4 << 20


def logged_sequences(path: Path, tail: int = _TAIL) -> set[tuple[str, str, int]]:
    """Symbol, side and sequence of the decisions in the last bytes of a log.

    A line that cannot be read is none: whoever appends finds out what is wrong with it.
    """
    try:
        with path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(0, size - tail))
            lines = log.read().splitlines()
    except FileNotFoundError:
        return set()
    found = set()
    for line in lines:
        try:
            after = orjson.loads(line)["after"]
            found.add((after["symbol"], after["side"], after["sequence"]))
        except (KeyError, TypeError, ValueError):
            continue
    return found
