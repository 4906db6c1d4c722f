"""Drift of what a model reads, says and promises: the last days against its training."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.decisions import iso_utc
from liqwarn.frames import SIDES, BoolArray, FloatArray, TimeArray, epoch_seconds
from liqwarn.models.bundle import Bundle
from liqwarn.models.drift import Drift, measure_series_drift
from liqwarn.models.live_calibration import count_onsets, measure_calibration
from liqwarn.pipelines.study import Study

__all__ = ["NO_DRIFT", "measure_drift"]

RECENT: Final = timedelta(days=30)
CALIBRATED_OVER: Final = timedelta(days=90)
"""Onsets are rare: calibration is judged over more than the recent days."""
_PRIMARY_H: Final = 4
_MOST_BARS: Final = 20_000
"""Bars of the reference that are looked at; a longer one is thinned evenly."""

NO_DRIFT: Final[dict[str, Any]] = {
    "reference": None,
    "recent": None,
    "inputs": [],
    "scores": [],
    "calibration": [],
}
"""What is known of drift without a model."""


def measure_drift(study: Study, bundle: Bundle, *, now: datetime) -> dict[str, Any]:
    """Drift as the ledger's account tells it: inputs, scores and calibration.

    The reference are the bars up to the end of the model's training, the recent ones the last 30
    days known at `now`; where they overlap, the bar is recent. Of scores the reference are the
    out-of-fold ones of training. Calibration is that of bars the model had not seen, of the last 90
    days, whose outcome is known.

    Returns
    -------
    dict
        Plain data. NaN where something cannot be measured; grades are ``"none"``, ``"moderate"``,
        ``"large"`` or ``"unknown"``.
    """
    times = study.matrix.times
    end = min(times[-1], _moment(now))
    recent = (times > end - np.timedelta64(RECENT)) & (times <= end)
    before = (times <= _moment(bundle.training.trained_until)) & ~recent & (times <= end)
    unseen = _unseen(study, bundle, end)
    return {
        "reference": _span(times, before),
        "recent": _span(times, recent),
        "inputs": _inputs(study, bundle, before, recent),
        "scores": list(_score_drift(bundle, _scores(study, bundle, recent))),
        "calibration": list(_calibration(study, unseen, _scores(study, bundle, unseen))),
    }


def _inputs(
    study: Study, bundle: Bundle, before: BoolArray, recent: BoolArray
) -> list[dict[str, Any]]:
    names = bundle.model.names_
    values = study.matrix.aligned(names)
    step = max(1, -(-int(before.sum()) // _MOST_BARS))
    where = np.flatnonzero(before)[::step]
    now = np.flatnonzero(recent)[::step]  # thinned alike, so that a bar means the same in both
    out = []
    for k, name in enumerate(names):
        found = measure_series_drift(values[:, where, k], values[:, now, k])
        told = {"missing_reference": found.missing_reference}
        told |= {"missing_recent": found.missing_recent}
        out.append({"feature": name, **_distances(found), **told, "grade": found.grade})
    return out


def _distances(found: Drift) -> dict[str, float]:
    return {
        "psi": found.psi,
        "ks": found.ks,
        "chance": found.chance,
        "effective": found.effective,
    }


def _scores(study: Study, bundle: Bundle, chosen: BoolArray) -> FloatArray:
    """4-h probabilities of some bars, shape (n_symbols, n_chosen, 2); NaN without a usable bar."""
    names, h = bundle.model.names_, bundle.model.horizons_h_.index(_PRIMARY_H)
    X = np.ascontiguousarray(study.matrix.aligned(names)[:, chosen])
    p = bundle.model.predict_proba(X.reshape(-1, X.shape[2]), names)
    found: FloatArray = p[..., h].reshape(*X.shape[:2], len(SIDES)).copy()
    found[~study.market.quality.usable[:, chosen]] = np.nan
    return found


def _score_drift(bundle: Bundle, recent: FloatArray) -> Iterator[dict[str, Any]]:
    for j, side in enumerate(SIDES):
        wide = bundle.history.pivot_table(index="symbol", columns="time", values=side)
        past = wide.to_numpy(dtype=np.float64) if wide.size else np.empty((1, 0))
        found = measure_series_drift(past, recent[..., j])
        yield {"side": side, **_distances(found), "grade": found.grade}


def _unseen(study: Study, bundle: Bundle, end: np.datetime64) -> BoolArray:
    """Bars of the last 90 days that the model was not trained on and whose horizon is over."""
    labels = study.labels
    h = labels.horizons_h.index(_PRIMARY_H)
    later = labels.times > _moment(bundle.training.trained_until)
    recent = labels.times > end - np.timedelta64(CALIBRATED_OVER)
    return np.asarray(later & recent & (labels.end[:, h] <= end))


def _calibration(study: Study, unseen: BoolArray, p: FloatArray) -> Iterator[dict[str, Any]]:
    labels = study.labels
    h, times = labels.horizons_h.index(_PRIMARY_H), labels.times[unseen]
    for j, side in enumerate(SIDES):
        y = np.where(labels.running[:, unseen, j], np.nan, labels.y[:, unseen, j, h])
        rows, bars = np.nonzero(np.isfinite(y) & np.isfinite(p[..., j]))
        onsets = count_onsets(y[rows, bars], rows, times[bars], timedelta(hours=_PRIMARY_H))
        found = measure_calibration(y[rows, bars], p[rows, bars, j], times[bars], onsets)
        yield {"side": side, **found}


def _span(times: TimeArray, chosen: BoolArray) -> dict[str, Any] | None:
    at: NDArray[np.int64] = epoch_seconds(times[chosen])
    if not at.size:
        return None
    first, last = (iso_utc(datetime.fromtimestamp(int(s), tz=UTC)) for s in (at[0], at[-1]))
    return {"from": first, "until": last, "rows": int(at.size)}


def _moment(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s")
