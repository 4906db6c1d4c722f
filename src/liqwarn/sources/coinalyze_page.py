"""Replies of Coinalyze: a list of markets, each with rows whose stamps are seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from liqwarn.errors import DataError, RefusedError
from liqwarn.sources.api_series import check_stamps
from liqwarn.sources.json_page import parse_page, shown
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_laws import Law
from liqwarn.sources.row_shape import Cell, RowShape, as_list, as_object
from liqwarn.sources.spans import Span

__all__ = ["MarketRows", "check_market", "read_markets"]

_MS: Final = 1_000
_MARKET: Final = frozenset({"symbol", "history"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRows:
    """What the rows of an endpoint are.

    Attributes
    ----------
    columns : mapping of column to str
        The provider's letter of each column that is kept; ``t`` is the start of the interval.
    law : callable
        What must be true of a row, by column.
    optional : frozenset of str
        Columns that some markets do not have.
    """

    columns: Mapping[str, str]
    law: Law
    optional: frozenset[str] = frozenset()

    @property
    def shape(self) -> RowShape:
        """Fields of a row; null is a value to come."""
        cells: dict[str, Cell] = {"t": "whole"}
        extra: dict[str, Cell] = {}
        for column, letter in self.columns.items():
            (extra if column in self.optional else cells)[letter] = "any number"
        return RowShape(cells=cells, nullable=frozenset(self.columns.values()), extra=extra)


def read_markets(
    content: bytes, symbols: Sequence[str], rows: MarketRows, step: int, span: Span
) -> dict[str, list[Reading] | DataError]:
    """Rows of each market that was asked for, whole or not at all, or why they cannot be used.

    Parameters
    ----------
    content : bytes
        The reply.
    symbols : sequence of str
        That were asked for; one that is not in the reply has no rows.
    rows : MarketRows
    step : int
        Interval in milliseconds.
    span : (int, int)
        That was asked for, milliseconds since the epoch.

    Raises
    ------
    DataError
        When the reply as a whole is not what was asked for.
    """
    where = f"{', '.join(symbols[:2])}{', …' if len(symbols) > 2 else ''} from {span[0]}"
    found: dict[str, list[Reading] | DataError] = {}
    for n, told in enumerate(as_list(parse_page(content, where), where), 1):
        place = f"{where}, market {n}"
        market = as_object(told, place)
        if set(market) != _MARKET:
            raise DataError(f"{place}: found fields {sorted(market)[:8]}, expected history, symbol")
        symbol = market["symbol"]
        if not isinstance(symbol, str) or symbol not in symbols or symbol in found:
            raise DataError(
                f"{place}, field 'symbol': found {shown(symbol)}, expected each that was asked for "
                "once at most"
            )
        try:
            found[symbol] = _rows(market["history"], rows, step, span, f"{symbol} from {span[0]}")
        except DataError as error:
            found[symbol] = error
    return {symbol: found.get(symbol, []) for symbol in symbols}


def _rows(found: object, rows: MarketRows, step: int, span: Span, where: str) -> list[Reading]:
    readings, shape = [], rows.shape
    for n, told in enumerate(as_list(found, f"{where}, field 'history'"), 1):
        row = shape.read(told, f"{where}, row {n}")
        cells = {column: row.get(letter, "") for column, letter in rows.columns.items()}
        fault = rows.law(cells)
        if fault:
            raise DataError(f"{where}, row {n}: {fault}")
        readings.append(Reading(time=int(row["t"]) * _MS, cells=tuple(cells.values())))
    check_stamps(readings, step, span, where)
    return readings


def check_market(content: bytes, symbol: str) -> None:
    """Refuse a symbol that is none of the provider's futures: it would have no rows, unsaid.

    Raises
    ------
    RefusedError
        With the nearest one.
    DataError
        When the reply is no list of markets.
    """
    where = "future-markets"
    names = [
        as_object(told, f"{where}, row {n}").get("symbol")
        for n, told in enumerate(as_list(parse_page(content, where), where), 1)
    ]
    if not names or not all(isinstance(name, str) for name in names):
        raise DataError(f"{where}, field 'symbol': missing or no text, expected a name in each row")
    if symbol not in names:
        close = get_close_matches(symbol, [str(name) for name in names], n=1)
        hint = f", did you mean {close[0]}?" if close else ""
        raise RefusedError(f"{where}: no market '{symbol}' among {len(names)}{hint}")
