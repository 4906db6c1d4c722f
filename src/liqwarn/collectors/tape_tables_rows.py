"""Minutes of one symbol as rows of its tables."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from liqwarn.collectors.coverage import MINUTE_MS
from liqwarn.collectors.minutes import GRACE_MS, Minute
from liqwarn.collectors.saturation import is_saturated
from liqwarn.collectors.tally_orders import OrderTally
from liqwarn.collectors.tape_tables_columns import STATE_FIELDS, TABLES, typed_table
from liqwarn.frames import SIDES, FloatArray

__all__ = ["Listened", "symbol_tables"]

_NAN: Final = math.nan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listened:
    """How far a symbol's liquidations were listened to, minute by minute.

    Attributes
    ----------
    first : int
        Number of the first minute since the epoch.
    covered_s : ndarray of float64, shape (n_minutes,)
        Seconds; 60 when throughout.
    proof_ms : mapping of minute number to int
        The first moment at which something was seen that proves that the minute was over.
    capped_feed : bool
        Whether the feed tells one order a second at most.
    """

    first: int
    covered_s: FloatArray
    proof_ms: Mapping[int, int]
    capped_feed: bool


def symbol_tables(minutes: Mapping[int, Minute], listened: Listened) -> dict[str, pd.DataFrame]:
    """The tables of a symbol over the minutes of `listened`.

    Parameters
    ----------
    minutes : mapping of minute number to Minute
        Those in which something was told.
    listened : Listened

    Returns
    -------
    dict of name to DataFrame
        Of :data:`liqwarn.collectors.tape_tables_columns.TABLES`, sorted by time. ``liquidations``
        has a row for every minute, NaN in those that were not listened to throughout; the others
        have the minutes in which something was told.
    """
    numbers = range(listened.first, listened.first + listened.covered_s.size)
    told = [(number, minutes[number]) for number in numbers if number in minutes]
    return {
        "liquidations": _liquidations(minutes, listened),
        "prices": _prices(told),
        "mark": _readings("mark", ("mark",), told),
        "index": _readings("index", ("index",), told),
        "state": _readings("state", STATE_FIELDS, told),
    }


def _second_up(ms: int) -> int:
    """A moment on the second at or after it, in milliseconds."""
    return -(-ms // 1_000) * 1_000


def _liquidations(minutes: Mapping[int, Minute], listened: Listened) -> pd.DataFrame:
    rows = []
    for at, covered in enumerate(listened.covered_s.tolist()):
        number = listened.first + at
        end = (number + 1) * MINUTE_MS
        if covered < 60.0:
            unknown = [_NAN] * (len(TABLES["liquidations"]) - 3)
            rows.append([end, *unknown, covered, end])
            continue
        orders = minutes[number].orders if number in minutes else OrderTally()
        seen = max(orders.seen_ms, listened.proof_ms.get(number, end))
        known = [orders.usd_by(side, end + GRACE_MS) for side in SIDES]
        sums = _sums(orders, listened.capped_feed)
        rows.append([end, *sums, *known, covered, _second_up(seen)])
    return typed_table("liquidations", _columns("liquidations", rows))


def _sums(orders: OrderTally, capped_feed: bool) -> list[float]:
    found: list[float] = []
    active: set[int] = set()
    for side in SIDES:
        sums = orders.side(side)
        active |= sums.seconds
        found += [float(sums.count), sums.sum_usd, sums.capped_sum_usd, float(len(sums.seconds))]
        found.append(sums.largest_usd)
    if not capped_feed:
        return [*found, float(len(active)), _NAN, _NAN]
    return [*found, float(len(active)), len(active) / 60.0, float(is_saturated(len(active)))]


def _prices(told: Sequence[tuple[int, Minute]]) -> pd.DataFrame:
    rows = []
    for number, minute in told:
        end = (number + 1) * MINUTE_MS
        made = _candle(minute, end + GRACE_MS)
        if made is not None:
            values, made_of, seen = made
            known = end if seen <= end + GRACE_MS else _second_up(seen)
            rows.append([end, *values, made_of, _second_up(seen), known])
    return typed_table("prices", _columns("prices", rows))


def _candle(minute: Minute, until_ms: int) -> tuple[list[float], str, int] | None:
    """The venue's when it came in time; else what samples make; else the venue's late one."""
    prices, candle = minute.sampled.prices, minute.candle
    if candle is not None and (candle[0] <= until_ms or prices is None):
        seen, *values, taker = candle
        return [*values, _NAN if taker < 0.0 else taker], "venue", int(seen)
    return None if prices is None else ([*prices, _NAN, _NAN], "mark", minute.sampled.seen_ms)


def _readings(
    table: str, fields: Sequence[str], told: Sequence[tuple[int, Minute]]
) -> pd.DataFrame:
    rows = []
    for number, minute in told:
        found = [minute.readings.get(name) for name in fields]
        if all(one is None for one in found):
            continue
        row: list[object] = [(number + 1) * MINUTE_MS]
        for one in found:
            row += [_NAN, None, None] if one is None else [one[2], one[0], -one[1]]
        rows.append([*row, _second_up(max(-one[1] for one in found if one is not None))])
    return typed_table(table, _columns(table, rows))


def _columns(table: str, rows: Sequence[Sequence[object]]) -> dict[str, list[object]]:
    names = TABLES[table]
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)]
    return dict(zip(names, columns or [[] for _ in names], strict=True))
