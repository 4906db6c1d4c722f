"""What no market does: the border checks on the rows of one provider file.

A single bad cell or row is refused and counted. A column that is wrong as a whole (another unit,
another price) is a :class:`DataError`, because keeping the rest would hide it.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqwarn.data.mapping import FieldMap
from liqwarn.data.panel import Panel
from liqwarn.data.quarantine import Rejects
from liqwarn.data.rows import Rows
from liqwarn.errors import DataError
from liqwarn.frames import FIELDS, FloatArray

__all__ = ["JUMP", "LARGEST", "check_rows", "count_gaps", "drop_duplicates", "merge_events"]

JUMP: Final = 20.0
"""Factor by which no price moves away from its neighbours between two rows."""

LARGEST: Final = 1e16
"""No amount of coins or USD, and no price, is larger: all the money there is, a hundredfold."""

_NEIGHBOURS: Final = 49
_BARS: Final = ("open", "high", "low", "close")


def check_rows(rows: Rows, fields: Mapping[str, FieldMap], panel: Panel, rejects: Rejects) -> Rows:
    """The rows that may be kept; refused cells become NaN, refused rows go.

    A fault in any price refuses the whole row, since the rest of that candle is then in doubt.
    """
    bad_row = np.zeros(len(rows), dtype=np.bool_)
    values: dict[str, FloatArray] = {}
    for name, column in rows.values.items():
        bad = _bad_cells(rows, name, fields[name], panel, rejects)
        if _is_price(name):
            bad_row |= bad
        values[name] = np.where(bad, np.nan, column)
    bad_row |= _bad_candles(rows, bad_row, rejects)
    kept = Rows(row=rows.row, symbol=rows.symbol, event=rows.event, values=values).take(~bad_row)
    for symbol in np.unique(kept.symbol).tolist():
        kept = _without_spikes(kept, symbol, rejects)
    return kept


def _is_price(name: str) -> bool:
    return FIELDS[name].unit == "quote per coin"


def _bad_cells(
    rows: Rows, name: str, told: FieldMap, panel: Panel, rejects: Rejects
) -> NDArray[np.bool_]:
    column, spec = rows.values[name], FIELDS[name]
    nan = np.isnan(column)
    faults = {"missing price": nan} if _is_price(name) else {}
    faults["infinite"] = np.isinf(column)
    with np.errstate(invalid="ignore"):
        if spec.floor is not None:
            faults["negative" if spec.floor == 0.0 else "below the floor"] = column < spec.floor
            if spec.floor_open:
                faults["zero price" if _is_price(name) else "zero"] = column == spec.floor
        faults["implausible value"] = np.abs(column) > LARGEST
    if not told.priced:
        faults["implausible value"] |= _outside_band(rows, name, panel)
    bad = np.zeros(len(rows), dtype=np.bool_)
    for reason, found in faults.items():
        fresh = found & ~bad
        if fresh.any():
            rejects.add(rows.row[fresh], name, column[fresh], reason)
            bad |= fresh
    if spec.floor == 0.0 and len(rows) and 2 * int(bad.sum()) >= len(rows) and _is_price(name):
        at = int(np.argmax(bad))
        raise DataError(
            f"field '{name}' row {rows.row[at]}: found {column[at]}, and {int(bad.sum())} of "
            f"{len(rows)} prices are unusable: the wrong column?"
        )
    return bad


def _outside_band(rows: Rows, name: str, panel: Panel) -> NDArray[np.bool_]:
    column = rows.values[name]
    outside = np.zeros(len(rows), dtype=np.bool_)
    for symbol in panel.symbol_names:
        band = panel.plausible(symbol, name)
        if band is None:
            continue
        mine = rows.symbol == symbol
        if not mine.any():
            continue
        with np.errstate(invalid="ignore"):
            found = mine & ((column < band[0]) | (column > band[1]))
        if 2 * int(found.sum()) >= int(mine.sum()):
            at = int(np.argmax(found))
            raise DataError(
                f"field '{name}' row {rows.row[at]}: found {column[at]} for {symbol}, expected "
                f"{band[0]:g} to {band[1]:g}: another unit or column?"
            )
        outside |= found
    return outside


def _bad_candles(rows: Rows, known_bad: NDArray[np.bool_], rejects: Rejects) -> NDArray[np.bool_]:
    none = np.zeros(len(rows), dtype=np.bool_)
    if not all(name in rows.values for name in _BARS):
        return none
    first, high, low, last = (rows.values[name] for name in _BARS)
    with np.errstate(invalid="ignore"):
        crossed = ~known_bad & (high < low)
        poking = ~known_bad & ~crossed
        poking &= (np.maximum(first, last) > high) | (np.minimum(first, last) < low)
    rejects.add(rows.row[crossed], "high", high[crossed], "high below low")
    rejects.add(rows.row[poking], "high", high[poking], "open or close outside high and low")
    return crossed | poking


def _without_spikes(rows: Rows, symbol: str, rejects: Rejects) -> Rows:
    bad = np.zeros(len(rows), dtype=np.bool_)
    mine = np.flatnonzero(rows.symbol == symbol)
    mine = mine[np.argsort(rows.event[mine], kind="stable")]
    for name in rows.values:
        if _is_price(name) and mine.size:
            bad[mine[_spikes(rows, mine, name, rejects)]] = True
    return rows.take(~bad)


def _spikes(rows: Rows, mine: NDArray[np.intp], name: str, rejects: Rejects) -> NDArray[np.bool_]:
    price = rows.values[name][mine]
    if price.max() < JUMP * price.min():
        return np.zeros(price.size, dtype=np.bool_)
    around = pd.Series(price).rolling(_NEIGHBOURS, center=True, min_periods=1).median().to_numpy()
    ratio = np.maximum(price / around, around / price)
    spike: NDArray[np.bool_] = ratio >= JUMP
    calm = np.flatnonzero(~spike)
    steps = np.maximum(price[calm[1:]] / price[calm[:-1]], price[calm[:-1]] / price[calm[1:]])
    if steps.size and float(steps.max()) >= JUMP:
        at = int(np.argmax(steps))
        before, after = price[calm[at]], price[calm[at + 1]]
        raise DataError(
            f"field '{name}' row {rows.row[mine[calm[at + 1]]]}: {before:g} becomes {after:g} and "
            "stays there: did the unit change inside the file?"
        )
    rejects.add(
        rows.row[mine[spike]], name, price[spike], f"more than {JUMP:g}x off its neighbours"
    )
    return spike


def drop_duplicates(rows: Rows, rejects: Rejects) -> tuple[Rows, int]:
    """Rows sorted by symbol and time, each once, and how many identical copies were dropped.

    Copies that disagree are all refused: which one is true cannot be known.
    """
    order = np.lexsort((rows.row, rows.event, rows.symbol))
    rows = rows.take(order)
    if len(rows) < 2:
        return rows, 0
    again = np.zeros(len(rows), dtype=np.bool_)
    again[1:] = (rows.event[1:] == rows.event[:-1]) & (rows.symbol[1:] == rows.symbol[:-1])
    if not again.any():
        return rows, 0
    group = np.cumsum(~again) - 1
    first = np.flatnonzero(~again)[group]
    differs = np.zeros(len(rows), dtype=np.bool_)
    for column in rows.values.values():
        differs |= (column != column[first]) & ~(np.isnan(column) & np.isnan(column[first]))
    clash = np.bincount(group, weights=differs)[group] > 0
    if clash.any():
        rejects.add(rows.row[clash], "time", rows.event[clash], "conflicting duplicate")
    return rows.take(~clash & ~again), int((again & ~clash).sum())


def merge_events(rows: Rows) -> Rows:
    """Calendar events of one symbol at one time as one event: their amounts add up."""
    keys = np.array([f"{s} {t}" for s, t in zip(rows.symbol, rows.event.tolist(), strict=True)])
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    sums = {
        name: np.bincount(group, weights=column, minlength=len(first)).astype(np.float64)
        for name, column in rows.values.items()
    }
    kept = rows.take(first)
    return Rows(row=kept.row, symbol=kept.symbol, event=kept.event, values=sums)


def count_gaps(rows: Rows, step_s: int | None) -> int:
    """Steps missing between the first and the last row of each symbol, rows being sorted."""
    if step_s is None or len(rows) < 2:
        return 0
    same = rows.symbol[1:] == rows.symbol[:-1]
    missing = np.diff(rows.event)[same] // step_s - 1
    return int(missing[missing > 0].sum())
