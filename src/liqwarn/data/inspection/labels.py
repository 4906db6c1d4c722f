"""Whether a stamp names the start or the end of its interval, as the file itself shows it.

A start declared as an end makes every value known one interval too early: the worst look-ahead
there is, and the easiest to make.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from liqwarn.data.inspection.clock import Clock, guess_units
from liqwarn.data.inspection.doubts import Doubt, spell
from liqwarn.data.inspection.reading import Reading
from liqwarn.data.mapping import TimeMap
from liqwarn.data.panel import Calendar
from liqwarn.data.quarantine import Rejects
from liqwarn.data.records import IntArray
from liqwarn.data.stamps import NO_TIME, event_seconds
from liqwarn.errors import DataError

__all__ = ["label_doubts"]

_START: Final = re.compile(r"open_?time|start|begin", re.IGNORECASE)
_END: Final = re.compile(r"close_?time|(^|_)end(_|$)|end_?time", re.IGNORECASE)
_TIME: Final = re.compile(r"time|date|published|updated|seen|_utc$|(^|_)(ts|at)$", re.IGNORECASE)
_DAY: Final = 86_400
_LOOKS_AHEAD: Final = "every value is then known {} too early"


def label_doubts(reading: Reading, clock: Clock | None) -> Iterator[Doubt]:
    """Doubts from the column's name, other columns of times, whole days, and daily stamps."""
    if clock is None or isinstance(reading.told, Calendar):
        return
    yield from _name_doubts(reading.told.time)
    yield from _companion_doubts(reading, clock)
    yield from _day_doubts(reading.told.time, clock)


def _name_doubts(time: TimeMap) -> Iterator[Doubt]:
    if time.label == "end" and _START.search(time.column):
        yield Doubt(
            level="doubt",
            kind="label",
            text=f"the column '{time.column}' is named as a start, the panel declares it an end: "
            "look-ahead if it is a start",
        )
    if time.label == "start" and _END.search(time.column):
        yield Doubt(
            level="doubt",
            kind="label",
            text=f"the column '{time.column}' is named as an end, the panel declares it a start: "
            "every value would come one step late",
        )


def _companion_doubts(reading: Reading, clock: Clock) -> Iterator[Doubt]:
    """What other columns of times in the same rows say."""
    time, sample = reading.told.time, reading.sample
    step = clock.step_s if time.step is None else int(time.step.total_seconds())
    names = [] if sample is None else [str(name) for name in sample.table.columns]
    for name in (n for n in names if n not in _told_times(reading) and _TIME.search(n)):
        after = _after_stamp(reading, name)
        if after is None or step is None:
            continue
        if time.label == "end" and 0 < after <= step:
            yield Doubt(
                level="wrong",
                kind="label",
                text=f"'{name}' is {spell(after)} after '{time.column}', which the panel declares "
                f"an end: '{time.column}' is the start, {_LOOKS_AHEAD.format(spell(step))}",
            )
        elif time.label == "start" and -step <= after < 0:
            yield Doubt(
                level="doubt",
                kind="label",
                text=f"'{name}' is {spell(-after)} before '{time.column}', which the panel "
                "declares a start: is it the end?",
            )
        elif after - (step if time.label == "start" else 0) > max(reading.lag_s, 1):
            yield Doubt(
                level="doubt",
                kind="published",
                text=f"'{name}' is mostly {spell(after)} after '{time.column}': if values are "
                f"known only then, known_lag {spell(reading.lag_s)} is look-ahead",
            )


def _told_times(reading: Reading) -> tuple[str, ...]:
    """Columns of times that the panel speaks of."""
    told = reading.told
    if isinstance(told, Calendar) or told.seen is None:
        return (told.time.column,)
    return told.time.column, told.seen.column


def _after_stamp(reading: Reading, name: str) -> int | None:
    """Seconds by which a column of times is mostly later than the stamps, None when it is none."""
    rows, stamps, other = (
        reading.rows,
        reading.column(reading.told.time.column),
        reading.column(name),
    )
    if rows is None or stamps is None or other is None:
        return None
    kept = rows.row - 1
    mine = _seconds(reading, reading.told.time.column, kept)
    theirs = _seconds(reading, name, kept)
    if mine is None or theirs is None:
        return None
    both = (mine != NO_TIME) & (theirs != NO_TIME)
    return int(np.median((theirs - mine)[both])) if both.any() else None


def _seconds(reading: Reading, name: str, kept: IntArray) -> IntArray | None:
    column = reading.column(name)
    if column is None:
        return None
    column = column.iloc[kept]
    units = guess_units(column)
    own = reading.told.time
    unit = next(iter(units)) if len(units) == 1 else "iso"
    layout = own.format if name == own.column else None
    time = TimeMap.model_validate(
        {"column": name, "unit": unit, "tz": own.tz or "UTC", "label": "end", "format": layout}
    )
    try:
        return event_seconds(column, np.arange(1, len(column) + 1), time, Rejects())
    except DataError:
        return None


def _day_doubts(time: TimeMap, clock: Clock) -> Iterator[Doubt]:
    step = clock.step_s
    if not step:
        return
    shift = step if time.label == "start" else 0
    first, last = clock.first - shift, clock.last - shift
    if step >= _DAY:
        if time.label == "end" and first % _DAY == 0 and last % _DAY == 0:
            yield Doubt(
                level="doubt",
                kind="daily stamp",
                text="days stamped 00:00 and declared ends: if a stamp is the date of the day it "
                f"speaks of, {_LOOKS_AHEAD.format('1d')}",
            )
        return
    if time.step is None or last - first < _DAY // 2:
        return
    if time.label == "end" and first % _DAY == 0 and (last + step) % _DAY == 0:
        yield Doubt(
            level="doubt",
            kind="label",
            text="the stamps run over whole days from 00:00 on, as starts do; the panel declares "
            f"them ends: if they are starts, {_LOOKS_AHEAD.format(spell(step))}",
        )
    if time.label == "start" and first % _DAY == step and last % _DAY == 0:
        yield Doubt(
            level="doubt",
            kind="label",
            text=f"the stamps run over whole days from {spell(step)} after 00:00 on, as ends do; "
            "the panel declares them starts",
        )
