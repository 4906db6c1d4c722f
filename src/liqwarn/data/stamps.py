"""Provider time stamps as seconds UTC, with the faults that clocks have."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqwarn.data.mapping import TimeMap
from liqwarn.data.quarantine import Rejects
from liqwarn.data.records import IntArray
from liqwarn.errors import DataError

__all__ = ["NO_TIME", "SKEW_S", "after_the_present", "event_seconds"]

NO_TIME: Final = np.iinfo(np.int64).min
"""Stands for a stamp that was refused."""

SKEW_S: Final = 3_600
"""How far the clocks of a provider and of this machine may differ, in seconds."""

_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST: Final = 1_230_768_000  # 2009-01-01, the year of the first coin
_LAST: Final = 4_102_444_800  # 2100-01-01
_ZONED: Final = r"(?:Z|:\d{2}(?:\.\d+)?[+-]\d{2}:?\d{2})$"


def event_seconds(
    stamps: "pd.Series[Any]", rows: IntArray, time: TimeMap, rejects: Rejects
) -> IntArray:
    """End of each row's interval in seconds UTC, :data:`NO_TIME` where it was refused.

    Stamps between two seconds count as the later one, so nothing is known too early.

    Raises
    ------
    DataError
        When the column as a whole is wrong: no time zone, another unit, off the grid of its step.
    """
    if pd.api.types.is_datetime64_any_dtype(stamps.dtype):
        seconds = _from_datetimes(stamps, time)
    elif time.unit == "iso":
        seconds = _from_text(stamps, rows, time)
    else:
        seconds = _from_numbers(stamps, time)
    unread = seconds == NO_TIME
    if 2 * int(unread.sum()) >= seconds.size:
        at = int(np.argmax(unread))
        raise DataError(
            f"column '{time.column}' row {rows[at]}: found {stamps.iloc[at]!r}, expected a time; "
            "set time.unit (s, ms, us, ns) or time.format"
        )
    _refuse(seconds, unread, stamps, rows, (time, "unreadable time"), rejects)
    outside = (seconds != NO_TIME) & ((seconds < _FIRST) | (seconds >= _LAST))
    if 2 * int(outside.sum()) >= seconds.size:
        at = int(np.argmax(outside))
        raise DataError(
            f"column '{time.column}' row {rows[at]}: {_wrong_unit(stamps.iloc[at], time)}"
        )
    _refuse(seconds, outside, stamps, rows, (time, "implausible time"), rejects)
    return _to_grid(seconds, stamps, rows, time, rejects)


def after_the_present(event: IntArray, now: int) -> NDArray[np.bool_]:
    """Which times nobody can know anything of yet; `now` in seconds UTC.

    >>> after_the_present(np.array([0, 3_600, 3_601]), now=0).tolist()
    [False, False, True]
    """
    return event > now + SKEW_S


def _to_grid(
    seconds: IntArray, stamps: "pd.Series[Any]", rows: IntArray, time: TimeMap, rejects: Rejects
) -> IntArray:
    if time.step is None:
        return seconds
    step, snap = int(time.step.total_seconds()), int(time.snap.total_seconds())
    good = seconds != NO_TIME
    near = (seconds + snap) // step * step
    off = good & (np.abs(seconds - near) > snap)
    if off.any() and 2 * int(off.sum()) >= int(good.sum()):
        at = int(np.argmax(off))
        raise DataError(
            f"column '{time.column}' row {rows[at]}: found {stamps.iloc[at]}, expected stamps on "
            f"the grid of its step {time.step}: another step, zone or label?"
        )
    out = np.where(good, near + (step if time.label == "start" else 0), seconds)
    _refuse(out, off, stamps, rows, (time, f"off the {time.step} grid"), rejects)
    return out


def _refuse(
    seconds: IntArray,
    bad: NDArray[np.bool_],
    stamps: "pd.Series[Any]",
    rows: IntArray,
    why: tuple[TimeMap, str],
    rejects: Rejects,
) -> None:
    if bad.any():
        rejects.add(rows[bad], why[0].column, stamps.to_numpy(dtype=object)[bad], why[1])
        seconds[bad] = NO_TIME


def _from_datetimes(stamps: "pd.Series[Any]", time: TimeMap) -> IntArray:
    if getattr(stamps.dtype, "tz", None) is None:
        if time.tz is None:
            raise DataError(_naive(time, 1, stamps.iloc[0]))
        stamps = stamps.dt.tz_localize(_zone(time.tz), ambiguous="NaT", nonexistent="NaT")
    return _microseconds_up(stamps)


def _from_text(stamps: "pd.Series[Any]", rows: IntArray, time: TimeMap) -> IntArray:
    if pd.api.types.is_numeric_dtype(stamps.dtype):
        raise DataError(
            f"column '{time.column}' holds numbers such as {stamps.iloc[0]}: "
            "state time.unit (s, ms, us or ns)"
        )
    text = stamps.astype("string").str.strip().str.replace(r"\s*(?:UTC|GMT)$", "Z", regex=True)
    layout = time.format or "ISO8601"
    bare = ~text.str.contains(_ZONED, regex=True, na=True)
    if time.tz is None and "%z" not in layout:
        naive = pd.to_datetime(text[bare], errors="coerce", format=layout).notna()
        if naive.any():
            at = int(np.flatnonzero(bare.to_numpy(dtype=bool))[int(np.argmax(naive))])
            raise DataError(_naive(time, int(rows[at]), text.iloc[at]))
    if time.tz is not None and bool(bare.any()):
        return _from_datetimes(_one_zone(text, layout, time), time)
    return _microseconds_up(pd.to_datetime(text, utc=True, errors="coerce", format=layout))


def _one_zone(text: "pd.Series[Any]", layout: str, time: TimeMap) -> "pd.Series[Any]":
    try:
        return pd.to_datetime(text, errors="coerce", format=layout)
    except ValueError as error:
        raise DataError(
            f"column '{time.column}' holds stamps with and without a zone, such as {text.iloc[0]}, "
            "expected one kind"
        ) from error


def _from_numbers(stamps: "pd.Series[Any]", time: TimeMap) -> IntArray:
    per_second = _PER_SECOND[time.unit]
    numbers = pd.to_numeric(stamps, errors="coerce")
    if pd.api.types.is_integer_dtype(numbers.dtype) and not numbers.hasnans:
        return np.asarray(-(-numbers.to_numpy(dtype=np.int64) // per_second), dtype=np.int64)
    floats = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    whole = np.ceil(floats / per_second - 1e-6)  # what 64 bits lose of nanoseconds
    good = np.isfinite(whole) & (np.abs(whole) < 2.0**62)
    return np.where(good, np.where(good, whole, 0.0).astype(np.int64), NO_TIME)


def _microseconds_up(stamps: "pd.Series[Any]") -> IntArray:
    utc = stamps.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    us = utc.astype(np.int64)
    return np.where(np.isnat(utc), NO_TIME, -(-us // 1_000_000))


def _zone(tz: str) -> object:
    return pd.Timestamp(f"2000-01-01T00:00:00{tz}").tz if tz[0] in "+-" else tz


def _naive(time: TimeMap, row: int, value: object) -> str:
    return (
        f"column '{time.column}' row {row}: {value} has no time zone; "
        "state time.tz in the panel (UTC, if it is)"
    )


def _wrong_unit(found: object, time: TimeMap) -> str:
    number = pd.to_numeric(pd.Series([found]), errors="coerce").iloc[0]
    for unit, per_second in _PER_SECOND.items():
        if time.unit not in ("iso", unit) and _FIRST <= number / per_second < _LAST:
            when = pd.Timestamp(int(number // per_second), unit="s")
            return (
                f"{found} read as {time.unit} is no date between 2009 and 2100; "
                f"read as {unit} it is {when.date()}: set time.unit to {unit}"
            )
    return f"found {found}, expected a date between 2009 and 2100"
