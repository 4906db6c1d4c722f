"""How numbers and moments are written: one rule for the page, the markdown and the terminal."""

import math
from collections.abc import Sequence
from datetime import date
from numbers import Real
from typing import Final

import pandas as pd

__all__ = [
    "DASH",
    "compact",
    "finite",
    "interval",
    "interval_text",
    "number",
    "percent",
    "signed",
    "utc",
]

DASH: Final = "–"
"""Shown where a number is missing or cannot be computed."""


def finite(value: object) -> float | None:
    """The value as a float, or None when it is missing, NaN, infinite or no number.

    >>> finite("0.5"), finite(float("nan")), finite(None), finite(True)
    (None, None, None, None)
    >>> finite(2)
    2.0
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def number(value: object, digits: int = 3) -> str:
    """Fixed decimals.

    >>> number(0.12345), number(None)
    ('0.123', '–')
    """
    found = finite(value)
    return DASH if found is None else f"{found:,.{digits}f}"


def signed(value: object, digits: int = 3) -> str:
    """Fixed decimals with the sign always shown.

    >>> signed(0.0123), signed(-1)
    ('+0.012', '−1.000')
    """
    found = finite(value)
    return DASH if found is None else f"{found:+,.{digits}f}".replace("-", "−")


def percent(value: object, digits: int = 1) -> str:
    """A fraction as a percentage.

    >>> percent(0.1234), percent(float("inf"))
    ('12.3 %', '–')
    """
    found = finite(value)
    return DASH if found is None else f"{100 * found:,.{digits}f} %"


def compact(value: object) -> str:
    """A large amount with its suffix.

    >>> compact(1_234_567), compact(950), compact(2.5e9), compact(None)
    ('1.2 M', '950', '2.5 B', '–')
    """
    found = finite(value)
    if found is None:
        return DASH
    for size, suffix in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if abs(found) >= size:
            return f"{found / size:,.1f}{suffix}"
    return f"{found:,.0f}"


def interval(raw: object) -> tuple[float, float] | None:
    """Both ends of an interval, or None when either is missing.

    >>> interval([0.1, 0.2]), interval([0.1, None]), interval(None)
    ((0.1, 0.2), None, None)
    """
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) != 2:
        return None
    low, high = finite(raw[0]), finite(raw[1])
    return None if low is None or high is None else (low, high)


def interval_text(raw: object, digits: int = 3, *, plus: bool = False) -> str:
    """An interval in brackets.

    >>> interval_text([0.0412, 0.0620]), interval_text([-0.01, 0.02], plus=True), interval_text([])
    ('[0.041, 0.062]', '[−0.010, +0.020]', '–')
    """
    ends = interval(raw)
    if ends is None:
        return DASH
    write = signed if plus else number
    return f"[{write(ends[0], digits)}, {write(ends[1], digits)}]"


def utc(moment: object) -> str:
    """Date and minute in UTC, from a datetime, a pandas timestamp or ISO text.

    >>> utc("2024-08-05T01:00:00.000Z"), utc(None), utc("soon")
    ('2024-08-05 01:00', '–', '–')
    """
    if not isinstance(moment, str | date):
        return DASH
    stamp = pd.to_datetime(moment, utc=True, errors="coerce")
    return DASH if pd.isna(stamp) else stamp.strftime("%Y-%m-%d %H:%M")
