"""What a file's columns hold: ranges, what is missing, constants, units, and what is left out."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn.data.inspection.doubts import Doubt, listed
from liqwarn.data.inspection.reading import Reading, used_columns
from liqwarn.data.mapping import FieldMap
from liqwarn.data.panel import Calendar
from liqwarn.frames import FIELDS, FloatArray

__all__ = ["Range", "column_doubts", "measure_ranges"]

_ON_CHAIN: Final = {"inflow", "outflow", "netflow", "reserve", "whale_ratio", "leverage_ratio"}
_USD: Final = re.compile(r"usd|quote", re.IGNORECASE)
_PERCENT: Final = re.compile(r"pct|percent", re.IGNORECASE)
_QUOTE: Final = re.compile(r"(USDT|USDC|USD)?(PERP|SWAP)?$")
_LARGE_FUNDING: Final = 0.002
_FEW: Final = 10
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Values of one field in the rows that were read; NaN when there is none.

    Attributes
    ----------
    unit : str
        Of the stored value.
    missing : float
        Share of the rows without a value, 0 to 1.
    """

    field: str
    unit: str
    low: float
    median: float
    high: float
    missing: float


def measure_ranges(reading: Reading) -> tuple[Range, ...]:
    """One range a field, in the order of the panel; none when no row would be kept."""
    if reading.rows is None or not len(reading.rows):
        return ()
    return tuple(
        _range(name, reading.fields[name], column) for name, column in reading.rows.values.items()
    )


def _range(name: str, told: FieldMap, column: FloatArray) -> Range:
    known = column[~np.isnan(column)]
    low, median, high = (
        (float(known.min()), float(np.median(known)), float(known.max()))
        if known.size
        else (np.nan, np.nan, np.nan)
    )
    return Range(
        field=name,
        unit="USD, coins in a frame" if told.priced else FIELDS[name].unit,
        low=low,
        median=median,
        high=high,
        missing=1.0 - known.size / column.size,
    )


def column_doubts(reading: Reading, ranges: tuple[Range, ...]) -> Iterator[Doubt]:
    """Doubts about single columns, refused cells, and what the panel leaves out."""
    yield from _refusal_doubts(reading)
    for span in ranges:
        yield from _value_doubts(span, reading)
    for name, told in reading.fields.items():
        yield from _unit_name_doubts(name, told)
    yield from _lag_doubts(reading)
    yield from _other_coin_doubts(reading)
    yield from _left_out(reading)


def _refusal_doubts(reading: Reading) -> Iterator[Doubt]:
    counts = Counter((refusal.field, refusal.reason) for refusal in reading.refusals)
    for (field, reason), count in sorted(counts.items()):
        first = next(r for r in reading.refusals if (r.field, r.reason) == (field, reason))
        yield Doubt(
            level="doubt",
            kind="refused",
            text=f"'{field}': {count:,} would be quarantined, {reason}, such as {first.value[:40]}",
        )


def _value_doubts(span: Range, reading: Reading) -> Iterator[Doubt]:
    told, name = reading.fields[span.field], span.field
    if span.missing == 1.0:
        yield Doubt(level="wrong", kind="empty", text=f"'{name}' has no value in any row read")
    elif span.missing > 0.5:
        yield Doubt(
            level="doubt", kind="missing", text=f"'{name}' is missing in {span.missing:.0%} of rows"
        )
    many = reading.rows is not None and len(reading.rows) >= _FEW
    if told.column and many and span.low == span.high and "interval" not in name:
        yield Doubt(
            level="doubt",
            kind="constant",
            text=f"'{name}' is {span.low:g} in every row read: a placeholder?",
        )
    if name.startswith("funding_rate") and _typical_size(reading, name) >= _LARGE_FUNDING:
        yield Doubt(
            level="doubt",
            kind="unit",
            text=f"'{name}' is typically {_typical_size(reading, name):.4f}, expected some 0.0001 "
            "as a fraction: percent? Then say unit: percent",
        )
    if name == "whale_ratio" and span.high > 1.0:
        yield Doubt(
            level="doubt",
            kind="unit",
            text=f"'{name}' reaches {span.high:g}, expected a share of at most 1: percent?",
        )


def _typical_size(reading: Reading, name: str) -> float:
    if reading.rows is None:
        return 0.0
    sizes = np.abs(reading.rows.values[name])
    known = sizes[~np.isnan(sizes)]
    return float(np.median(known)) if known.size else 0.0


def _unit_name_doubts(name: str, told: FieldMap) -> Iterator[Doubt]:
    column, unit = told.column, FIELDS[name].unit
    if column is None or told.divide_by or told.priced or told.scale != 1.0:
        return
    if unit == "coins" and _USD.search(column):
        yield Doubt(
            level="doubt",
            kind="unit",
            text=f"'{name}' is in coins, its column '{column}' is named as money: divide_by a "
            "price, or unit: usd_at_close or usd_at_typical",
        )
    if _PERCENT.search(column) and told.unit != "percent":
        yield Doubt(
            level="doubt",
            kind="unit",
            text=f"'{name}' comes from '{column}', which is named as percent: unit: percent?",
        )
    if unit != "coins" and "usd" in name and re.search(r"btc|eth|coin|base", column, re.IGNORECASE):
        yield Doubt(
            level="doubt",
            kind="unit",
            text=f"'{name}' is in USD, its column '{column}' is named as coins",
        )


def _lag_doubts(reading: Reading) -> Iterator[Doubt]:
    if reading.lag_s != 0:
        return
    on_chain = sorted(set(reading.fields) & _ON_CHAIN)
    if on_chain:
        step = reading.told.time.step
        daily = step is not None and step.total_seconds() >= _DAY
        yield Doubt(
            level="doubt",
            kind="lag",
            text=f"{listed(on_chain)}: on-chain values with known_lag 0s; labels and blocks come "
            + ("later, a day is published the day after" if daily else "later than the interval"),
        )


def _other_coin_doubts(reading: Reading) -> Iterator[Doubt]:
    """Whether a file that is said to be of one symbol holds a column that says another."""
    if reading.rows is None or not len(reading.rows) or isinstance(reading.told, Calendar):
        return
    if reading.told.symbol is not None and reading.told.symbol.column is not None:
        return
    name = str(reading.rows.symbol[0])
    for column in ("symbol", "asset", "coin"):
        raw = reading.column(column)
        said = set() if raw is None else _texts(raw)
        strange = sorted(text for text in said if not _same_coin(text, name))
        if strange:
            yield Doubt(
                level="doubt",
                kind="symbols",
                text=f"the panel takes the whole file for {name}, its column '{column}' says "
                f"{listed(strange)}",
            )


def _texts(column: "pd.Series[Any]") -> set[str]:
    """Every value of a column as text."""
    return {str(value) for value in column.array}


def _same_coin(text: str, name: str) -> bool:
    """Whether two spellings are of one coin, whatever it is quoted in.

    >>> _same_coin("btc-usdt-swap", "BTCUSDT"), _same_coin("ETH", "BTCUSDT")
    (True, False)
    """
    one, other = (_QUOTE.sub("", re.sub(r"[^A-Z0-9]", "", t.upper())) for t in (text, name))
    return one == other


def _left_out(reading: Reading) -> Iterator[Doubt]:
    if reading.sample is None:
        return
    unused = [str(n) for n in reading.sample.table.columns if str(n) not in used_columns(reading)]
    if unused:
        yield Doubt(level="note", kind="unused", text=f"columns not used: {listed(unused, 12)}")
    told, rows = reading.told, reading.rows
    column = told.symbol.column if told.symbol and told.symbol.column else None
    raw = reading.column(column) if column else None
    if raw is not None and rows is not None:
        known = _texts(raw.iloc[rows.row - 1])
        others = sorted(_texts(raw) - known)
        if others:
            yield Doubt(
                level="note",
                kind="other symbols",
                text=f"'{column}' also holds {listed(others)}, which are not of this panel or "
                "filtered out",
            )
