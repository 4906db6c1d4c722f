"""A caller's own rows of features: read from JSON, checked, put in one array."""

from typing import Any, Final, TypeVar

import numpy as np
import orjson
from pydantic import BaseModel, ValidationError

from liqwarn.frames import FloatArray
from liqwarn.serving.answers import ServiceRefused
from liqwarn.serving.asks import first_fault
from liqwarn.serving.data_schema import ScoreRecords, ScoreRows

__all__ = ["MAX_BODY", "MAX_CELLS", "parse_rows"]

MAX_BODY: Final = 8 << 20
"""Bytes of a request."""
MAX_CELLS: Final = 1_000_000
"""Values of a request."""

Asked = TypeVar("Asked", bound=BaseModel)


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
    asked = _checked(ScoreRows, raw)
    names = _distinct(asked.names)
    widths = {len(row) for row in asked.rows}
    if widths != {len(names)}:
        raise ServiceRefused(422, f"rows have {sorted(widths)[:5]} values, expected {len(names)}")
    _need_fit(len(asked.rows), len(names))
    return _finite(np.array(asked.rows, dtype=np.float64)), names


def _from_records(raw: dict[str, Any]) -> tuple[FloatArray, list[str]]:
    asked = _checked(ScoreRecords, raw)
    names = list(dict.fromkeys(name for record in asked.records for name in record))
    if not names:
        raise ServiceRefused(422, "records name no feature, expected one or more")
    _need_fit(len(asked.records), len(names))
    rows = [[record.get(name) for name in names] for record in asked.records]
    return _finite(np.array(rows, dtype=np.float64)), names


def _checked(shape: type[Asked], raw: dict[str, Any]) -> Asked:
    try:
        return shape.model_validate(raw, strict=True)
    except ValidationError as error:
        raise ServiceRefused(422, first_fault(error)) from error


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ServiceRefused(422, f"{len(names)} names, {len(set(names))} of them distinct")
    return names


def _need_fit(rows: int, names: int) -> None:
    if rows * names > MAX_CELLS:
        raise ServiceRefused(413, f"{rows} rows of {names} values, expected at most {MAX_CELLS}")


def _finite(rows: FloatArray) -> FloatArray:
    """Rows without infinities: a number too large for a float is a mistake, not a feature."""
    if np.isinf(rows).any():
        raise ServiceRefused(422, "rows hold an infinite value, expected numbers or null")
    return rows
