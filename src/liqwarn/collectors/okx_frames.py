"""The payloads of OKX's public channels, each as what it tells. Numbers are text."""

import math
from collections.abc import Mapping
from typing import Final, Literal

from liqwarn.collectors.happenings import Candle, Liquidation, Reading
from liqwarn.collectors.plausible import alike, coins, notional, price, rate
from liqwarn.collectors.wire_json import as_list, number_text, shown, text, time_ms
from liqwarn.errors import DataError

__all__ = ["candles_of", "funding_of", "index_at", "liquidation_of", "mark_of", "open_interest_of"]

_SIDES: Final[Mapping[tuple[str, str], Literal["long", "short"]]] = {
    ("long", "sell"): "long",
    ("short", "buy"): "short",
    ("net", "sell"): "long",
    ("net", "buy"): "short",
}
"""Position mode side and order side: in net mode only the order says who was liquidated."""

_HOUR: Final = 3_600_000
_MINUTE: Final = 60_000
_CLOSE: Final = 1e-3
"""How far contracts times their size may be from the coins that the venue tells beside them."""

Row = Mapping[str, object]


def liquidation_of(row: Row, symbol: str, contract: float | None, where: str) -> Liquidation:
    """Of one of the details of a row of ``liquidation-orders``.

    Parameters
    ----------
    contract : float or None
        Coins a contract; None while the venue has not told it.

    Raises
    ------
    DataError
        For a size in contracts of unknown size, and for sides that contradict one another.
    """
    sides = (text(row, "posSide", where), text(row, "side", where))
    side = _SIDES.get(sides)
    if side is None:
        raise DataError(
            f"{where}: found posSide {sides[0]} with side {sides[1]}, expected long with sell, "
            "short with buy, or net"
        )
    contracts, at = coins(row, "sz", where), price(row, "bkPx", where)
    if contract is None:
        raise DataError(f"{where}: the size of a contract of {symbol} is not known yet")
    notional(at, contracts * contract, where)
    return Liquidation(
        symbol=symbol,
        time_ms=_at(row, "ts", where),
        side=side,
        price=at,
        price_is="mark",
        size=contracts * contract,
    )


def mark_of(row: Row, symbol: str, where: str) -> tuple[Reading]:
    """Of a row of ``mark-price``."""
    return (_reading(symbol, _at(row, "ts", where), "mark", price(row, "markPx", where)),)


def index_at(row: Row, symbol: str, where: str) -> tuple[Reading]:
    """Of a row of ``index-tickers``."""
    return (_reading(symbol, _at(row, "ts", where), "index", price(row, "idxPx", where)),)


def funding_of(row: Row, symbol: str, where: str) -> tuple[Reading, Reading]:
    """Of a row of ``funding-rate``: the rate of the coming settlement, and the hours it is for.

    ``fundingTime`` is the coming settlement, ``prevFundingTime`` the one before it,
    ``nextFundingTime`` the one after it.
    """
    at, settles = _at(row, "ts", where), _at(row, "fundingTime", where)
    after = _at(row, "nextFundingTime", where)
    before = settles - (after - settles)
    if row.get("prevFundingTime", "") != "":
        before = _at(row, "prevFundingTime", where)
    hours, rest = divmod(settles - before, _HOUR)
    if rest or not 1 <= hours <= 24 or not settles < after <= settles + 24 * _HOUR:
        raise DataError(
            f"{where}: found settlements at {before}, {settles} and {after}, expected whole hours, "
            "1 to 24, between them"
        )
    if not -_MINUTE <= settles - at <= (hours * _HOUR) + _MINUTE:
        raise DataError(f"{where}, field 'fundingTime': found {settles} told at {at}")
    return (
        _reading(symbol, at, "funding_rate", rate(row, "fundingRate", where)),
        _reading(symbol, at, "funding_interval_h", float(hours)),
    )


def open_interest_of(row: Row, symbol: str, contract: float | None, where: str) -> tuple[Reading]:
    """Coins outstanding, of a row of ``open-interest``; its contracts must agree when known."""
    found, contracts = coins(row, "oiCcy", where), coins(row, "oi", where)
    _check_size(contracts, found, contract, f"{where}, fields 'oi' and 'oiCcy'")
    return (_reading(symbol, _at(row, "ts", where), "open_interest", found),)


def candles_of(
    found: object, symbol: str, contract: float | None, where: str
) -> tuple[Candle, ...]:
    """The minute of a row of ``candle1m`` when it has closed, else nothing.

    A row is opening time, open, high, low, close, contracts, coins, quote, and whether it closed.
    """
    cells = as_list(found, where)
    if len(cells) < 9:
        raise DataError(f"{where}: found {len(cells)} columns, expected 9")
    names = ("ts", "open", "high", "low", "close", "vol", "volCcy", "volCcyQuote", "confirm")
    row = dict(zip(names, cells, strict=False))
    if text(row, "confirm", where) not in {"0", "1"}:
        raise DataError(f"{where}, confirm: found {shown(row['confirm'])}, expected 0 or 1")
    if row["confirm"] == "0":
        return ()
    opens = _at(row, "ts", where)
    if opens % _MINUTE:
        raise DataError(f"{where}: found a minute from {opens}, expected a whole one")
    volume, contracts = number_text(row, "volCcy", where), number_text(row, "vol", where)
    if not 0 <= volume <= 1e15:
        raise DataError(f"{where}, volCcy: found {volume:g}, expected 0 to 1e15")
    _check_size(contracts, volume, contract, f"{where}, vol and volCcy")
    o, h, low, c = (price(row, name, where) for name in ("open", "high", "low", "close"))
    if not low <= min(o, c) <= max(o, c) <= h:
        raise DataError(f"{where}: open and close lie outside low and high, expected within")
    alike(low, h, 20.0, "low and high", where)
    return (
        Candle(
            symbol=symbol,
            time_ms=opens + _MINUTE,
            open=o,
            high=h,
            low=low,
            close=c,
            volume=volume,
            taker_buy_volume=math.nan,
        ),
    )


def _check_size(contracts: float, told: float, contract: float | None, where: str) -> None:
    if contract is None:
        return
    made = contracts * contract
    if abs(made - told) > _CLOSE * max(made, told):
        raise DataError(
            f"{where}: found {contracts:g} contracts of {contract:g} and {told:g} coins, expected "
            "the same"
        )


def _reading(symbol: str, at: int, field: str, value: float) -> Reading:
    return Reading(symbol=symbol, time_ms=at, field=field, value=value)


def _at(row: Row, name: str, where: str) -> int:
    """Milliseconds, as text."""
    text(row, name, where)
    return time_ms(row, name, where)
