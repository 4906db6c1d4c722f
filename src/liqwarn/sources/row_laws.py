"""What must be true of the numbers of a row: candles, amounts, ratios, sides of a book.

Each law takes the cells of a row as text, empty where a value is to come, and says what is wrong,
nothing when all is well. A row whose columns were swapped is refused here, where it can be seen.
"""

import math
from collections.abc import Callable, Mapping

__all__ = ["Law", "amounts", "book", "candle", "positive_candle", "shares"]

Law = Callable[[Mapping[str, str]], str]
"""From cells by column to a fault, empty when there is none."""


def candle(row: Mapping[str, str]) -> str:
    """A high above the others and a low below them, of any sign.

    >>> candle({"open": "1", "high": "2", "low": "1.5", "close": "2"})
    'found open 1, high 2, low 1.5, close 2, expected a low below and a high above the others'
    """
    told = [row[name] for name in ("open", "high", "low", "close")]
    if not all(told):
        return ""
    first, high, low, last = (float(text) for text in told)
    if math.isfinite(high - low) and low <= min(first, last) <= max(first, last) <= high:
        return ""
    found = f"open {told[0]}, high {told[1]}, low {told[2]}, close {told[3]}"
    return f"found {found}, expected a low below and a high above the others"


def positive_candle(row: Mapping[str, str]) -> str:
    """A candle of prices or stocks, which are not negative, nor is what else is in the row."""
    return amounts(row) or candle(row)


def amounts(row: Mapping[str, str]) -> str:
    """Sums and stocks, which are not negative.

    >>> amounts({"long": "1", "short": "-2"})
    "field 'short': found -2, expected 0 or more"
    """
    for name, text in row.items():
        if text and not 0.0 <= float(text) < math.inf:
            return f"field '{name}': found {text}, expected 0 or more"
    return ""


def shares(long: float, short: float, ratio: float, *, whole: float) -> str:
    """Shares of a whole, and the ratio of the first to the second as it was rounded.

    Examples
    --------
    >>> shares(73.88, 26.12, 2.83, whole=100.0)
    ''
    >>> shares(26.12, 73.88, 2.83, whole=100.0)
    'found long 26.12, short 73.88, ratio 2.83, expected a ratio of 0.3535'
    """
    told = f"found long {long:g}, short {short:g}, ratio {ratio:g}, expected"
    if min(long, short) < 0 or not abs(long + short - whole) <= 0.001 * whole:
        return f"{told} shares of {whole:g}"
    if short == 0:
        return ""
    expected, rounded = long / short, 0.0001 * whole
    slack = 0.01 + expected * rounded * (1 / short + 1 / max(long, rounded))
    return "" if abs(ratio - expected) <= slack else f"{told} a ratio of {expected:.4g}"


def book(row: Mapping[str, str], prefix: str = "") -> str:
    """Amounts of both sides, in USD and coins; what is bid is cheaper than what is asked."""
    names = [f"{prefix}{side}_{what}" for side in ("bids", "asks") for what in ("usd", "quantity")]
    fault = amounts({name: row[name] for name in names})
    cells = [row[name] for name in names]
    if fault or not all(cells):
        return fault
    bids_usd, bids, asks_usd, asks = (float(text) for text in cells)
    if not (bids and asks) or bids_usd / bids < asks_usd / asks:
        return ""
    return (
        f"found bids at {bids_usd / bids:g} and asks at {asks_usd / asks:g} on average, "
        "expected bids below asks: sides swapped?"
    )
