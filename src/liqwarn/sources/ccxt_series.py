"""Funding and open interest of any exchange that ccxt can ask, as series that are recorded."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

from liqwarn.errors import ConfigError, DataError, RefusedError
from liqwarn.sources.api_series import ApiSeries, check_stamps
from liqwarn.sources.ccxt_process import CcxtProcess
from liqwarn.sources.json_page import Number, shown
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_shape import RowShape, as_list
from liqwarn.sources.spans import Span

__all__ = ["AMOUNTS", "TIMEFRAMES", "Amount", "ccxt_series", "file_name", "read_rows"]

Amount = Literal["base", "contracts"]
"""What ``openInterestAmount`` counts: coins, or contracts of ``contractSize`` coins."""

AMOUNTS: Final[Mapping[str, Amount | None]] = MappingProxyType(
    {
        "binance": "base", "binanceusdm": "base", "bitfinex": "contracts", "extended": "base",
        "gate": "contracts", "gateeu": "contracts", "htx": "base",
        "okx": "contracts", "okxus": "contracts", "myokx": "contracts",
        "bybit": None, "bybiteu": None, "bybitid": None,
    }
)  # fmt: skip
"""As ccxt 4.5.90 fills it, read in its code; None counts both sides. Others must be told."""

TIMEFRAMES: Final[Mapping[str, int]] = MappingProxyType(
    {"5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000, "4h": 14_400_000,
     "1d": 86_400_000}
)  # fmt: skip
"""Of open interest, in milliseconds."""

_HOUR: Final = 3_600_000
_ROWS: Final = 100
_UNTIL: Final = {"okx": "after", "okxus": "after", "myokx": "after"}
"""Of funding: where ccxt does not pass ``until`` on."""

_UNKNOWN: Final = "unknown"
_FUNDING: Final = RowShape(
    cells={"timestamp": "whole", "fundingRate": "number text", "interval": "text"},
    nullable=frozenset({"interval"}),
)
_INTEREST: Final = RowShape(
    cells={
        "timestamp": "whole",
        "openInterestAmount": "number text",
        "openInterestValue": "number text",
    },
    nullable=frozenset({"openInterestAmount", "openInterestValue"}),
)


def file_name(symbol: str) -> str:
    """A unified symbol as part of a file's name.

    >>> file_name("BTC/USDT:USDT")
    'BTC_USDT_USDT'
    """
    return symbol.replace("/", "_").replace(":", "_")


def ccxt_series(
    worker: CcxtProcess,
    exchange: str,
    symbols: Sequence[str],
    timeframe: str,
    amount: Amount | None,
) -> list[ApiSeries]:
    """Funding and open interest of the symbols, as far as ccxt has their history.

    Parameters
    ----------
    worker : CcxtProcess
    exchange : str
    symbols : sequence of str
        Unified, of linear perpetuals: ``BTC/USDT:USDT``.
    timeframe : str
        Of open interest, one of :data:`TIMEFRAMES`.
    amount : Amount or None
        What its amounts count; None is :data:`AMOUNTS`.

    Raises
    ------
    ConfigError
        When ccxt has neither history of the exchange.
    """
    has = [kind for kind in ("funding", "open-interest") if worker.opened.get(kind) is True]
    if not has:
        raise ConfigError(
            f"exchange is {exchange!r}: ccxt {worker.opened.get('version')} has no history of its "
            "funding or open interest"
        )
    every = []
    for symbol in symbols:
        if "funding" in has:
            every.append(_funding(worker, exchange, symbol))
        if "open-interest" in has:
            every.append(_interest(worker, exchange, symbol, timeframe, amount))
    return every


def read_rows(
    reply: Mapping[str, object], shape: RowShape, names: Sequence[str], span: Span, where: str
) -> list[Reading]:
    """Rows of a worker's reply that are in a span: exchanges send others too.

    Raises
    ------
    DataError
        For a row that is not as told, is there twice or goes back.
    """
    if reply.get("told") != "rows":
        raise DataError(f"{where}, field 'told': found {shown(reply.get('told'))}, expected 'rows'")
    readings = []
    for n, found in enumerate(as_list(reply.get("rows"), f"{where}, field 'rows'"), 1):
        row = shape.read(found, f"{where}, row {n}")
        cells = tuple(row[name] for name in names)
        readings.append(Reading(time=int(row["timestamp"]), cells=cells))
    if readings:
        check_stamps(readings, 1, (_FIRST, _LAST), where)
    return [reading for reading in readings if span[0] <= reading.time < span[1]]


_FIRST: Final = 1_230_768_000_000
_LAST: Final = 4_102_444_800_000


def _funding(worker: CcxtProcess, exchange: str, symbol: str) -> ApiSeries:
    width = _ROWS * _HOUR

    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        _market(worker, exchange, symbol)
        for begin in range(span[0], span[1], width):
            at = (begin, min(begin + width, span[1]))
            reply, came = worker.ask("funding", symbol=symbol, since=at[0], limit=_ROWS,
                                     params=_until(exchange, at))  # fmt: skip
            where = f"funding of {symbol} from {at[0]}"
            rows = read_rows(reply, _FUNDING, ("fundingRate", "interval"), at, where)
            yield [_with_interval(row) for row in rows], came

    return ApiSeries(
        kind="funding", name=file_name(symbol), columns=("fundingRate", "interval"),
        step=8 * _HOUR, settles=16 * _HOUR, instants=True, ask=ask,
    )  # fmt: skip


def _until(exchange: str, at: Span) -> dict[str, int]:
    """The end of a span: ccxt takes it as inside, an exchange's own word as outside."""
    return {_UNTIL[exchange]: at[1]} if exchange in _UNTIL else {"until": at[1] - 1}


def _with_interval(row: Reading) -> Reading:
    rate, interval = row.cells
    return Reading(time=row.time, cells=(rate, interval or _UNKNOWN))


def _interest(
    worker: CcxtProcess, exchange: str, symbol: str, timeframe: str, amount: Amount | None
) -> ApiSeries:
    step = TIMEFRAMES[timeframe]

    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        counted = _amount(exchange, amount)
        size = _market(worker, exchange, symbol)
        if counted == "contracts" and size is None:
            raise DataError(f"{exchange}: {symbol} has no contractSize, expected coins a contract")
        for begin in range(span[0], span[1], _ROWS * step):
            at = (begin, min(begin + _ROWS * step, span[1]))
            span_told = {"since": at[0], "limit": _ROWS, "params": {"until": at[1] - 1}}
            reply, came = worker.ask(
                "open-interest", symbol=symbol, timeframe=timeframe, **span_told
            )
            where = f"open interest of {symbol} from {at[0]}"
            rows = read_rows(reply, _INTEREST, ("openInterestAmount",), at, where)
            yield [_in_coins(row, counted, size or "1", where) for row in rows], came

    return ApiSeries(
        kind=f"open-interest-{timeframe}", name=file_name(symbol),
        columns=("openInterestAmount", "contractSize", "openInterest"), step=step,
        settles=2 * step, ask=ask,
    )  # fmt: skip


def _amount(exchange: str, told: Amount | None) -> Amount:
    """What the amounts of an exchange count."""
    if exchange in AMOUNTS and AMOUNTS[exchange] is None:
        raise RefusedError(
            f"{exchange}: ccxt's openInterestAmount counts both sides: use liqwarn fetch bybit"
        )
    known = told or AMOUNTS.get(exchange)
    if known is None:
        raise RefusedError(
            f"{exchange}: it is not known whether ccxt's openInterestAmount counts coins or "
            "contracts there: look it up, and say it with --amount-in base or contracts"
        )
    return known


def _market(worker: CcxtProcess, exchange: str, symbol: str) -> str | None:
    """The contract size of a linear perpetual, as text."""
    market, _ = worker.ask("market", symbol=symbol)
    if market.get("swap") is not True or market.get("linear") is not True:
        raise RefusedError(f"{exchange}: {symbol} is no linear perpetual such as BTC/USDT:USDT")
    size = market.get("contractSize")
    if size is None:
        return None
    try:
        text = isinstance(size, str) and not isinstance(size, Number)
        good = text and Decimal(str(size)).is_finite() and Decimal(str(size)) > 0
    except ArithmeticError:
        good = False
    if not good:
        found = shown(size)
        raise DataError(f"{exchange}: {symbol}, field 'contractSize': found {found}, expected > 0")
    return str(size)


def _in_coins(row: Reading, counted: Amount, size: str, where: str) -> Reading:
    """Amount, contract size and coins, exactly."""
    found = row.cells[0]
    if not found:
        raise RefusedError(
            f"{where}: no openInterestAmount; openInterestValue is in another unit by exchange "
            "and is not read"
        )
    amount = Decimal(found)
    if amount < 0:
        raise DataError(f"{where}, field 'openInterestAmount': found {found}, expected 0 or more")
    coins = amount * Decimal(size) if counted == "contracts" else amount
    return Reading(time=row.time, cells=(found, size, format(coins, "f")))
