"""How the evaluation writes figures: an estimate, its interval in brackets, a true minus sign."""

from collections.abc import Mapping
from typing import Any

from liqwarn.reports.formats import DASH, finite, interval, interval_text, number, percent, signed

__all__ = ["estimate", "gain", "hours", "lift", "minutes", "plain", "rate", "times", "word"]


def plain(value: object, digits: int = 3) -> str:
    """Fixed decimals with a true minus sign.

    >>> plain(-2.071, 2), plain(0.5), plain(None)
    ('−2.07', '0.500', '–')
    """
    return number(value, digits).replace("-", "−")


def estimate(value: object, ends: object = None, digits: int = 3) -> str:
    """A figure and its interval, if it has one.

    >>> estimate(0.0412, [0.02, 0.0814]), estimate(0.0412), estimate(None, [None, 1.0])
    ('0.041 [0.020, 0.081]', '0.041', '–')
    """
    if finite(value) is None or interval(ends) is None:
        return plain(value, digits)
    return f"{plain(value, digits)} {interval_text(ends, digits)}".replace("-", "−")


def gain(delta: Mapping[str, Any] | None, digits: int = 3, unit: float = 1.0) -> str:
    """A difference and its interval, every sign shown; `unit` 100 writes fractions as percent.

    >>> gain({"mean": 0.0158, "ci": [-0.0024, 0.0432]}), gain(None)
    ('+0.016 [−0.002, +0.043]', '–')
    >>> gain({"mean": 0.0158, "ci": [-0.0024, 0.0432]}, 1, unit=100)
    '+1.6 % [−0.2, +4.3]'
    """
    mean, ends = finite((delta or {}).get("mean")), interval((delta or {}).get("ci"))
    if mean is None:
        return DASH
    shown = signed(unit * mean, digits) + (" %" if unit == 100 else "")
    if ends is None:
        return shown
    return f"{shown} {interval_text([unit * end for end in ends], digits, plus=True)}"


def rate(value: object, ends: object = None, digits: int = 0) -> str:
    """A fraction as a percentage, its interval in the same unit.

    >>> rate(0.324, [0.2162, 0.4321]), rate(0.324), rate(None), rate(-0.02)
    ('32 % [22, 43]', '32 %', '–', '−2 %')
    """
    shown, bounds = percent(value, digits).replace("-", "−"), interval(ends)
    if finite(value) is None or bounds is None:
        return shown
    return f"{shown} {interval_text([100 * bound for bound in bounds], digits)}".replace("-", "−")


def times(value: object, ends: object = None) -> str:
    """A ratio and its interval.

    >>> times(1.628, [0.914, 2.4]), times(None)
    ('1.63× [0.91, 2.40]', '–')
    """
    shown = plain(value, 2)
    if finite(value) is None:
        return shown
    return f"{shown}×" if interval(ends) is None else f"{shown}× {interval_text(ends, 2)}"


def lift(row: Mapping[str, Any]) -> str:
    """PR-AUC as a multiple of the base rate, which is what guessing scores.

    >>> lift({"pr_auc": 0.04, "base_rate": 0.01}), lift({"pr_auc": 0.04, "base_rate": 0.0})
    ('4.0×', '–')
    """
    score, base = finite(row.get("pr_auc")), finite(row.get("base_rate"))
    return DASH if score is None or not base else f"{score / base:.1f}×"


def word(name: object) -> str:
    """A name from the document as words; a dash when it is no text.

    >>> word("shuffled_features"), word(None)
    ('shuffled features', '–')
    """
    return name.replace("_", " ") if isinstance(name, str) and name else DASH


def hours(value: object) -> str:
    """A horizon.

    >>> hours(4), hours(None)
    ('4 h', '–')
    """
    return DASH if finite(value) is None else f"{number(value, 0)} h"


def minutes(lead: Mapping[str, Any] | None) -> str:
    """A median lead time with its quartiles.

    >>> minutes({"median": 180.0, "q25": 120.0, "q75": 180.0}), minutes({}), minutes(None)
    ('180 (120 to 180)', '–', '–')
    """
    raw = lead or {}
    if finite(raw.get("median")) is None:
        return DASH
    return f"{plain(raw['median'], 0)} ({plain(raw.get('q25'), 0)} to {plain(raw.get('q75'), 0)})"
