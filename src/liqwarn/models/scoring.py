"""What a score needs beside the model: how good the bar is, and which past it is placed in."""

from datetime import UTC

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqwarn.frames import SIDES, BoolArray, FloatArray, TimeArray
from liqwarn.models.bundle import Bundle
from liqwarn.models.novelty import Novelty

__all__ = ["graded", "strangeness", "unseen"]


def graded(
    given: NDArray[np.str_], novel: BoolArray, disabled: BoolArray | None = None
) -> NDArray[np.str_]:
    """Quality of bars: what it is of their data, ``degraded`` where their features are novel.

    And ``unknown`` where the model must not score.

    Parameters
    ----------
    given : ndarray of str, any shape
        Quality of the data.
    novel : ndarray of bool, the same shape
        Of :meth:`liqwarn.models.novelty.Novelty.novel`.
    disabled : ndarray of bool, the same shape, or None
        Of :func:`liqwarn.models.skill_floor.is_disabled`; None is nowhere.

    >>> graded(np.array(["ok", "ok", "stale"]), np.array([False, True, True])).tolist()
    ['ok', 'degraded', 'stale']
    """
    found = np.where(novel & (given == "ok"), "degraded", given)
    return found if disabled is None else np.where(disabled, "unknown", found)


def strangeness(symbols: tuple[str, ...], X: FloatArray, novelty: Novelty) -> dict[str, str]:
    """What is unlike training about a bar, by symbol; nothing of those that are not novel.

    Parameters
    ----------
    X : ndarray of float64, shape (n_symbols, n_features)
    """
    told = novelty.describe(X)
    return {symbol: words for symbol, words in zip(symbols, told, strict=True) if words}


def unseen(
    bundle: Bundle, panel: str, symbols: tuple[str, ...], times: TimeArray, own: FloatArray
) -> FloatArray:
    """4-h probabilities of bars the model had not seen: the past that new ones are placed in.

    Up to the end of its training those are its out-of-fold ones; its own afterwards, and in every
    other panel.

    Parameters
    ----------
    own : ndarray of float64, shape (n_symbols, n_bars, 2)
        What the model says now.

    Returns
    -------
    ndarray of the same shape
        NaN where no unseen probability is known.
    """
    training = bundle.training
    if training.panel != panel:
        return own
    until = training.trained_until.astimezone(UTC).replace(tzinfo=None)
    seen = times <= np.datetime64(until, "s")
    past = np.where(seen[None, :, None], np.nan, own)
    if not seen.any():
        return past
    for side, column in enumerate(SIDES):
        table = bundle.history.pivot_table(index="symbol", columns="time", values=column)
        index = pd.DatetimeIndex(times).tz_localize("UTC").as_unit("us")
        known = table.reindex(index=list(symbols), columns=index).to_numpy()
        filled = seen[None, :] & np.isfinite(known)
        past[..., side] = np.where(filled, known, past[..., side])
    return past
