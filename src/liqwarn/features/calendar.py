"""Calendar: what the clock and dated schedules say, known in advance."""

import math
from typing import Final

from liqwarn.features.feature import CLOCK, feature
from liqwarn.features.past import Past, minimum, where

__all__ = [
    "funding_next_h",
    "hour_of_day_cos",
    "hour_of_day_sin",
    "hour_of_week_cos",
    "hour_of_week_sin",
    "macro_next_h",
    "unlock_next_h",
    "unlock_size",
    "weekend",
]

_DAY_H: Final = 24.0
_WEEK_H: Final = 168.0
_FUNDING_H: Final = 8.0
_MONDAY_H: Final = 72.0  # the epoch was a Thursday: its week began 72 h before


def _turn(clock_h: Past, period_h: float) -> Past:
    return (clock_h % period_h) * (2.0 * math.pi / period_h)


def _week(clock_h: Past) -> Past:
    return clock_h + _MONDAY_H


@feature(inputs=(CLOCK,), unit="-1 to 1")
def hour_of_day_sin(clock_h: Past) -> Past:
    """Sine of the time of day, UTC; positive in its first half."""
    return _turn(clock_h, _DAY_H).sin()


@feature(inputs=(CLOCK,), unit="-1 to 1")
def hour_of_day_cos(clock_h: Past) -> Past:
    """Cosine of the time of day, UTC; positive around midnight."""
    return _turn(clock_h, _DAY_H).cos()


@feature(inputs=(CLOCK,), unit="-1 to 1")
def hour_of_week_sin(clock_h: Past) -> Past:
    """Sine of the time of the week from Monday 00:00 UTC; positive in its first half."""
    return _turn(_week(clock_h), _WEEK_H).sin()


@feature(inputs=(CLOCK,), unit="-1 to 1")
def hour_of_week_cos(clock_h: Past) -> Past:
    """Cosine of the time of the week from Monday 00:00 UTC; positive around the weekend's end."""
    return _turn(_week(clock_h), _WEEK_H).cos()


@feature(inputs=(CLOCK,), unit="0 or 1")
def weekend(clock_h: Past) -> Past:
    """1 when the bar closes after Saturday 00:00 and not after Monday 00:00 UTC."""
    hour = _week(clock_h) % _WEEK_H
    return where(hour > 0, hour > 5.0 * _DAY_H, 1.0)


@feature(inputs=(CLOCK,), unit="hours")
def funding_next_h(clock_h: Past) -> Past:
    """Hours to the next settlement at 00, 08 or 16 UTC; positive, 8 right after one."""
    return _FUNDING_H - clock_h % _FUNDING_H


@feature(inputs=("next_macro_h",), unit="hours")
def macro_next_h(ahead_h: Past) -> Past:
    """Hours to the next scheduled macro event, at most a week; 0 when it is now."""
    return minimum(ahead_h, _WEEK_H)


@feature(inputs=("next_unlock_h",), unit="hours")
def unlock_next_h(ahead_h: Past) -> Past:
    """Hours to the next token unlock, at most a week; 0 when it is now."""
    return minimum(ahead_h, _WEEK_H)


@feature(inputs=("next_unlock_h", "next_unlock_frac"), unit="share of supply", over=("7d",))
def unlock_size(ahead_h: Past, frac: Past, hours: float) -> Past:
    """Size of the next token unlock if it falls within the window; positive, else 0."""
    return where(ahead_h <= hours, frac, 0.0)
