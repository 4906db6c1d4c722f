"""What the rows of a reply must look like, field by field; anything else is told by its place."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from liqwarn.errors import DataError
from liqwarn.sources.json_page import Number, shown

__all__ = ["Cell", "RowShape", "as_list", "as_object"]

Cell = Literal["text", "number", "number text", "any number", "whole", "any"]
"""``number text`` is a number inside quotes, ``any number`` one with or without them, ``whole`` a
number without a fraction."""

_NUMBER: Final = re.compile(r"-?\d{1,40}(\.\d{1,60})?([eE][+-]?\d{1,2})?", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShape:
    """Fields of a row.

    Attributes
    ----------
    cells : mapping of field to Cell
        Fields that must be there.
    nullable : frozenset of str
        Of these, those that may be null.
    extra : mapping of field to Cell
        Fields that may be there.

    Examples
    --------
    >>> shape = RowShape(cells={"coin": "text", "rate": "number text"})
    >>> shape.read({"coin": "BTC", "rate": "0.10"}, "reply, row 1")
    {'coin': 'BTC', 'rate': '0.10'}
    >>> shape.read({"coin": "BTC", "rate": Number("0.1")}, "reply, row 1")
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: reply, row 1, field 'rate': found 0.1, expected a number as text
    """

    cells: Mapping[str, Cell]
    nullable: frozenset[str] = frozenset()
    extra: Mapping[str, Cell] = field(default_factory=dict)

    def read(self, found: object, where: str) -> dict[str, str]:
        """The cells as text, null as an empty one; fields of kind ``any`` are left out.

        Raises
        ------
        DataError
            For a field that is missing, new or of another kind.
        """
        row = as_object(found, where)
        for fault in self._faults(row):
            raise DataError(f"{where}, {fault}")
        kinds = {**self.cells, **self.extra}
        return {
            name: "" if value is None else str(value)
            for name, value in row.items()
            if kinds[name] != "any"
        }

    def _faults(self, row: Mapping[str, object]) -> Iterator[str]:
        known = {**self.cells, **self.extra}
        unknown = [name for name in row if name not in known]
        for name in self.cells:
            if name not in row:
                close = difflib.get_close_matches(name, unknown, n=1, cutoff=0.5)
                hint = f", renamed to {shown(close[0])}?" if close else ""
                listed = ", ".join(list(row)[:8])[:160]
                yield f"field '{name}': missing, found {listed or 'no field'}{hint}"
        for name in unknown:
            yield f"field {shown(name)}: new, expected {', '.join(known)}"
        for name, kind in known.items():
            if name in row:
                yield from self._cell(name, kind, row[name])

    def _cell(self, name: str, kind: Cell, value: object) -> Iterator[str]:
        if value is None and name in self.nullable:
            return
        expected = _expected(kind, value)
        if expected:
            yield f"field '{name}': found {shown(value)}, expected {expected}"


def _expected(kind: Cell, value: object) -> str:
    """What a value should have been, empty when it is."""
    number = isinstance(value, Number)
    text = isinstance(value, str) and not number
    matches = {
        "any": True,
        "text": text,
        "number": number and _NUMBER.fullmatch(str(value)) is not None,
        "number text": text and _NUMBER.fullmatch(str(value)) is not None,
        "any number": isinstance(value, str) and _NUMBER.fullmatch(value) is not None,
        "whole": number and _WHOLE.fullmatch(str(value)) is not None,
    }
    names = {
        "any": "anything",
        "text": "text",
        "number": "a number",
        "number text": "a number as text",
        "any number": "a number",
        "whole": "a whole number",
    }
    return "" if matches[kind] else names[kind]


def as_list(found: object, where: str) -> list[object]:
    """A value that must be a list."""
    if not isinstance(found, list):
        raise DataError(f"{where}: found {shown(found)}, expected a list")
    return found


def as_object(found: object, where: str) -> dict[str, object]:
    """A value that must be an object."""
    if not isinstance(found, dict):
        raise DataError(f"{where}: found {shown(found)}, expected an object")
    return found
