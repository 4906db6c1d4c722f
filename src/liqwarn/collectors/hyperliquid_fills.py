"""Forced closings in the fills of accounts at Hyperliquid.

There is no public stream of liquidations. A fill of any account is public, and one that closes a
position by force says so: ``liquidation`` names whose position, and how. ``market``: the venue
sold or bought in the book, and the account that is followed was the other side, or the liquidated
one itself. ``backstop``: a vault took the position over.

``side`` is of the account whose fill it is: ``B`` it bought, ``A`` it sold. So a fill of the
liquidated account that **sells** is of a long, and one of the other side that **buys** is of a
long.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from liqwarn.collectors.happenings import Liquidation
from liqwarn.collectors.plausible import coins, notional, price
from liqwarn.collectors.wire_json import as_object, shown, text, time_ms, whole
from liqwarn.errors import DataError
from liqwarn.frames import Side

__all__ = ["Fill", "read_fill", "read_side"]

_FORCED: Final = re.compile(r"Liquidated (?:Cross |Isolated )?(Long|Short)", re.ASCII)
_SIDES: Final = ("B", "A")
_METHODS: Final = ("market", "backstop")

Key = tuple[int, str, int]
"""Time, coin, number of the trade: together they name one trade of the venue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A fill, and the liquidation it is, if it is one of a coin that was asked for."""

    time_ms: int
    key: Key
    forced: bool
    liquidation: Liquidation | None


def read_fill(found: object, owner: str, symbols: Mapping[str, str], where: str) -> Fill:
    """A fill of an account.

    Parameters
    ----------
    found : object
    owner : str
        Whose fill it is, in small letters.
    symbols : mapping of coin to symbol
        Others are not looked at further.
    where : str

    Raises
    ------
    DataError
        For a shape other than documented, or sides that contradict one another.
    """
    row = as_object(found, where)
    coin, at = text(row, "coin", where), time_ms(row, "time", where)
    fill = Fill(
        time_ms=at,
        key=(at, coin, whole(row, "tid", where)),
        forced=row.get("liquidation") is not None,
        liquidation=None,
    )
    if coin not in symbols or not fill.forced:
        _check_unforced(row, fill, where)
        return fill
    paid, size = price(row, "px", where), coins(row, "sz", where)
    notional(paid, size, where)
    side = _whose_side(row, owner, where)
    if side is None:
        return fill
    liquidation = Liquidation(
        symbol=symbols[coin], time_ms=at, side=side, price=paid, price_is="average", size=size
    )
    return replace(fill, liquidation=liquidation)


def read_side(row: Mapping[str, object], where: str) -> str:
    """``B`` or ``A``."""
    found = text(row, "side", where)
    if found not in _SIDES:
        raise DataError(f"{where}, field 'side': found {shown(found)}, expected B, A")
    return found


def _whose_side(row: Mapping[str, object], owner: str, where: str) -> Side | None:
    """The side of the liquidated position, checked against the words of ``dir``; None if untold.

    The account is optional by the documentation; without it only the words tell.
    """
    forced = as_object(row["liquidation"], where)
    method = text(forced, "method", where)
    if method not in _METHODS:
        raise DataError(
            f"{where}, field 'method': found {shown(method)}, expected market, backstop"
        )
    bought = read_side(row, where) == "B"
    words = _FORCED.fullmatch(text(row, "dir", where))
    said: Side | None = None if words is None else "long" if words[1] == "Long" else "short"
    if forced.get("liquidatedUser") is None:
        return said
    own = text(forced, "liquidatedUser", where).lower() == owner
    side: Side = "short" if bought == own else "long"
    if said not in (None, side):
        raise DataError(
            f"{where}: found side {row['side']} of the {'liquidated' if own else 'other'} account "
            f"and {shown(row['dir'])}, expected them to agree"
        )
    return side


def _check_unforced(row: Mapping[str, object], fill: Fill, where: str) -> None:
    """A fill that says by its words that it is forced must have the field that says whose."""
    said = row.get("dir")
    if not fill.forced and isinstance(said, str) and said.startswith("Liquidated"):
        listed = ", ".join(list(row)[:20])[:160]
        raise DataError(
            f"{where}, field 'liquidation': missing in a fill {shown(said)}, found {listed}"
        )
