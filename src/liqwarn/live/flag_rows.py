"""Flags of the live loop as rows of a history, with the columns of ``flags.parquet``."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn.decisions import HORIZONS_H, Flag
from liqwarn.frames import SIDES
from liqwarn.live.bar import LiveBar

__all__ = ["FLAG_COLUMNS", "flag_frame", "flag_rows"]

FLAG_COLUMNS = (
    "symbol",
    "as_of",
    "side",
    *(f"p_{h}h" for h in HORIZONS_H),
    "tier",
    "state",
    "rule",
    "quality",
    "sequence",
    "issued_at",
    "valid_until",
)
"""Columns of a flag history, a row a flag and side."""

_TYPES: Final[dict[str, Any]] = {
    **dict.fromkeys(("symbol", "side", "tier", "state", "rule", "quality"), "str"),
    **{f"p_{h}h": np.float64 for h in HORIZONS_H},
    "sequence": np.int64,
}


def flag_rows(bar: LiveBar, flags: Iterable[Flag]) -> list[tuple[Any, ...]]:
    """Rows of one bar's flags, in the order of :data:`FLAG_COLUMNS`.

    The quality and the sequence are those of the side's own decision, as a scoring writes them.
    """
    rows = []
    quality = dict(zip(bar.scores.symbols, bar.scores.quality.tolist(), strict=True))
    for flag in flags:
        for side in SIDES:
            restriction, after = flag.sides[side], bar.decisions[flag.symbol, side].after
            rows.append(
                (
                    flag.symbol,
                    flag.as_of,
                    side,
                    *(restriction.probability.get(h, float("nan")) for h in HORIZONS_H),
                    restriction.tier.name,
                    restriction.state.value,
                    after.rule.value,
                    quality[flag.symbol],
                    after.sequence,
                    flag.issued_at,
                    flag.valid_until,
                )
            )
    return rows


def flag_frame(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows as a table; times are UTC, to the microsecond.

    >>> flag_frame([]).shape
    (0, 13)
    """
    table = pd.DataFrame(list(rows), columns=list(FLAG_COLUMNS)).astype(_TYPES)
    for name in ("as_of", "issued_at", "valid_until"):
        table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
    return table.astype({"sequence": "int64"})
