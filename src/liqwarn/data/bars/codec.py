"""One symbol's closed bar as a JSON line and back, to the last bit.

::

    {"schema": "liqwarn.bar/1", "symbol": "BTCUSDT", "time": "2024-08-05T06:00:00Z",
     "bar_s": 3600, "fields": {"close": 50123.1}, "ages": {"open_interest": 12.0}}

Only the shape is judged here: a line that is not of it is refused whole, because who writes
numbers as text or invents field names cannot be trusted with the rest. Whether a *value* can be
true is for :mod:`liqwarn.data.bars.border`.
"""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

import numpy as np
import orjson

from liqwarn.data.bars.message import BarMessage
from liqwarn.data.mapping import nearest
from liqwarn.errors import DataError
from liqwarn.frames import FIELDS

__all__ = ["BAR_SCHEMA", "LONGEST_LINE", "decode_message", "encode_message"]

BAR_SCHEMA: Final = "liqwarn.bar/1"

LONGEST_LINE: Final = 16_384
"""Bytes of the longest line read; one with every field and age has less than 3,000."""

_KEYS: Final = ("schema", "symbol", "time", "bar_s", "fields", "ages")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_LONGEST_SYMBOL: Final = 64


def encode_message(message: BarMessage) -> bytes:
    r"""The JSON line of a message, line break included; what is not finite is left out.

    >>> encode_message(BarMessage(symbol="BTCUSDT", time=np.datetime64("2024-08-05T06:00:00"),
    ...                           bar_s=3_600, fields={"close": 50_123.1}))[-70:]
    b'4-08-05T06:00:00Z","bar_s":3600,"fields":{"close":50123.1},"ages":{}}\n'
    """
    document = {
        "schema": BAR_SCHEMA,
        "symbol": message.symbol,
        "time": f"{message.time.astype('datetime64[s]')}Z",
        "bar_s": message.bar_s,
        "fields": _finite(message.fields),
        "ages": _finite(message.ages),
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in numbers.items() if isfinite(value)}


def decode_message(line: bytes, number: int = 1) -> BarMessage:
    """The message of a JSON line.

    Parameters
    ----------
    line : bytes
    number : int
        Of the line in its stream, from 1, for the message of an error.

    Raises
    ------
    DataError
        Naming the line, the field, what was found and what was expected.

    Examples
    --------
    >>> decode_message(b'{"schema": "liqwarn.bar/1", "symbol": "A", "fields": {"close": "1"}}', 7)
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: line 7: no 'time', expected schema, symbol, time, bar_s, fields, ages
    """
    try:
        document = _document(line)
        return BarMessage(
            symbol=_symbol(document["symbol"]),
            time=_close(document["time"]),
            bar_s=_whole(document["bar_s"]),
            fields=_numbers("fields", document["fields"]),
            ages=_numbers("ages", document.get("ages") or {}),
        )
    except DataError as error:
        raise DataError(f"line {number}: {error}") from error


def _document(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise DataError(f"found {len(line)} bytes, expected at most {LONGEST_LINE}")
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DataError(f"not JSON, {error}") from error
    if not isinstance(document, dict):
        raise DataError(f"found {_show(document)}, expected an object")
    if document.get("schema") != BAR_SCHEMA:
        found = _show(document.get("schema"))
        raise DataError(f"schema: found {found}, expected '{BAR_SCHEMA}'")
    for key in _KEYS[:-1]:
        if key not in document:
            raise DataError(f"no '{key}', expected {', '.join(_KEYS)}")
    for key in document:
        if key not in _KEYS:
            raise DataError(f"unknown key {_show(key)}{nearest(key, _KEYS)}")
    return document


def _symbol(found: object) -> str:
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_SYMBOL:
        raise DataError(
            f"symbol: found {_show(found)}, expected text of 1 to {_LONGEST_SYMBOL} characters"
        )
    return found


def _close(found: object) -> np.datetime64:
    if isinstance(found, str) and _TIME.fullmatch(found):
        try:
            return np.datetime64(found[:-1], "s")
        except ValueError:
            pass  # such as 30 February: told below
    raise DataError(f"time: found {_show(found)}, expected a close such as '2024-08-05T06:00:00Z'")


def _whole(found: object) -> int:
    if not isinstance(found, int) or isinstance(found, bool):
        raise DataError(f"bar_s: found {_show(found)}, expected whole seconds")
    return found


def _numbers(kind: str, found: object) -> dict[str, float]:
    if not isinstance(found, dict):
        raise DataError(f"{kind}: found {_show(found)}, expected an object of numbers")
    numbers = {}
    for name, value in found.items():
        if name not in FIELDS:
            hint = nearest(name, FIELDS)
            raise DataError(f"{kind}: unknown field {_show(name)}{hint}")
        if value is None:
            continue
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise DataError(f"{kind}: field '{name}': found {_show(value)}, expected a number")
        numbers[name] = float(value)
    return numbers


def _show(found: object) -> str:
    """What was found, cut short: it may be a stranger's megabyte."""
    if isinstance(found, str):
        return repr(found[:40])
    return f"{str(found)[:40]} ({type(found).__name__})"
