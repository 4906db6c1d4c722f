"""The payloads of Binance's USD-M futures, each as what it tells.

Since its two futures markets share their sockets, a payload carries ``st``: 1 is USD-M, 2 is
COIN-M, whose sizes are contracts. Only the first is read.
"""

from collections.abc import Mapping
from typing import Final, Literal

from liqwarn.collectors.happenings import Candle, Liquidation, Reading
from liqwarn.collectors.plausible import alike, coins, notional, price, rate
from liqwarn.collectors.wire_json import (
    as_list,
    as_object,
    flag,
    number_text,
    shown,
    text,
    time_ms,
    whole,
)
from liqwarn.errors import DataError

__all__ = [
    "candle_of",
    "funding_hours",
    "is_usd_m",
    "liquidation_of",
    "marks_of",
    "open_interest_of",
]

_SIDES: Final[Mapping[str, Literal["long", "short"]]] = {"SELL": "long", "BUY": "short"}
"""The order closes the position: a long is sold."""

_MINUTE: Final = 60_000
_DAY: Final = 24 * 60 * _MINUTE

Row = Mapping[str, object]


def is_usd_m(row: Row, where: str) -> bool:
    """Whether a payload is of USD-M, as those without ``st`` are.

    >>> is_usd_m({"st": 2}, "x"), is_usd_m({}, "x")
    (False, True)
    """
    if "st" not in row:
        return True
    found = whole(row, "st", where)
    if found not in {1, 2}:
        raise DataError(f"{where}, field 'st': found {found}, expected 1 (USD-M) or 2 (COIN-M)")
    return found == 1


def liquidation_of(data: Row, wanted: frozenset[str], where: str) -> Liquidation | str | None:
    """Of a ``forceOrder``.

    The size is what was filled (``z``), the price the average of these fills (``ap``): what the
    market took. ``q`` and ``p`` are the order as it was sent, to be filled in part perhaps, at a
    price that is a limit.

    Returns
    -------
    Liquidation, str or None
        The name of a symbol that is not wanted or is of COIN-M; None when nothing was filled.

    Raises
    ------
    DataError
        For an unknown side, a fill above the order, an average far from the order's price, a
        trade later than the event or a day before it.
    """
    if text(data, "e", where) != "forceOrder":
        raise DataError(f"{where}, field 'e': found {shown(data['e'])}, expected forceOrder")
    order = as_object(data.get("o"), f"{where}, field 'o'")
    symbol = text(order, "s", where)
    usd_m = is_usd_m(order, where) and is_usd_m(data, where)
    if symbol not in wanted or not usd_m:
        return symbol
    side = _SIDES.get(text(order, "S", where))
    if side is None:
        raise DataError(f"{where}, field 'S': found {shown(order['S'])}, expected BUY or SELL")
    if number_text(order, "z", where) == 0:
        return None
    size, at = _filled(order, where)
    return Liquidation(
        symbol=symbol,
        time_ms=_before_event(order, data, where),
        side=side,
        price=at,
        price_is="average",
        size=size,
    )


def marks_of(data: Row, where: str) -> tuple[Reading, ...]:
    """Mark, index and the rate of the coming settlement, of a ``markPriceUpdate``."""
    symbol, at = text(data, "s", where), time_ms(data, "E", where)
    mark, index = price(data, "p", where), price(data, "i", where)
    alike(mark, index, 5.0, "mark and index", where)
    settles = time_ms(data, "T", where)
    if not -_MINUTE <= settles - at <= _DAY + _MINUTE:
        raise DataError(
            f"{where}, field 'T': the next funding is {(settles - at) / 1000:.0f} s after the "
            "event, expected within a day"
        )
    values = {"mark": mark, "index": index, "funding_rate": rate(data, "r", where)}
    return tuple(
        Reading(symbol=symbol, time_ms=at, field=field, value=value)
        for field, value in values.items()
    )


def candle_of(data: Row, where: str) -> tuple[Candle, ...]:
    """The minute of a ``kline`` when it has closed, else nothing."""
    kline = as_object(data.get("k"), f"{where}, field 'k'")
    if text(kline, "i", where) != "1m" or text(kline, "s", where) != text(data, "s", where):
        raise DataError(f"{where}: found a candle of another length or symbol, expected 1m")
    if not flag(kline, "x", where):
        return ()
    opens, ends = time_ms(kline, "t", where), time_ms(kline, "T", where)
    if opens % _MINUTE or ends != opens + _MINUTE - 1:
        raise DataError(f"{where}: found a minute from {opens} to {ends}, expected a whole one")
    candle = Candle(
        symbol=text(kline, "s", where),
        time_ms=opens + _MINUTE,
        open=price(kline, "o", where),
        high=price(kline, "h", where),
        low=price(kline, "l", where),
        close=price(kline, "c", where),
        volume=number_text(kline, "v", where),
        taker_buy_volume=number_text(kline, "V", where),
    )
    _whole_candle(candle, where)
    return (candle,)


def open_interest_of(row: Row, where: str) -> tuple[Reading]:
    """Coins outstanding, of a reply of ``/fapi/v1/openInterest``."""
    return (
        Reading(
            symbol=text(row, "symbol", where),
            time_ms=time_ms(row, "time", where),
            field="open_interest",
            value=coins(row, "openInterest", where),
        ),
    )


def funding_hours(found: object, where: str) -> dict[str, float]:
    """Hours between settlements by symbol, of a reply of ``/fapi/v1/fundingInfo``.

    Only symbols whose terms were adjusted are in it; all others settle every eight hours.

    >>> funding_hours([{"symbol": "XUSDT", "fundingIntervalHours": 4}], "x")
    {'XUSDT': 4.0}
    """
    hours: dict[str, float] = {}
    for number, found_row in enumerate(as_list(found, where), 1):
        here = f"{where}, row {number}"
        row = as_object(found_row, here)
        symbol, every = text(row, "symbol", here), whole(row, "fundingIntervalHours", here)
        if not 1 <= every <= 24 or 24 % every or symbol in hours:
            raise DataError(
                f"{here}: found {shown(symbol)} every {every} h, expected each symbol once, "
                "1 to 24 h, a divisor of a day"
            )
        hours[symbol] = float(every)
    if not hours:
        raise DataError(f"{where}: found no symbol, expected those whose terms were adjusted")
    return hours


def _filled(order: Row, where: str) -> tuple[float, float]:
    """Size and average price of what was filled."""
    sent, limit = coins(order, "q", where), price(order, "p", where)
    size, at = coins(order, "z", where), price(order, "ap", where)
    if size > sent:
        raise DataError(f"{where}, field 'z': found {size:g} filled of {sent:g}, expected no more")
    alike(at, limit, 3.0, "average price and price", where)
    notional(at, size, where)
    return size, at


def _before_event(order: Row, data: Row, where: str) -> int:
    """When the order was filled, a second or so before it is told."""
    at, told = time_ms(order, "T", where), time_ms(data, "E", where)
    if not -_MINUTE <= told - at <= _DAY:
        raise DataError(
            f"{where}: told {(told - at) / 1000:.0f} s after the trade, expected 0 s to a day"
        )
    return at


def _whole_candle(candle: Candle, where: str) -> None:
    low, high = min(candle.open, candle.close), max(candle.open, candle.close)
    if not candle.low <= low <= high <= candle.high:
        raise DataError(f"{where}: open and close lie outside low and high, expected within")
    alike(candle.low, candle.high, 20.0, "low and high", where)
    if not 0 <= candle.taker_buy_volume <= candle.volume <= 1e15:
        raise DataError(
            f"{where}: found volume {candle.volume:g}, of takers buying "
            f"{candle.taker_buy_volume:g}, expected 0 to 1e15, no more bought than traded"
        )
