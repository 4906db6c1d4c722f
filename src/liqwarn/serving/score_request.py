"""A caller's own rows of features: read from JSON, checked, put in one array."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import orjson

from liqwarn.frames import FloatArray
from liqwarn.serving.answers import ServiceRefused
from liqwarn.serving.data_schema import MAX_NAMES, MAX_ROWS

__all__ = ["MAX_BODY", "MAX_CELLS", "parse_rows"]

MAX_BODY: Final = 1 << 20
"""Bytes of a request."""
MAX_CELLS: Final = 250_000
"""Values of a request."""

_NUMBERS: Final = {float, int, type(None)}


def parse_rows(content: bytes) -> tuple[FloatArray, list[str]]:
    """The rows, shape (n, n_names), NaN where unknown, and the names of their columns.

    Raises
    ------
    ServiceRefused
        400 for what is no JSON, 413 for too much of it, 422 for JSON that is no table of numbers.

    Examples
    --------
    >>> parse_rows(b'{"names": ["a", "b"], "rows": [[1, null]]}')
    (array([[ 1., nan]]), ['a', 'b'])
    >>> parse_rows(b'{"records": [{"a": 1}, {"b": 2.5}]}')
    (array([[1. , nan],
           [nan, 2.5]]), ['a', 'b'])
    """
    if len(content) > MAX_BODY:
        raise ServiceRefused(413, f"body has more than {MAX_BODY} bytes")
    try:
        raw = orjson.loads(content)
    except ValueError as error:
        raise ServiceRefused(400, f"body is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise ServiceRefused(422, f"body is {type(raw).__name__}, expected an object")
    return _from_records(raw) if "records" in raw else _from_rows(raw)


def _from_rows(raw: dict[str, Any]) -> tuple[FloatArray, list[str]]:
    _need_keys(raw, "names", "rows")
    names, rows = _listed(raw, "names", MAX_NAMES), _listed(raw, "rows", MAX_ROWS)
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise ServiceRefused(422, "names are not distinct texts")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise ServiceRefused(422, f"row {number} is not a list of {len(names)} values")
        _need_numbers(row, number)
    _need_fit(len(rows), len(names))
    return _finite(np.array(rows, dtype=np.float64)), names


def _from_records(raw: dict[str, Any]) -> tuple[FloatArray, list[str]]:
    _need_keys(raw, "records")
    records = _listed(raw, "records", MAX_ROWS)
    names: dict[str, None] = {}
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            raise ServiceRefused(422, f"record {number} is not an object")
        _need_numbers(record.values(), number)
        names.update(dict.fromkeys(record))
    if not 1 <= len(names) <= MAX_NAMES:
        raise ServiceRefused(422, f"records name {len(names)} features, expected 1 to {MAX_NAMES}")
    _need_fit(len(records), len(names))
    rows = [[record.get(name) for name in names] for record in records]
    return _finite(np.array(rows, dtype=np.float64)), list(names)


def _need_keys(raw: dict[str, Any], *names: str) -> None:
    if set(raw) != set(names):
        found = sorted(raw)[:5]
        raise ServiceRefused(422, f"body has keys {found}, expected names and rows, or records")


def _listed(raw: dict[str, Any], name: str, most: int) -> list[Any]:
    value = raw[name]
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        found = len(value) if isinstance(value, list) else "none"
        raise ServiceRefused(422, f"{name} has length {found}, expected a list of 1 to {most}")
    return value


def _need_numbers(values: Iterable[Any], number: int) -> None:
    """Checked by type, so that true is no 1; stops at the first that is none."""
    strange = set(map(type, values)) - _NUMBERS
    if strange:
        found = sorted(kind.__name__ for kind in strange)
        raise ServiceRefused(422, f"row {number} has {found}, expected numbers or null")


def _need_fit(rows: int, names: int) -> None:
    if rows * names > MAX_CELLS:
        raise ServiceRefused(413, f"{rows} rows of {names} values, expected at most {MAX_CELLS}")


def _finite(rows: FloatArray) -> FloatArray:
    """Rows without infinities: a number too large for a float is a mistake, not a feature."""
    if np.isinf(rows).any():
        raise ServiceRefused(422, "rows hold an infinite value, expected numbers or null")
    return rows
