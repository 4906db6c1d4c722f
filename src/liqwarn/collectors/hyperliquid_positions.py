"""Positions of an account at Hyperliquid, which shows them to everybody."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.happenings import Position
from liqwarn.collectors.plausible import price
from liqwarn.collectors.wire_json import (
    as_list,
    as_object,
    number,
    number_text,
    shown,
    text,
    time_ms,
)
from liqwarn.errors import DataError

__all__ = ["Held", "read_positions"]

_HIGHEST_LEVERAGE: Final = 1_000.0

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Positions of an account in the coins that were asked for, as of a moment."""

    time_ms: int
    positions: Mapping[str, Position]

    def after(self, before: "Held | None") -> tuple[Position, ...]:
        """The positions, and one of size 0 for each that is there no more."""
        gone = [] if before is None else [p for s, p in before.positions.items() if p.size]
        closed = (
            Position(
                symbol=old.symbol,
                time_ms=self.time_ms,
                owner=old.owner,
                size=0.0,
                entry=math.nan,
                liquidation_price=math.nan,
                leverage=math.nan,
            )
            for old in gone
            if old.symbol not in self.positions
        )
        return (*self.positions.values(), *closed)


def read_positions(found: object, owner: str, symbols: Mapping[str, str], where: str) -> Held:
    """A reply to ``clearinghouseState``, which does not say whose it is.

    Parameters
    ----------
    found : object
    owner : str
        Whose state was asked for.
    symbols : mapping of coin to symbol
        Others are passed over.
    where : str

    Raises
    ------
    DataError
        For another shape, a coin that is there twice, numbers that cannot be.
    """
    reply = as_object(found, where)
    at = time_ms(reply, "time", where)
    rows = [
        as_object(as_object(row, where).get("position"), f"{where}, field 'position'")
        for row in as_list(reply.get("assetPositions"), f"{where}, field 'assetPositions'")
    ]
    names = [text(row, "coin", where) for row in rows]
    if len(set(names)) < len(names):
        raise DataError(f"{where}: a coin is there twice, expected once")
    positions = {
        symbols[coin]: _position(row, symbols[coin], owner, at, where)
        for coin, row in zip(names, rows, strict=True)
        if coin in symbols
    }
    return Held(time_ms=at, positions=positions)


def _position(row: Row, symbol: str, owner: str, at: int, where: str) -> Position:
    leverage = as_object(row.get("leverage"), f"{where}, field 'leverage'")
    times = number(leverage, "value", where)
    if not 0.0 < times <= _HIGHEST_LEVERAGE:
        raise DataError(f"{where}, leverage: found {shown(times)}, expected above 0, at most 1000")
    return Position(
        symbol=symbol,
        time_ms=at,
        owner=owner,
        size=number_text(row, "szi", where),
        entry=_price_or_nan(row, "entryPx", where),
        liquidation_price=_price_or_nan(row, "liquidationPx", where),
        leverage=times,
    )


def _price_or_nan(row: Row, name: str, where: str) -> float:
    """NaN where the venue says null: such as no price at which the account is liquidated."""
    if name in row and row[name] is None:
        return math.nan
    return price(row, name, where)
