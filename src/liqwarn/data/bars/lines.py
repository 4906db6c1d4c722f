"""Bytes of a stream as messages: lines put together, each judged, nothing without bound."""

from dataclasses import dataclass, field

from liqwarn.data.bars.codec import LONGEST_LINE, decode_message
from liqwarn.data.bars.message import BarMessage
from liqwarn.errors import DataError

__all__ = ["LineReader"]


@dataclass(slots=True)
class LineReader:
    r"""Puts the lines of one stream together and decodes them.

    A line that never ends is refused once and skipped to its end, so no stranger can fill the
    memory. Empty lines are no lines.

    Attributes
    ----------
    name : str
        Of the stream, for messages of errors.

    Examples
    --------
    >>> reader = LineReader(name="feed.jsonl")
    >>> reader.push(b'{"schema": '), reader.push(b'"x"}\n')
    ([], ["feed.jsonl: line 1: schema: found 'x', expected 'liqwarn.bar/1'"])
    """

    name: str
    _number: int = 0
    _part: bytearray = field(default_factory=bytearray)
    _skipping: bool = False

    @property
    def partial(self) -> int:
        """Bytes of a line whose end has not come."""
        return len(self._part)

    def push(self, content: bytes) -> list[BarMessage | str]:
        """Messages of the lines that these bytes complete; a text where a line is none."""
        found: list[BarMessage | str] = []
        lines = content.split(b"\n")
        for line in lines[:-1]:
            self._take(line)
            if not self._skipping and self._part.strip():
                found.append(self._decode(bytes(self._part)))
            self._number += 1
            self._part.clear()
            self._skipping = False
        self._take(lines[-1])
        if len(self._part) > LONGEST_LINE:
            self._part.clear()
            self._skipping = True
            found.append(f"{self.name}: line {self._number + 1}: longer than {LONGEST_LINE} bytes")
        return found

    def drop(self) -> str | None:
        """Forget a line whose end will never come; a text if there was one."""
        lost = len(self._part)
        self._part.clear()
        self._skipping = False
        return f"{self.name}: {lost} bytes of a line without an end" if lost else None

    def _take(self, piece: bytes) -> None:
        if not self._skipping:
            self._part += piece

    def _decode(self, line: bytes) -> BarMessage | str:
        try:
            return decode_message(line, self._number + 1)
        except DataError as error:
            return f"{self.name}: {error}"
