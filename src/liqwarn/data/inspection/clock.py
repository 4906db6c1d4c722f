"""What a file's stamps say by themselves: their unit, their step, what is missing, the order."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn.data.inspection.doubts import Doubt, spell
from liqwarn.data.inspection.reading import Reading, neighbours
from liqwarn.data.records import IntArray
from liqwarn.data.rows import Rows

__all__ = ["Clock", "clock_doubts", "guess_units", "measure_clock"]

_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST: Final = 1_230_768_000  # 2009-01-01
_LAST: Final = 4_102_444_800  # 2100-01-01
_STEADY: Final = 0.5
_MANY_GAPS: Final = 0.01
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Measured on the rows that were read.

    Attributes
    ----------
    unit : str
        Of numeric stamps by their magnitude, ``iso`` of others.
    first, last : int
        Ends of the first and last interval, seconds UTC.
    step_s : int or None
        The most frequent distance between stamps of a symbol; None of a single row.
    steady : float
        Share of the distances that are that step.
    gaps : int
        Steps missing between rows; 0 where most distances differ.
    duplicates : int
        Rows that repeat another, identical or not.
    in_order : bool
        Whether the rows of each symbol are in order of time.
    """

    unit: str
    first: int
    last: int
    step_s: int | None
    steady: float
    gaps: int
    duplicates: int
    in_order: bool


def guess_units(stamps: "pd.Series[Any]") -> dict[str, int]:
    """How many numeric stamps are a date between 2009 and 2100 in each unit; empty of text.

    >>> guess_units(pd.Series(["1704067200000", "1704070800000", "1735689600000000"]))
    {'ms': 2, 'us': 1}
    """
    if pd.api.types.is_datetime64_any_dtype(stamps.dtype):
        return {}
    numbers = pd.to_numeric(stamps, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        found = {
            unit: int(((numbers >= _FIRST * per) & (numbers < _LAST * per)).sum())
            for unit, per in _PER_SECOND.items()
        }
    return {unit: count for unit, count in found.items() if count}


def measure_clock(reading: Reading) -> Clock | None:
    """The clock of a file; None when no row of it would be kept."""
    rows, sample, raw = reading.rows, reading.sample, reading.column(reading.told.time.column)
    if rows is None or sample is None or raw is None or not len(rows):
        return None
    before, after = neighbours(rows, sample)
    steps = after.event - before.event
    step, steady = _most_frequent(steps)
    units = guess_units(raw)
    clashes = sum(refusal.reason == "conflicting duplicate" for refusal in reading.refusals)
    return Clock(
        unit=max(units, key=lambda unit: units[unit]) if units else "iso",
        first=int(rows.event.min()),
        last=int(rows.event.max()),
        step_s=step,
        steady=steady,
        gaps=0 if not step or steady < _STEADY else int(np.maximum(steps // step - 1, 0).sum()),
        duplicates=reading.duplicates + clashes,
        in_order=_in_order(rows),
    )


def _most_frequent(steps: IntArray) -> tuple[int | None, float]:
    if not steps.size:
        return None, 1.0
    sizes, counts = np.unique(steps, return_counts=True)
    return int(sizes[counts.argmax()]), float(counts.max() / steps.size)


def _in_order(rows: Rows) -> bool:
    same = rows.symbol[1:] == rows.symbol[:-1]
    return not bool((np.diff(rows.row)[same] < 0).any())


def clock_doubts(reading: Reading, clock: Clock | None) -> Iterator[Doubt]:
    """Doubts about unit, step, gaps, duplicates and the present."""
    raw = reading.column(reading.told.time.column)
    if raw is not None:
        yield from _unit_doubts(reading, guess_units(raw))
    if clock is not None:
        yield from _step_doubts(reading, clock)
        if clock.duplicates:
            yield Doubt(
                level="doubt",
                kind="duplicates",
                text=f"{clock.duplicates:,} rows repeat a symbol and time; copies that disagree "
                "are all refused",
            )


def _unit_doubts(reading: Reading, units: dict[str, int]) -> Iterator[Doubt]:
    said = reading.told.time.unit
    if len(units) > 1:
        found = " and ".join(f"{count:,} rows in {unit}" for unit, count in units.items())
        yield Doubt(
            level="wrong",
            kind="time unit",
            text=f"stamps change their unit inside the file: {found}; the panel says {said}",
        )
    elif units and said not in units:
        unit = next(iter(units))
        yield Doubt(
            level="wrong",
            kind="time unit",
            text=f"by their magnitude the stamps are in {unit}, the panel says {said}: "
            f"set time.unit to {unit}",
        )


def _step_doubts(reading: Reading, clock: Clock) -> Iterator[Doubt]:
    declared = reading.told.time.step
    said = None if declared is None else int(declared.total_seconds())
    if said and clock.step_s and clock.step_s != said:
        yield Doubt(
            level="doubt",
            kind="step",
            text=f"stamps are mostly {spell(clock.step_s)} apart, the panel says {spell(said)}",
        )
    elif said and clock.gaps:
        steps = (clock.last - clock.first) // said + 1
        share = clock.gaps / max(steps, 1)
        if share >= _MANY_GAPS:
            yield Doubt(
                level="doubt",
                kind="gaps",
                text=f"{clock.gaps:,} steps of {spell(said)} are missing between the rows",
            )
