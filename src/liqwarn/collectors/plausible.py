"""What a price, a size or a rate of a perpetual can be: a number far outside is a broken frame.

The bounds are wide on purpose. They catch a lost decimal point or a field of another meaning, and
leave it to the quality report to doubt a true but unusual value.
"""

from collections.abc import Mapping
from typing import Final

from liqwarn.collectors.wire_json import number_text, positive_text, shown
from liqwarn.errors import DataError

__all__ = ["alike", "coins", "notional", "price", "rate"]

_PRICES: Final = (1e-12, 1e8)
_COINS: Final = (1e-12, 1e18)
_NOTIONAL: Final = 5e9
_RATE: Final = 0.1

Row = Mapping[str, object]


def price(row: Row, name: str, where: str) -> float:
    """A price as text, quote per coin.

    >>> price({"p": "64000.5"}, "p", "x")
    64000.5
    """
    return _within(row, name, _PRICES, where)


def coins(row: Row, name: str, where: str) -> float:
    """A number of coins or contracts as text, above 0."""
    return _within(row, name, _COINS, where)


def rate(row: Row, name: str, where: str) -> float:
    """A funding rate as text, a fraction a settlement.

    >>> rate({"r": "0.5"}, "r", "x")
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: x, field 'r': found '0.5', expected a rate of -0.1 to 0.1
    """
    found = number_text(row, name, where)
    if abs(found) > _RATE:
        raise DataError(
            f"{where}, field '{name}': found {shown(row[name])}, expected a rate of -0.1 to 0.1"
        )
    return found


def notional(at: float, size: float, where: str) -> None:
    """Check that one liquidation is not larger than any there can be."""
    if at * size > _NOTIONAL:
        raise DataError(
            f"{where}: found a liquidation of {at * size:.3g} in quote, expected at most "
            f"{_NOTIONAL:.0g}: contracts taken for coins?"
        )


def alike(one: float, other: float, most: float, what: str, where: str) -> None:
    """Check that two prices that belong together are at most `most` times apart.

    Examples
    --------
    >>> alike(100.0, 1_000.0, 5.0, "mark and index", "x")
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: x, mark and index: found 100 and 1000, expected at most 5 times apart
    """
    if not one <= other * most or not other <= one * most:
        raise DataError(
            f"{where}, {what}: found {one:g} and {other:g}, expected at most {most:g} times apart"
        )


def _within(row: Row, name: str, bounds: tuple[float, float], where: str) -> float:
    found = positive_text(row, name, where)
    if not bounds[0] <= found <= bounds[1]:
        raise DataError(
            f"{where}, field '{name}': found {shown(row[name])}, expected {bounds[0]:g} to "
            f"{bounds[1]:g}"
        )
    return found
