"""The tables that a tape becomes: one row a minute, named by its close; what each column holds."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from liqwarn.frames import SIDES

__all__ = ["STATE_FIELDS", "TABLES", "typed_table"]

STATE_FIELDS: Final = (
    "open_interest",
    "funding_rate",
    "funding_interval_h",
    "bid_depth_usd",
    "ask_depth_usd",
)
"""Readings that are no prices, together in the table ``state``."""

_TIME: Final = "datetime64[us, UTC]"
_FLOAT: Final = "float64"


def _readings(*names: str) -> dict[str, str]:
    columns: dict[str, str] = {"time": _TIME}
    for name in names:
        columns |= {name: _FLOAT, f"{name}_time_ms": "Int64", f"{name}_seen_ms": "Int64"}
    return columns | {"seen_at": _TIME}


def _liquidations() -> dict[str, str]:
    columns: dict[str, str] = {"time": _TIME}
    for side in SIDES:
        names = ("count", "sum_usd", "capped_sum_usd", "active_seconds", "largest_usd")
        columns |= {f"{side}_{name}": _FLOAT for name in names}
    after = ("active_seconds", "saturation_frac", "saturated")
    known = tuple(f"{side}_known_usd" for side in SIDES)
    return columns | dict.fromkeys((*after, *known, "covered_s"), _FLOAT) | {"seen_at": _TIME}


TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "liquidations": _liquidations(),
    "prices": {
        "time": _TIME,
        **dict.fromkeys(("open", "high", "low", "close", "volume", "taker_buy_volume"), _FLOAT),
        "made_of": "string",
        "seen_at": _TIME,
        "known_at": _TIME,
    },
    "mark": _readings("mark"),
    "index": _readings("index"),
    "state": _readings(*STATE_FIELDS),
}
"""Name of a table to its columns and their types, in order. A change here is a new format."""


def typed_table(name: str, columns: Mapping[str, list[object]]) -> pd.DataFrame:
    """A table of its columns and types.

    Parameters
    ----------
    name : str
        Of :data:`TABLES`.
    columns : mapping of name to list
        Times as milliseconds since the epoch; missing ones as None.

    Examples
    --------
    >>> row = {"time": [60_000], "mark": [7.0], "mark_time_ms": [59_000], "mark_seen_ms": [59_100],
    ...        "seen_at": [60_000]}
    >>> typed_table("mark", row)["time"].iloc[0].isoformat()
    '1970-01-01T00:01:00+00:00'
    """
    made = {}
    for column, kind in TABLES[name].items():
        found = columns[column]
        if kind == _TIME:
            ms = np.asarray(found, dtype=np.int64).astype("datetime64[ms]")
            made[column] = pd.Series(ms.astype("datetime64[us]")).dt.tz_localize("UTC")
        else:
            made[column] = pd.Series(found, dtype=kind)
    return pd.DataFrame(made)
