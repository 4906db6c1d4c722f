"""Happenings as bytes of the tape and back: JSON with a schema, every bit of a number kept.

A row is a list: what it is, then the fields in the order of its class. Numbers are written with as
many digits as give the same bits back. NaN, allowed where a venue does not tell, is ``null``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, get_args, get_type_hints

import orjson

from liqwarn.collectors.happenings import (
    Candle,
    Happening,
    Liquidation,
    Position,
    Reading,
    Trade,
)
from liqwarn.errors import DataError

__all__ = ["decode_happenings", "encode_happenings"]

_SCHEMA: Final = "liqwarn.happenings/1"
_CLASSES: Final[Mapping[str, type[Happening]]] = {
    "liquidation": Liquidation,
    "reading": Reading,
    "candle": Candle,
    "trade": Trade,
    "position": Position,
}
_NAMES: Final = {kind: name for name, kind in _CLASSES.items()}
_UNTOLD: Final = frozenset({"taker_buy_volume", "entry", "liquidation_price", "leverage"})


def _shape(kind: type[Happening]) -> tuple[tuple[str, Any], ...]:
    """Name and type of each field; of a choice of words, the words."""
    hints = get_type_hints(kind)
    return tuple((f.name, get_args(hints[f.name]) or hints[f.name]) for f in fields(kind))


_SHAPES: Final = {name: _shape(kind) for name, kind in _CLASSES.items()}


def encode_happenings(happenings: Sequence[Happening]) -> bytes:
    """The bytes of happenings, in their order.

    Raises
    ------
    DataError
        When a value is none that a happening may have: those bytes could not be read again.

    Examples
    --------
    >>> told = Reading(symbol="BTCUSDT", time_ms=5, field="mark", value=0.1)
    >>> encode_happenings([told]).decode()
    '{"schema":"liqwarn.happenings/1","rows":[["reading","BTCUSDT",5,"mark",0.1]]}'
    >>> decode_happenings(encode_happenings([told])) == (told,)
    True
    """
    rows = [_row(number, told) for number, told in enumerate(happenings)]
    try:
        return orjson.dumps({"schema": _SCHEMA, "rows": rows})
    except TypeError as error:
        raise DataError(f"happenings cannot be written as JSON: {error}") from error


def decode_happenings(content: bytes) -> tuple[Happening, ...]:
    """The happenings in the bytes of :func:`encode_happenings`.

    Raises
    ------
    DataError
        When the bytes are not such: row, field, what was found and what was expected.
    """
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise DataError(f"happenings: found no JSON ({error}), expected {_SCHEMA}") from error
    if not isinstance(told, dict) or told.keys() != {"schema", "rows"}:
        raise DataError("happenings: found other keys, expected schema and rows")
    if told["schema"] != _SCHEMA:
        raise DataError(f"happenings: schema is {told['schema']!r}, expected {_SCHEMA!r}")
    if not isinstance(told["rows"], list):
        raise DataError(f"happenings: rows is {type(told['rows']).__name__}, expected a list")
    return tuple(_happening(number, row) for number, row in enumerate(told["rows"]))


def _row(number: int, told: Happening) -> list[Any]:
    name = _NAMES[type(told)]
    row = [name]
    for field, kind in _SHAPES[name]:
        value = getattr(told, field)
        if isinstance(value, float) and math.isnan(value):
            value = None
        _checked(number, field, kind, value)
        row.append(value)
    return row


def _happening(number: int, row: object) -> Happening:
    if not isinstance(row, list) or not row or not isinstance(row[0], str):
        raise DataError(f"happening {number}: found {row!r}, expected a list with its kind first")
    shape = _SHAPES.get(row[0])
    if shape is None:
        raise DataError(f"happening {number}: found {row[0]!r}, expected one of {list(_SHAPES)}")
    if len(row) != len(shape) + 1:
        found, expected = len(row) - 1, len(shape)
        raise DataError(f"happening {number}: {row[0]} of {found} fields, expected {expected}")
    values = {
        field: _checked(number, field, kind, value)
        for (field, kind), value in zip(shape, row[1:], strict=True)
    }
    return _CLASSES[row[0]](**values)


def _checked(number: int, field: str, kind: Any, value: Any) -> Any:  # noqa: ANN401  of any field
    """The value of a field, when it may have it."""
    if value is None and field in _UNTOLD:
        return math.nan
    if isinstance(kind, tuple):
        fits, expected = isinstance(value, str) and value in kind, f"one of {list(kind)}"
    else:
        fits, expected = type(value) is kind, kind.__name__
    if fits and kind is float and not math.isfinite(value):
        fits, expected = False, "a finite number"
    if not fits:
        raise DataError(f"happening {number}: {field} is {value!r}, expected {expected}")
    return value
