"""Replies of CoinGlass v4: an envelope, and rows whose numbers are text in some endpoints."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Never

from liqwarn.errors import BusyError, DataError, RefusedError, SourceError
from liqwarn.sources.api_series import check_stamps
from liqwarn.sources.json_page import parse_page, shown
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_laws import Law
from liqwarn.sources.row_shape import Cell, RowShape, as_list, as_object
from liqwarn.sources.spans import Span

__all__ = ["BALANCE_COLUMNS", "Rows", "read_balance", "read_history"]

_ENVELOPE: Final = {"code", "msg", "data", "success"}
_GOOD: Final = "0"
_PASSING: Final = frozenset({"408", "429", "500", "502", "503", "504"})
_KEY: Final = re.compile(r"key", re.IGNORECASE)
_PLAN: Final = re.compile(r"plan|upgrade|permission|subscri", re.IGNORECASE)

BALANCE_COLUMNS: Final = (
    "total_balance",
    "balance_change_1d",
    "balance_change_7d",
    "balance_change_30d",
)
_BALANCE_CELLS: Final[Mapping[str, Cell]] = {
    "exchange_name": "text",
    **dict.fromkeys(BALANCE_COLUMNS, "any number"),
}
_BALANCE: Final = RowShape(
    cells=_BALANCE_CELLS,
    nullable=frozenset(BALANCE_COLUMNS[1:]),
    extra={f"balance_change_percent_{days}d": "any" for days in (1, 7, 30)},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the rows of an endpoint are.

    Attributes
    ----------
    columns : tuple of str
        Beside ``time``, which is the start of the interval in milliseconds.
    law : callable
        What must be true of a row.
    extra : tuple of str
        Columns that may be there and are not kept.
    """

    columns: tuple[str, ...]
    law: Law
    extra: tuple[str, ...] = field(default=())

    @property
    def shape(self) -> RowShape:
        """Numbers come with quotes or without; null is a value to come."""
        cells: dict[str, Cell] = {"time": "whole", **dict.fromkeys(self.columns, "any number")}
        return RowShape(
            cells=cells,
            nullable=frozenset(self.columns),
            extra=dict.fromkeys(self.extra, "any"),
        )


def read_history(content: bytes, rows: Rows, step: int, span: Span, where: str) -> list[Reading]:
    """Rows of a history whole or not at all.

    Parameters
    ----------
    content : bytes
        The reply.
    rows : Rows
    step : int
        Interval in milliseconds.
    span : (int, int)
        That was asked for, milliseconds since the epoch.
    where : str
        Names the reply in messages.

    Raises
    ------
    BusyError, RefusedError, SourceError
        When the envelope asks for patience; refuses this question; refuses the key.
    DataError
        For anything else than was asked for.
    """
    readings, shape = [], rows.shape
    for n, found in enumerate(_data(content, where), 1):
        row = shape.read(found, f"{where}, row {n}")
        cells = {name: row[name] for name in rows.columns}
        fault = rows.law(cells)
        if fault:
            raise DataError(f"{where}, row {n}: {fault}")
        readings.append(Reading(time=int(row["time"]), cells=tuple(cells.values())))
    check_stamps(readings, step, span, where)
    return readings


def read_balance(content: bytes, exchange: str, where: str) -> tuple[str, ...]:
    """Coins that an exchange holds now, and their changes; cells of :data:`BALANCE_COLUMNS`.

    Raises
    ------
    BusyError, SourceError, DataError
        As :func:`read_history`.
    RefusedError
        Also when there is no such exchange.
    """
    found: dict[str, tuple[str, ...]] = {}
    for n, told in enumerate(_data(content, where), 1):
        row = _BALANCE.read(told, f"{where}, row {n}")
        name = row["exchange_name"]
        if name in found:
            raise DataError(f"{where}, row {n}: exchange '{name}' is there twice, expected once")
        if float(row["total_balance"]) < 0:
            raise DataError(
                f"{where}, row {n}, field 'total_balance': found {row['total_balance']}, "
                "expected 0 or more"
            )
        found[name] = tuple(row[column] for column in BALANCE_COLUMNS)
    if exchange not in found:
        listed = ", ".join(sorted(found)[:20])
        raise RefusedError(f"{where}: no exchange '{exchange}', found {listed or 'none'}")
    return found[exchange]


def _data(content: bytes, where: str) -> list[object]:
    page = as_object(parse_page(content, where), where)
    code = page.get("code")
    if code != _GOOD:
        _refuse(page, where)
    if "data" not in page or set(page) - _ENVELOPE:
        raise DataError(f"{where}: found fields {sorted(page)[:8]}, expected {sorted(_ENVELOPE)}")
    return as_list(page["data"], f"{where}, field 'data'")


def _refuse(page: Mapping[str, object], where: str) -> Never:
    """The provider's error, by what it means for the run."""
    code, said = page.get("code"), shown(page.get("msg"))
    if not isinstance(code, str):
        raise DataError(f"{where}, field 'code': found {shown(code)}, expected '0'")
    told = f"{where}: found an error, code {shown(code)}, {said}, expected code '0'"
    if code in _PASSING:
        raise BusyError(told)
    if _PLAN.search(said):
        raise RefusedError(f"{told}: not in the plan of this key?")
    if code == "401" or _KEY.search(said):
        raise SourceError(f"{told}: is the key right?")
    raise RefusedError(told)
