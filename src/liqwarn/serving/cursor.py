"""The place in a history where a page ended, as text that a caller carries along unread.

It holds what the first page was known by: rows that are added between two pages belong to the next
walk and can neither shift this one nor be shown twice in it.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from liqwarn.serving.answers import ServiceRefused
from liqwarn.serving.history_groups import micros_of, moment_of
from liqwarn.serving.ports import HistoryKey

__all__ = ["Cursor", "read_cursor", "write_cursor"]

_FOREIGN: Final = "cursor is not one that this server gave"
_LARGEST: Final = 253_402_300_799_999_999  # the last microsecond that a datetime can hold
_LEAST: Final = -62_135_596_800_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where the next page starts, and what all pages of the walk are known by."""

    known_by: datetime
    behind: HistoryKey


def write_cursor(cursor: Cursor) -> str:
    """The cursor as text, of letters that need no escape in a URL."""
    content = orjson.dumps([micros_of(cursor.known_by), *cursor.behind])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """What :func:`write_cursor` wrote.

    Raises
    ------
    ServiceRefused
        400 for anything else.

    Examples
    --------
    >>> mark = Cursor(known_by=moment_of(2), behind=(1, "long", 7, 2))
    >>> read_cursor(write_cursor(mark)) == mark
    True
    """
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        known_by, as_of, side, sequence, issued = orjson.loads(content)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ServiceRefused(400, _FOREIGN) from error
    numbers = (known_by, as_of, sequence, issued)
    if not isinstance(side, str) or not all(map(_fits, numbers)):
        raise ServiceRefused(400, _FOREIGN)
    return Cursor(known_by=moment_of(known_by), behind=(as_of, side, sequence, issued))


def _fits(number: object) -> bool:
    return type(number) is int and _LEAST <= number <= _LARGEST
