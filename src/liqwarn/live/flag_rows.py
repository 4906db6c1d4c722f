"""Flags of the live loop as rows of a history, with the columns of ``flags.parquet``."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn.decisions import HORIZONS_H, Flag
from liqwarn.frames import SIDES
from liqwarn.live.bar import LiveBar

__all__ = ["FLAG_COLUMNS", "UNKNOWN_MODEL", "flag_frame", "flag_rows", "with_model"]

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
    "model",
)
"""Columns of a flag history, a row a flag and side; ``model`` is the version that scored it."""

UNKNOWN_MODEL: Final = "unknown"
"""Model of flags in a file that was written before flags named theirs."""

_TYPES: Final[dict[str, Any]] = {
    **dict.fromkeys(("symbol", "side", "tier", "state", "rule", "quality", "model"), "str"),
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
                    flag.model.version,
                )
            )
    return rows


def flag_frame(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows as a table; times are UTC, to the microsecond.

    >>> flag_frame([]).shape
    (0, 14)
    """
    return _typed(pd.DataFrame(list(rows), columns=list(FLAG_COLUMNS)))


def with_model(table: pd.DataFrame) -> pd.DataFrame:
    """A flag history with all of its columns in order, as it is read from a file of any version.

    Raises
    ------
    KeyError
        When another column than the model is missing.
    """
    known = table if "model" in table else table.assign(model=UNKNOWN_MODEL)
    return _typed(known[list(FLAG_COLUMNS)].fillna({"model": UNKNOWN_MODEL}))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype(_TYPES)
    for name in ("as_of", "issued_at", "valid_until"):
        table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
    return table.astype({"sequence": "int64"})
