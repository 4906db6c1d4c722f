"""Hyperliquid's ``/info``: funding history, candles, and the contexts of now; no key."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from liqwarn.errors import DataError, SourceError
from liqwarn.sources.api_series import ApiSeries, check_stamps
from liqwarn.sources.json_page import parse_page, shown
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_shape import Cell, RowShape, as_list, as_object
from liqwarn.sources.spans import Span
from liqwarn.sources.web import Web

__all__ = [
    "HYPERLIQUID_API",
    "HYPERLIQUID_BETWEEN_S",
    "INTERVALS",
    "hyperliquid_series",
    "read_candles",
    "read_contexts",
    "read_funding",
]

HYPERLIQUID_API: Final = "https://api.hyperliquid.xyz"
HYPERLIQUID_BETWEEN_S: Final = 2.5
"""A full page weighs 45 of the 1,200 that are allowed in a minute."""

INTERVALS: Final[Mapping[str, int]] = MappingProxyType(
    {"5m": 300_000, "15m": 900_000, "1h": 3_600_000, "4h": 14_400_000, "1d": 86_400_000}
)
"""Of candles, in milliseconds."""

_HOUR: Final = 3_600_000
_LATE: Final = 60_000
_ROWS: Final = 500
_FUNDING: Final = RowShape(
    cells={"coin": "text", "fundingRate": "number text", "premium": "number text", "time": "whole"}
)
_PRICES: Final = ("o", "h", "l", "c")
_OF_CANDLE: Final = (*_PRICES, "v", "n")
_COLUMNS: Final = ("open", "high", "low", "close", "volume", "trades")
_CANDLE_CELLS: Final[Mapping[str, Cell]] = {
    "t": "whole",
    "T": "whole",
    "s": "text",
    "i": "text",
    **dict.fromkeys((*_PRICES, "v"), "number text"),
    "n": "whole",
}
_CANDLE: Final = RowShape(cells=_CANDLE_CELLS)
_OF_CONTEXT: Final = ("openInterest", "markPx", "oraclePx", "funding", "premium", "dayNtlVlm")
_CONTEXT: Final = RowShape(
    cells=dict.fromkeys((*_OF_CONTEXT, "prevDayPx"), "number text"),
    nullable=frozenset({"premium"}),
    extra={"midPx": "any", "impactPxs": "any", "dayBaseVlm": "any"},
)

Read = Callable[[bytes, Span, str], list[Reading]]


def hyperliquid_series(
    web: Web, coins: Sequence[str], interval: str, clock: Callable[[], float]
) -> list[ApiSeries]:
    """Contexts of now, funding and candles of the coins.

    Parameters
    ----------
    web : Web
    coins : sequence of str
        By the venue's names.
    interval : str
        Of the candles, one of :data:`INTERVALS`.
    clock : callable
        Seconds since the epoch: contexts have no time of their own.
    """
    every: list[ApiSeries] = []
    for coin in coins:
        every += [_funding(web, coin), _candles(web, coin, interval)]
    return [*_contexts(web, coins, clock), *every]


def read_funding(content: bytes, coin: str, span: Span, where: str) -> list[Reading]:
    """Settlements of a page whole or not at all, each as it is stamped, some milliseconds late.

    Raises
    ------
    DataError
        For anything else than was asked for.
    """
    readings = []
    for n, found in enumerate(_rows(content, where), 1):
        row = _FUNDING.read(found, f"{where}, row {n}")
        _check_word(row, "coin", coin, f"{where}, row {n}")
        readings.append(Reading(time=int(row["time"]), cells=(row["fundingRate"], row["premium"])))
        late = readings[-1].time % _HOUR
        if late > _LATE:
            raise DataError(
                f"{where}, row {n}, field 'time': found {row['time']} ms, {late} ms after the "
                f"hour, expected at most {_LATE}"
            )
    check_stamps(readings, 1, span, where)
    return readings


def read_candles(content: bytes, coin: str, interval: str, span: Span, where: str) -> list[Reading]:
    """Candles of a page whole or not at all.

    Raises
    ------
    DataError
        For anything else than was asked for, and prices that cannot be true.
    """
    step, readings = INTERVALS[interval], []
    for n, found in enumerate(_rows(content, where), 1):
        row, place = _CANDLE.read(found, f"{where}, row {n}"), f"{where}, row {n}"
        _check_word(row, "s", coin, place)
        _check_word(row, "i", interval, place)
        if int(row["T"]) != int(row["t"]) + step - 1:
            raise DataError(
                f"{place}, field 'T': found {row['T']}, expected {int(row['t']) + step - 1}"
            )
        first, high, low, last = (float(row[name]) for name in _PRICES)
        if not 0.0 < low <= min(first, last) <= max(first, last) <= high:
            raise DataError(
                f"{place}: found o {first}, h {high}, l {low}, c {last}, "
                "expected a low above 0 and a high around the others"
            )
        readings.append(Reading(time=int(row["t"]), cells=tuple(row[k] for k in _OF_CANDLE)))
    check_stamps(readings, step, span, where)
    return readings


def read_contexts(content: bytes, coin: str, where: str) -> tuple[str, ...]:
    """Open interest and the rest of one coin, of the moment the reply came.

    Raises
    ------
    SourceError
        When there is no such coin.
    DataError
        For anything else than was asked for.
    """
    page = as_list(parse_page(content, where), where)
    if len(page) != 2:
        raise DataError(f"{where}: found {len(page)} parts, expected a universe and contexts")
    universe = as_list(as_object(page[0], where).get("universe"), f"{where}, field 'universe'")
    contexts = as_list(page[1], f"{where}, contexts")
    if len(universe) != len(contexts):
        raise DataError(
            f"{where}: found {len(universe)} coins and {len(contexts)} contexts, expected as many"
        )
    names = [as_object(told, f"{where}, field 'universe'").get("name") for told in universe]
    if names.count(coin) != 1:
        close = get_close_matches(coin, [str(name) for name in names], n=1)
        hint = f", did you mean {shown(close[0])}?" if close else ""
        raise SourceError(f"{where}: no coin '{coin}' among {len(names)}{hint}")
    at = names.index(coin)
    row = _CONTEXT.read(contexts[at], f"{where}, row {at + 1} ({coin})")
    return tuple(row[name] for name in _OF_CONTEXT)


def _rows(content: bytes, where: str) -> list[object]:
    """Rows of a list; anything else, such as null of an unknown coin, is told."""
    return as_list(parse_page(content, where), where)


def _check_word(row: Mapping[str, str], name: str, expected: str, where: str) -> None:
    if row[name] != expected:
        raise DataError(f"{where}, field '{name}': found {shown(row[name])}, expected '{expected}'")


def _contexts(web: Web, coins: Sequence[str], clock: Callable[[], float]) -> list[ApiSeries]:
    """The contexts of all coins come in one reply."""
    came: dict[str, Reading] = {}

    def ask_all() -> int:
        def read(content: bytes) -> dict[str, tuple[str, ...]]:
            return {coin: read_contexts(content, coin, "contexts") for coin in coins}

        cells, size = web.page("info", read, body=_body({"type": "metaAndAssetCtxs"}))
        now = int(clock() * 1_000)
        came.update({coin: Reading(time=now, cells=cells[coin]) for coin in coins})
        return size

    def of(coin: str) -> ApiSeries:
        def ask(_: Span) -> Iterator[tuple[list[Reading], int]]:
            size = 0 if came else ask_all()
            yield [came[coin]], size

        return ApiSeries(
            kind="contexts", name=coin, columns=_OF_CONTEXT, step=None, settles=0, ask=ask
        )

    return [of(coin) for coin in coins]


def _funding(web: Web, coin: str) -> ApiSeries:
    def read(content: bytes, span: Span, where: str) -> list[Reading]:
        return read_funding(content, coin, span, where)

    def asked(at: Span) -> bytes:
        told = {"type": "fundingHistory", "coin": coin, "startTime": at[0], "endTime": at[1] - 1}
        return _body(told)

    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        return _pages(web, span, _HOUR, f"funding of {coin}", (asked, read))

    return ApiSeries(
        kind="funding", name=coin, columns=("fundingRate", "premium"), step=_HOUR,
        settles=2 * _HOUR, instants=True, ask=ask,
    )  # fmt: skip


def _candles(web: Web, coin: str, interval: str) -> ApiSeries:
    step = INTERVALS[interval]

    def read(content: bytes, span: Span, where: str) -> list[Reading]:
        return read_candles(content, coin, interval, span, where)

    def asked(at: Span) -> bytes:
        told = {"coin": coin, "interval": interval, "startTime": at[0], "endTime": at[1] - 1}
        return _body({"type": "candleSnapshot", "req": told})

    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        return _pages(web, span, step, f"candles of {coin}", (asked, read))

    return ApiSeries(
        kind=f"candles-{interval}",
        name=coin,
        columns=_COLUMNS,
        step=step,
        settles=2 * step,
        ask=ask,
    )


def _pages(
    web: Web, span: Span, step: int, what: str, how: tuple[Callable[[Span], bytes], Read]
) -> Iterator[tuple[list[Reading], int]]:
    """Rows from the oldest on, at most as many at a time as a reply holds.

    A reply may hold fewer: the next question begins after its last row.
    """
    asked, read = how
    first = span[0]
    while first < span[1]:
        at = (first, min(first + _ROWS * step, span[1]))

        def rows(content: bytes, at: Span = at) -> list[Reading]:
            return read(content, at, f"{what} from {at[0]}")

        readings, came = web.page("info", rows, body=asked(at))
        last = readings[-1].time if readings else at[1]
        first = at[1] if last >= at[1] - step else last + 1
        yield readings, came


def _body(told: Mapping[str, object]) -> bytes:
    return json.dumps(told).encode()
