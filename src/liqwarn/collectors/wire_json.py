"""Frames of venues as JSON, read strictly: a field is what it was said to be, or it is refused.

Fields that nobody asks for are ignored: venues add them without notice. Booleans are no numbers,
numbers are finite, a number inside quotes is written in ASCII digits, times are milliseconds.
"""

import json
import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Final, Never

from liqwarn.errors import DataError

__all__ = [
    "ABSURD",
    "as_list",
    "as_object",
    "flag",
    "number",
    "number_of",
    "number_text",
    "parse_wire",
    "positive_text",
    "shown",
    "text",
    "time_ms",
    "time_of",
    "whole",
]

_SHOWN: Final = 60
_COMPARED: Final = 64
_LONGEST: Final = 4_096
_NUMBER: Final = re.compile(r"-?\d{1,40}(\.\d{1,60})?([eE][+-]?\d{1,2})?", re.ASCII)
_DIGITS: Final = re.compile(r"\d{1,18}", re.ASCII)
ABSURD: Final = 1e18
"""No price, size or volume of a venue is greater."""

_FIRST_MS: Final = 1_262_304_000_000
_LAST_MS: Final = 4_102_444_800_000

Row = Mapping[str, object]


def parse_wire(content: bytes, where: str) -> object:
    """A frame or a reply as dicts, lists, text, numbers, booleans and None.

    Raises
    ------
    DataError
        Naming `where`: nothing, a page of HTML, no JSON, NaN or infinity, a field there twice.

    Examples
    --------
    >>> parse_wire(b'{"p": "0.10", "T": 1}', "x")
    {'p': '0.10', 'T': 1}
    >>> parse_wire(b'{"p": NaN}', "x")
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: x: found NaN, expected a finite number
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            for twice, _ in pairs:
                if twice in seen:
                    break
                seen.add(twice)
            raise DataError(f"{where}: field {shown(twice)} is there twice, expected once")
        return found

    def no_number(found: str) -> Never:
        raise DataError(f"{where}: found {found}, expected a finite number")

    try:
        return json.loads(content, parse_constant=no_number, object_pairs_hook=once)
    except RecursionError as error:
        raise DataError(f"{where}: nested too deeply, expected a frame") from error
    except ValueError as error:  # no UTF-8, and numbers of thousands of digits, are such too
        raise DataError(f"{where}: found {shown(content)}, expected JSON ({error})") from error


def as_object(found: object, where: str) -> dict[str, object]:
    """A value that must be an object."""
    if not isinstance(found, dict):
        raise DataError(f"{where}: found {shown(found)}, expected an object")
    return found


def as_list(found: object, where: str) -> list[object]:
    """A value that must be a list."""
    if not isinstance(found, list):
        raise DataError(f"{where}: found {shown(found)}, expected a list")
    return found


def text(row: Row, name: str, where: str) -> str:
    """A field that must be text, not empty and no longer than 4,096 characters.

    >>> text({"s": "BTCUSDT"}, "s", "x")
    'BTCUSDT'
    """
    found = _there(row, name, where)
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST:
        raise _unlike(name, found, "text", where)
    return found


def flag(row: Row, name: str, where: str) -> bool:
    """A field that must be true or false."""
    found = _there(row, name, where)
    if not isinstance(found, bool):
        raise _unlike(name, found, "true or false", where)
    return found


def whole(row: Row, name: str, where: str) -> int:
    """A field that must be a JSON number without a fraction, 0 or more.

    >>> whole({"u": True}, "u", "x")
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: x, field 'u': found True, expected a whole number, 0 or more
    """
    found = _there(row, name, where)
    if type(found) is not int or found < 0:
        raise _unlike(name, found, "a whole number, 0 or more", where)
    return found


def number(row: Row, name: str, where: str) -> float:
    """A field that must be a finite JSON number."""
    found = _there(row, name, where)
    if type(found) is int and abs(found) < 1 << 62:
        return float(found)
    if type(found) is not float or not math.isfinite(found):
        raise _unlike(name, found, "a finite number", where)
    return found


def number_text(row: Row, name: str, where: str) -> float:
    """A field that must be a finite number inside quotes.

    >>> number_text({"r": "-0.0001"}, "r", "x")
    -0.0001
    """
    return number_of(_there(row, name, where), name, where)


def number_of(found: object, name: str, where: str) -> float:
    """A value that must be a finite number inside quotes, no absurd one."""
    if not isinstance(found, str) or not _NUMBER.fullmatch(found):
        raise _unlike(name, found, "a number as text", where)
    value = float(found)
    if not abs(value) <= ABSURD:
        raise _unlike(name, found, f"at most {ABSURD:.0e}", where)
    return value


def positive_text(row: Row, name: str, where: str) -> float:
    """A field that must be a number above 0 inside quotes."""
    found = number_text(row, name, where)
    if found <= 0.0:
        raise _unlike(name, row[name], "a number above 0 as text", where)
    return found


def time_ms(row: Row, name: str, where: str) -> int:
    """A field that must be milliseconds since the epoch, as a JSON number or as digits in quotes.

    >>> time_ms({"T": 1739502302929}, "T", "x"), time_ms({"T": "1739502302929"}, "T", "x")
    (1739502302929, 1739502302929)
    """
    return time_of(_there(row, name, where), name, where)


def time_of(found: object, name: str, where: str) -> int:
    """A value that must be milliseconds since the epoch, from 2010 to 2100.

    >>> time_of(1739502302, "T", "x")
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: x, field 'T': found 1739502302, expected milliseconds of 2010 to 2100
    """
    if isinstance(found, str) and _DIGITS.fullmatch(found):
        at = int(found)
    elif type(found) is int:
        at = found
    else:
        raise _unlike(name, found, "whole milliseconds", where)
    if not _FIRST_MS <= at < _LAST_MS:
        raise _unlike(name, found, "milliseconds of 2010 to 2100", where)
    return at


def shown(value: object) -> str:
    """A value for a message, bounded.

    >>> shown(None), shown("x" * 100)[-3:]
    ('null', 'xx…')
    """
    if value is None:
        return "null"
    if type(value) is int and abs(value) >= 1 << 200:  # printing it may be refused
        return "a number of very many digits"
    try:
        told = repr(value)
    except RecursionError:  # nested just below what the parser refuses
        return "something nested very deeply"
    return told if len(told) <= _SHOWN else f"{told[:_SHOWN]}…"


def _there(row: Row, name: str, where: str) -> object:
    try:
        return row[name]
    except KeyError:
        known = [one for one in islice(row, _COMPARED) if len(one) <= _SHOWN]
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f", renamed to {shown(near[0])}?" if near else ""
        listed = ", ".join(list(row)[:8])[:160] or "no field"
        raise DataError(f"{where}, field '{name}': missing, found {listed}{hint}") from None


def _unlike(name: str, found: object, expected: str, where: str) -> DataError:
    return DataError(f"{where}, field '{name}': found {shown(found)}, expected {expected}")
