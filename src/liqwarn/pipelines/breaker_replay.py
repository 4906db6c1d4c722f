"""Out-of-sample probabilities of a walk-forward as the breaker would have met them, bar by bar."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, BoolArray, FloatArray
from liqwarn.models.calibration import base_rates
from liqwarn.models.events import in_progress
from liqwarn.models.folds import OutOfSample
from liqwarn.models.novelty_report import novel_rows
from liqwarn.models.rows import Rows, make_rows
from liqwarn.models.score_quantile import score_quantile
from liqwarn.models.splits import trainable
from liqwarn.pipelines.study import Study
from liqwarn.policy.history import ScoreHistory

__all__ = ["PATIENCE", "replayed_scores"]

PATIENCE: Final = timedelta(hours=24)
"""How long a score is carried over bars without one."""


def replayed_scores(
    study: Study, found: OutOfSample, model: str, *, training: Rows | None = None
) -> ScoreHistory:
    """Out-of-sample probabilities as the breaker would have met them, bar by bar.

    Base rates and what is novel are those of each fold's own training rows, taken from `training`
    (None: the panel's own), so a bar unlike them has degraded quality as it would have live.

    Rows of the walk-forward leave out bars without a known outcome, which live would have scored:
    there the last probability stands, for a day at most, while price and open interest are known.

    Raises
    ------
    ModelError
        When the walk-forward has no such model.
    """
    if model not in found.p:
        raise ModelError(f"no probabilities of '{model}', expected one of {sorted(found.p)}")
    frame, rows = study.market.frame, found.rows
    first = int(np.searchsorted(frame.times, rows.times.min()))
    last = int(np.searchsorted(frame.times, rows.times.max()))
    bars = slice(first, last + 1)
    shape = (len(frame.symbols), last + 1 - first, len(SIDES))
    at = (
        np.searchsorted(frame.symbols, rows.symbols),
        np.searchsorted(frame.times, rows.times) - first,
    )
    probability = np.full((*shape, len(rows.horizons_h)), np.nan)
    probability[at] = found.p[model]
    usable = study.market.quality.usable[:, bars]
    probability = _carried(probability, PATIENCE // frame.bar)
    probability[~usable] = np.nan
    primary = probability[..., rows.horizons_h.index(4)]
    base = np.full(shape, np.nan)
    own = make_rows(study.matrix, study.labels, study.milder)
    pooled = own if training is None else training
    for start, rate in _base_rates(pooled, found).items():
        base[:, np.searchsorted(frame.times[bars], start) :] = rate
    return ScoreHistory(
        symbols=frame.symbols,
        times=frame.times[bars],
        bar=frame.bar,
        horizons_h=rows.horizons_h,
        probability=probability,
        quantile=score_quantile(primary, primary, frame.first_bar + first, frame.bar),
        base_rate=base,
        in_progress=in_progress(frame, study.events)[:, bars],
        quality=_quality(study.market.quality.quality[:, bars], at, novel_rows(pooled, found)),
    )


def _quality(
    known: NDArray[np.str_], at: tuple[NDArray[np.intp], NDArray[np.intp]], novel: BoolArray
) -> NDArray[np.str_]:
    """Quality of the data, ``degraded`` where it was ``ok`` and a row is novel."""
    strange = np.zeros(known.shape, dtype=np.bool_)
    strange[at] = novel
    return np.where(strange & (known == "ok"), "degraded", known)


def _carried(values: FloatArray, longest: int) -> FloatArray:
    """Missing bars filled with the last known one, at most `longest` bars old."""
    n = values.shape[1]
    known = np.isfinite(values)
    index = np.arange(n).reshape(1, n, *[1] * (values.ndim - 2))
    at = np.maximum.accumulate(np.where(known, index, -1), axis=1)
    filled = np.take_along_axis(values, np.maximum(at, 0), axis=1)
    return np.where((at >= 0) & (index - at <= longest), filled, np.nan)


def _base_rates(pooled: Rows, found: OutOfSample) -> Mapping[np.datetime64, FloatArray]:
    """4-h rate of each side in every fold's own training rows, by when the fold begins."""
    horizon = pooled.horizons_h.index(4)
    out = {}
    for k in np.unique(found.fold):
        start = found.rows.times[found.fold == k].min()
        train = pooled.take(trainable(pooled.times, pooled.end, start))
        out[start] = base_rates(train)[:, horizon]
    return out
