"""One reply of Bybit's v5 API: its envelope, and the rows of each kind of history.

Replies come newest first; readings are told oldest first. Numbers are text and stay so.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from liqwarn.errors import BusyError, DataError, RefusedError
from liqwarn.sources.api_series import check_stamps
from liqwarn.sources.json_page import parse_page, shown
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_shape import Cell, RowShape, as_list, as_object
from liqwarn.sources.spans import Span

__all__ = [
    "read_candles",
    "read_funding",
    "read_launch",
    "read_open_interest",
    "read_prices",
    "read_ratio",
    "rows_of",
]

_PASSING: Final = frozenset({"10000", "10006", "10016", "10018"})
"""Server time-out, too many visits, server error, too many visits of this address."""

_CATEGORY: Final = "linear"
_ENVELOPE: Final = frozenset({"retCode", "retMsg", "result", "retExtInfo", "time"})
_INSIDE: Final = frozenset({"category", "symbol", "list", "nextPageCursor"})
_FUNDING: Final = RowShape(
    cells={
        "symbol": "text", "fundingRate": "number text", "fundingRateTimestamp": "number text",
    }
)  # fmt: skip
_INTEREST: Final = RowShape(
    cells={
        "openInterest": "number text", "singleOpenInterest": "number text",
        "timestamp": "number text",
    },
    nullable=frozenset({"singleOpenInterest"}),
)  # fmt: skip
_RATIO: Final = RowShape(
    cells={
        "symbol": "text", "buyRatio": "number text", "sellRatio": "number text",
        "timestamp": "number text",
    }
)  # fmt: skip
_PRICES: Final = ("start", "open", "high", "low", "close")
_CANDLE: Final = (*_PRICES, "volume", "turnover")
_WHOLE_DIGITS: Final = 18
_RATIO_SLACK: Final = Decimal("0.01")


def rows_of(content: bytes, symbol: str, where: str) -> list[object]:
    """Rows of a reply, once its envelope is what it should be.

    Raises
    ------
    BusyError
        When it says to come again.
    DataError
        For an error with status 200, another symbol or category, or an envelope with other fields.

    Examples
    --------
    >>> rows_of(b'{"retCode": 10001, "retMsg": "params error", "result": {}}', "BTCUSDT", "page 1")
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: page 1, field 'retCode': found 10001 ('params error'), expected 0
    """
    page = as_object(parse_page(content, where), where)
    _check_code(page, where)
    _check_names(page, _ENVELOPE, where)
    result = as_object(page.get("result"), f"{where}, field 'result'")
    _check_names(result, _INSIDE, f"{where}, field 'result'")
    rows = as_list(result.get("list"), f"{where}, field 'list'")
    if rows:  # what is empty may leave them empty
        for name, expected in (("category", _CATEGORY), ("symbol", symbol)):
            if result.get(name, expected) != expected:
                raise DataError(
                    f"{where}, field '{name}': found {shown(result[name])}, expected '{expected}'"
                )
    return rows


def read_funding(content: bytes, symbol: str, span: Span, where: str) -> list[Reading]:
    """Settled rates of a reply: ``fundingRate``.

    Raises
    ------
    BusyError, DataError
        As :func:`rows_of`; when a row is not what was asked for.
    """
    readings = []
    for place, found in _placed(rows_of(content, symbol, where), where):
        row = _FUNDING.read(found, place)
        _check_symbol(row, symbol, place)
        time = _time(row, "fundingRateTimestamp", place)
        readings.append(Reading(time=time, cells=(row["fundingRate"],)))
    return _oldest_first(readings, 1, span, where)


def read_open_interest(
    content: bytes, symbol: str, step: int, span: Span, where: str
) -> list[Reading]:
    """Open interest of a reply: ``openInterest`` of both sides, ``singleOpenInterest`` of one.

    Raises
    ------
    BusyError, DataError
        As :func:`rows_of`; when the first is not twice the second, up to its last digit.
    """
    readings = []
    for place, found in _placed(rows_of(content, symbol, where), where):
        row = _INTEREST.read(found, place)
        both, single = row["openInterest"], row["singleOpenInterest"]
        _check_positive({"openInterest": both, "singleOpenInterest": single or "0"}, place)
        if single and not _is_twice(both, single):
            raise DataError(
                f"{place}, field 'openInterest': found {shown(both)}, expected twice "
                f"'singleOpenInterest' ({shown(single)}): does it count other sides than before?"
            )
        readings.append(Reading(time=_time(row, "timestamp", place), cells=(both, single)))
    return _oldest_first(readings, step, span, where)


def read_ratio(content: bytes, symbol: str, step: int, span: Span, where: str) -> list[Reading]:
    """Shares of accounts of a reply: ``buyRatio`` that are net long, ``sellRatio`` net short.

    Raises
    ------
    BusyError, DataError
        As :func:`rows_of`; when they do not add up to one.
    """
    readings = []
    for place, found in _placed(rows_of(content, symbol, where), where):
        row = _RATIO.read(found, place)
        _check_symbol(row, symbol, place)
        shares = {name: row[name] for name in ("buyRatio", "sellRatio")}
        _check_positive(shares, place)
        if abs(Decimal(row["buyRatio"]) + Decimal(row["sellRatio"]) - 1) > _RATIO_SLACK:
            raise DataError(
                f"{place}: found buyRatio {shown(row['buyRatio'])} and sellRatio "
                f"{shown(row['sellRatio'])}, expected shares that add up to 1"
            )
        time = _time(row, "timestamp", place)
        readings.append(Reading(time=time, cells=tuple(shares.values())))
    return _oldest_first(readings, step, span, where)


def read_candles(content: bytes, symbol: str, step: int, span: Span, where: str) -> list[Reading]:
    """Candles of a reply: open, high, low, close, volume in coins, turnover in USDT.

    Raises
    ------
    BusyError, DataError
        As :func:`rows_of`; for prices that cannot be true.
    """
    return _read_lists(content, symbol, _CANDLE, step, (span, where))


def read_prices(content: bytes, symbol: str, step: int, span: Span, where: str) -> list[Reading]:
    """Candles of the mark or the index price of a reply: open, high, low, close.

    Raises
    ------
    BusyError, DataError
        As :func:`read_candles`.
    """
    return _read_lists(content, symbol, _PRICES, step, (span, where))


def read_launch(content: bytes, symbol: str, where: str) -> int | None:
    """When a perpetual was listed, in milliseconds; None when the venue does not say.

    Of this reply only the name and the launch are read: its other fields are about orders.

    Raises
    ------
    RefusedError
        When there is no such perpetual.
    BusyError, DataError
        As :func:`rows_of`.
    """
    page = as_object(parse_page(content, where), where)
    if str(page.get("retCode")) == "10001":
        raise RefusedError(f"{where}: no perpetual '{symbol}' ({shown(page.get('retMsg'))})")
    rows = rows_of(content, symbol, where)
    for place, found in _placed(rows, where):
        row = as_object(found, place)
        if row.get("symbol") != symbol:
            raise DataError(
                f"{place}, field 'symbol': found {shown(row.get('symbol'))}, expected '{symbol}'"
            )
        text = str(row.get("launchTime", ""))
        if not text.isdecimal() or not text.isascii() or len(text) > _WHOLE_DIGITS:
            raise DataError(f"{place}, field 'launchTime': found {shown(text)}, expected ms")
        return int(text) or None
    return None


def _read_lists(
    content: bytes, symbol: str, names: Sequence[str], step: int, asked: tuple[Span, str]
) -> list[Reading]:
    span, where = asked
    cells: dict[str, Cell] = dict.fromkeys(names, "number text")
    shape, readings = RowShape(cells=cells), []
    for place, found in _placed(rows_of(content, symbol, where), where):
        values = as_list(found, place)
        if len(values) != len(names):
            raise DataError(
                f"{place}: found {len(values)} cells, expected {len(names)}: {', '.join(names)}"
            )
        row = shape.read(dict(zip(names, values, strict=True)), place)
        _check_candle(row, place)
        cell = tuple(row[name] for name in names[1:])
        readings.append(Reading(time=_time(row, "start", place), cells=cell))
    return _oldest_first(readings, step, span, where)


def _check_candle(row: Mapping[str, str], where: str) -> None:
    first, high, low, last = (Decimal(row[name]) for name in ("open", "high", "low", "close"))
    if not 0 < low <= min(first, last) <= max(first, last) <= high:
        raise DataError(
            f"{where}: found o {first}, h {high}, l {low}, c {last}, "
            "expected a low above 0 and a high around the others"
        )
    _check_positive({name: row[name] for name in ("volume", "turnover") if name in row}, where)


def _check_code(page: Mapping[str, object], where: str) -> None:
    code, said = str(page.get("retCode")), str(page.get("retMsg", ""))
    if code in _PASSING:
        raise BusyError(f"{where}, field 'retCode': found {code} ({shown(said)})")
    if code != "0":
        told = shown(page.get("retCode"))
        raise DataError(f"{where}, field 'retCode': found {told} ({shown(said)}), expected 0")


def _check_names(found: Mapping[str, object], known: frozenset[str], where: str) -> None:
    for name in found:
        if name not in known:
            raise DataError(
                f"{where}, field {shown(name)}: new, expected {', '.join(sorted(known))}"
            )


def _check_symbol(row: Mapping[str, str], symbol: str, where: str) -> None:
    if row["symbol"] != symbol:
        raise DataError(
            f"{where}, field 'symbol': found {shown(row['symbol'])}, expected '{symbol}'"
        )


def _check_positive(cells: Mapping[str, str], where: str) -> None:
    for name, text in cells.items():
        if text.startswith("-"):
            raise DataError(f"{where}, field '{name}': found {shown(text)}, expected 0 or more")


def _is_twice(both: str, single: str) -> bool:
    """Whether they agree up to a unit in the last place of the one that has fewer."""
    last = max(Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent)) for text in (both, single))
    return abs(Decimal(both) - 2 * Decimal(single)) <= last


def _time(row: Mapping[str, str], name: str, where: str) -> int:
    text = row[name]
    if not text.isdecimal() or len(text) > _WHOLE_DIGITS:
        raise DataError(
            f"{where}, field '{name}': found {shown(text)}, expected whole milliseconds"
        )
    return int(text)


def _placed(rows: Sequence[object], where: str) -> list[tuple[str, object]]:
    return [(f"{where}, row {n}", row) for n, row in enumerate(rows, 1)]


def _oldest_first(readings: list[Reading], step: int, span: Span, where: str) -> list[Reading]:
    readings.reverse()
    check_stamps(readings, step, span, f"{where}, from its end")
    return readings
