"""A file of JSON lines that others append to, followed as it grows, is replaced or is cut."""

import os
import time
from io import FileIO
from pathlib import Path
from typing import Final

from liqwarn.data.bars.feed import MOST_FAULTS, Delivery, Monotonic, Silence, Sleep
from liqwarn.data.bars.lines import LineReader
from liqwarn.data.bars.message import BarMessage

__all__ = ["FileFeed"]

_BLOCK: Final = 1 << 18
_NAP_S: Final = 0.05


class FileFeed:
    """Follows a file of bar messages, from its beginning.

    Reading old lines again is harmless: the assembler takes them as late. A file that was replaced
    (rotated) is read to its end before the new one is begun; one that was cut is read from its
    start. A last line without its end waits for it.

    Parameters
    ----------
    path : Path
        Need not be there yet; as long as it is not, the feed is silent.
    clock, sleep
        Where the feed gets the time from, and how it waits.
    """

    def __init__(
        self, path: Path, *, clock: Monotonic = time.monotonic, sleep: Sleep = time.sleep
    ) -> None:
        self._path, self._clock, self._sleep = path, clock, sleep
        self._silence = Silence(clock)
        self._file: FileIO | None = None
        self._lines = LineReader(name=path.name)
        self._more = False

    def poll(self, wait_s: float) -> Delivery:
        """Messages of the lines written since the last poll, at most 256 KiB of them."""
        until = self._clock() + wait_s
        while not (found := self._read()):
            left = until - self._clock()
            if left <= 0.0:
                break
            self._sleep(min(left, _NAP_S))
        messages = tuple(one for one in found if isinstance(one, BarMessage))
        faults = [one for one in found if isinstance(one, str)]
        return Delivery(
            messages=messages,
            refused=len(faults),
            faults=tuple(faults[-MOST_FAULTS:]),
            silence_s=self._silence.after(heard=bool(messages)),
            more=self._more,
        )

    def taken(self) -> None:
        """Nobody waits for an answer."""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self) -> list[BarMessage | str]:
        try:
            if self._file is None:
                self._file = self._path.open("rb", buffering=0)
            if os.fstat(self._file.fileno()).st_size < self._file.tell():
                return self._again("the file was cut; reading it from its start")
            content = self._file.read(_BLOCK)
            replaced = not content and self._replaced(self._file)
            if replaced:  # what was written between the reading and the replacing
                content = self._file.read(_BLOCK)
            self._more = len(content) == _BLOCK
            if content:
                return self._lines.push(content)
            if replaced:
                self.close()
                lost = self._lines.drop()
                return [] if lost is None else [lost]
        except FileNotFoundError:
            pass  # not there yet, or between two: silence says so
        except OSError as error:
            self.close()
            return [f"{self._path.name}: cannot be read ({error.strerror})"]
        return []

    def _again(self, why: str) -> list[BarMessage | str]:
        lost = self._lines.drop()
        self.close()
        return [f"{self._path.name}: {why}", *([lost] if lost else [])]

    def _replaced(self, file: FileIO) -> bool:
        mine, there = os.fstat(file.fileno()), self._path.stat()
        return (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino)
