"""Flags of a history as nautilus data: the file of `liqwarn score` or `liqwarn replay`."""

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from liqwarn.errors import DataError
from liqwarn_nautilus.default_limits import DEFAULT_LIMITS, TierLimits, limits_of
from liqwarn_nautilus.flag import SIDES, LiqwarnFlag, SideFlag

__all__ = ["load_flags"]

_COLUMNS = ["symbol", "as_of", "side", "p_4h", "tier", "state", "quality", "sequence"]
_TIMES = ["as_of", "issued_at", "valid_until"]
_NS = pa.timestamp("ns", tz="UTC")

Row = dict[str, Any]


def load_flags(
    path: Path,
    *,
    issue_delay: timedelta | None = None,
    limits: Mapping[int, TierLimits] = DEFAULT_LIMITS,
) -> list[LiqwarnFlag]:
    """Read a flag history, in order of issue.

    Parameters
    ----------
    path : Path
        Parquet, a row a symbol, bar and side.
    issue_delay : timedelta, optional
        None takes ``issued_at`` as recorded. A delay of 0 or more takes ``as_of`` and this much:
        what live would have done, for a history that was scored afterwards in one go.
    limits : mapping of tier to TierLimits
        The history names tiers, not limits.

    Returns
    -------
    list of LiqwarnFlag
        One a symbol and bar, sorted by `ts_init`; none has a `ts_init` before its bar's close.

    Raises
    ------
    DataError
        When columns or sides are missing, a flag was issued before its bar closed, or no flag of
        the file was valid when it was issued: a history scored afterwards needs `issue_delay`.
    """
    rows = _rows(path, issue_delay)
    flags = [_flag(pair, dict(limits)) for pair in _pairs(rows)]
    _need_causal(flags, path)
    if flags and all(flag.ts_init >= flag.valid_until_ns for flag in flags):
        raise DataError(
            f"{path.name} was issued after all its flags had expired, as a history scored "
            "afterwards is; expected issue_delay, to take them as issued at each bar's close"
        )
    return sorted(flags, key=lambda flag: (flag.ts_init, flag.ts_event, flag.symbol))


def _rows(path: Path, issue_delay: timedelta | None) -> list[Row]:
    if issue_delay is not None and issue_delay < timedelta(0):
        raise DataError(f"issue_delay is {issue_delay}, expected 0 or more: no flag is early")
    table = pq.read_table(path)
    missing = {*_COLUMNS, *_TIMES} - set(table.column_names)
    if missing:
        raise DataError(f"{path.name} lacks {sorted(missing)}, expected a flag history")
    rows = table.select(_COLUMNS).drop_columns(["as_of"]).to_pylist()
    for name in _TIMES:
        stamps = table[name].cast(_NS).cast(pa.int64()).to_pylist()
        for row, stamp in zip(rows, stamps, strict=True):
            row[name] = stamp
    if issue_delay is not None:
        delay = issue_delay // timedelta(microseconds=1) * 1_000
        for row in rows:
            row["issued_at"] = row["as_of"] + delay
    return rows


def _pairs(rows: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Long and short row of each symbol and bar."""
    cells: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        cells.setdefault((row["symbol"], row["as_of"]), {})[row["side"]] = row
    for (symbol, _), sides in cells.items():
        if set(sides) != set(SIDES):
            raise DataError(f"{symbol} has a bar of {sorted(sides)} alone, expected both sides")
        yield sides["long"], sides["short"]


def _flag(pair: tuple[Row, Row], table: dict[int, TierLimits]) -> LiqwarnFlag:
    long, short = pair
    tiers = _tier(long), _tier(short)
    return LiqwarnFlag(
        symbol=long["symbol"],
        sequence=max(long["sequence"], short["sequence"]),
        quality=long["quality"],
        valid_until_ns=min(long["valid_until"], short["valid_until"]),
        long=_side(long, tiers, table),
        short=_side(short, tiers[::-1], table),
        ts_event=long["as_of"],
        ts_init=max(long["issued_at"], short["issued_at"]),
    )


def _tier(row: Row) -> int:
    text = str(row["tier"])
    if text.removeprefix("T") not in set("012345"):
        raise DataError(f"tier of {row['symbol']} is {text!r}, expected T0 to T5")
    return int(text.removeprefix("T"))


def _side(row: Row, tiers: tuple[int, int], table: dict[int, TierLimits]) -> SideFlag:
    own, opposite = tiers
    p = row["p_4h"]
    return SideFlag(
        tier=own,
        state=row["state"],
        limits=limits_of(own, opposite, row["state"], table),
        p_4h=None if p is None or math.isnan(p) else float(p),
    )


def _need_causal(flags: list[LiqwarnFlag], path: Path) -> None:
    early = [flag for flag in flags if flag.ts_init < flag.ts_event]
    if early:
        raise DataError(
            f"{path.name} has {len(early)} flags issued before their bar closed, first {early[0]}; "
            "expected none"
        )
