"""The scores of the newest bar as bytes, and back: what an order between two bars is decided on.

A snapshot remembers what the next bar needs; a restart before that bar would not know the scores
that the flags in force were made from.
"""

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from liqwarn.errors import StoreError
from liqwarn.live.bar import LiveScores
from liqwarn.models.state_bytes import pack_arrays, unpack_arrays

__all__ = ["no_scores", "pack_scores", "unpack_scores"]

_SCHEMA: Final = "liqwarn.live_scores/1"
_ARRAYS: Final = (
    "raw", "probability", "quantile", "base_rate", "in_progress", "completeness", "features"
)  # fmt: skip


def pack_scores(scores: LiveScores) -> bytes:
    """Scores of one bar, bit for bit."""
    header = {
        "symbols": scores.symbols,
        "as_of": int(scores.as_of.timestamp()),
        "horizons_h": scores.horizons_h,
        "quality": scores.quality.tolist(),
        "strange": dict(scores.strange),
        "disabled": dict(scores.disabled),
    }
    return pack_arrays(_SCHEMA, header, {name: getattr(scores, name) for name in _ARRAYS})


def unpack_scores(data: bytes) -> LiveScores:
    """The scores that :func:`pack_scores` was given.

    Raises
    ------
    StoreError
        When the bytes are cut short, damaged or of another version.
    """
    header, arrays = unpack_arrays(_SCHEMA, data)
    try:
        given: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        return LiveScores(
            symbols=tuple(header["symbols"]),
            as_of=datetime.fromtimestamp(header["as_of"], tz=UTC),
            horizons_h=tuple(header["horizons_h"]),
            quality=np.array(header["quality"]),
            strange=header["strange"],
            disabled=header.get("disabled", {}),  # earlier files have none
            **given,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"scores are unreadable: {error!r}") from error


def no_scores(symbols: tuple[str, ...], as_of: datetime) -> LiveScores:
    """What is known where the scores of a bar are not: nothing, which is never calm.

    >>> no_scores(("BTCUSDT",), datetime(2024, 8, 5, tzinfo=UTC)).evidence(0, 1).usable
    False
    """
    n, horizons = len(symbols), (1, 4, 24)
    nothing = np.full((n, 2, len(horizons)), np.nan)
    return LiveScores(
        symbols=symbols,
        as_of=as_of,
        horizons_h=horizons,
        raw=nothing,
        probability=nothing.copy(),
        quantile=np.full((n, 2), np.nan),
        base_rate=np.full(2, np.nan),
        in_progress=np.zeros((n, 2), dtype=np.bool_),
        quality=np.full(n, "stale"),
        completeness=np.zeros(n),
        features=np.empty((n, 0)),
        strange={},
    )
