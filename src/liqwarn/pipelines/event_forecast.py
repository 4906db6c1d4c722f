"""What a model that had not seen a stretch of time said of it: scores, tiers, alarm thresholds."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pandas as pd

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, FloatArray, epoch_seconds
from liqwarn.models.alarms import alarm_thresholds
from liqwarn.models.bundle import Bundle, load_bundle
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.rows import Rows
from liqwarn.models.splits import EMBARGO
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.publish import Decided, decide
from liqwarn.pipelines.risk import PRIMARY, assess
from liqwarn.pipelines.study import Study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.policy.tiers import Policy

__all__ = ["LEAST_HISTORY", "Forecast", "Source", "forecast"]

LEAST_HISTORY: Final = timedelta(days=90)
"""Outcomes that must be known before a model is fitted for an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which model scores the event.

    Attributes
    ----------
    model : Path or None
        A bundle; None fits one on what was known a day before the stretch.
    policy : Policy
        Of the breaker.
    train : TrainOrder
        How to fit; its `until` is not read.
    """

    model: Path | None
    policy: Policy
    train: TrainOrder = field(default_factory=TrainOrder)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """Scores and tiers from a day before a stretch of time on.

    Attributes
    ----------
    decided : Decided
        Scores, what the breaker made of them, and the bundle they come from.
    fitted : bool
        Whether the model was fitted for this; else it was given.
    thresholds : ndarray of float64, shape (2, 4)
        Of the 4-h probability, by side and alarm budget; infinite where none can be frozen.
    """

    decided: Decided
    fitted: bool
    thresholds: FloatArray


def forecast(
    study: Study, start: datetime, source: Source, *, on_progress: OnProgress = silent
) -> Forecast:
    """Score everything from a day before `start` on, and fold the breaker over it.

    The breaker starts there as if expired; a day is long enough for it to find its place.

    Raises
    ------
    ModelError
        When too little was known by then to fit a model.
    """
    since = start - EMBARGO
    if source.model is None:
        bundle, thresholds = _fitted(study, since, source.train, on_progress)
    else:
        bundle = load_bundle(source.model, version=source.model.name, threads=source.train.threads)
        thresholds = _remembered(study, bundle)
    on_progress("score", 0, 1)
    decided = decide(study, bundle, source.policy, assess(study, bundle, since))
    on_progress("score", 1, 1)
    return Forecast(decided=decided, fitted=source.model is None, thresholds=thresholds)


def _fitted(
    study: Study, until: datetime, train: TrainOrder, on_progress: OnProgress
) -> tuple[Bundle, FloatArray]:
    _check_history(study, until)
    order = TrainOrder(until=until, seed=train.seed, threads=train.threads, settings=train.settings)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        model, rows, _ = fit_bundle(study, (), order, folder, on_progress=on_progress)
        bundle = load_bundle(folder, version=f"until {until:%Y-%m-%d}", threads=train.threads)
    thresholds = _frozen(model, rows)
    if not np.isfinite(thresholds).any():
        raise ModelError(
            f"by {until:%Y-%m-%d %H:%M} no training row could be scored out of fold, so no alarm "
            f"threshold can be set: {_NEED}"
        )
    return bundle, thresholds


_NEED: Final = (
    f"a model needs {LEAST_HISTORY.days} days of known outcomes with onsets of both sides; name a "
    "trained one with --model"
)


def _check_history(study: Study, until: datetime) -> None:
    """Refuse to fit on next to nothing."""
    labels = study.labels
    limit = np.datetime64(until.astimezone(UTC).replace(tzinfo=None), "s")
    known = np.isfinite(labels.y[..., PRIMARY]).any(axis=(0, 2)) & (labels.end[:, -1] <= limit)
    days = float(known.sum()) * labels.bar / timedelta(days=1)
    onsets = {side: sum(e.side == side and e.end <= until for e in study.events) for side in SIDES}
    if days < LEAST_HISTORY.days or not all(onsets.values()):
        raise ModelError(
            f"by {until:%Y-%m-%d %H:%M} panel '{study.market.panel.name}' has {days:.0f} days of "
            f"known outcomes, {onsets['long']} long and {onsets['short']} short events: {_NEED}"
        )


def _frozen(model: CascadeModel, rows: Rows) -> FloatArray:
    """Thresholds frozen on the out-of-fold probabilities of training rows with an outcome."""
    seen = np.where(np.isfinite(rows.y), model.training_p_, np.nan)[..., rows.horizons_h.index(4)]
    return np.stack([alarm_thresholds(seen[:, j]) for j in range(len(SIDES))])


def _remembered(study: Study, bundle: Bundle) -> FloatArray:
    """The same from the last 200 days of training, which is what a bundle remembers."""
    return np.stack([alarm_thresholds(_quiet(study, bundle, j)) for j in range(len(SIDES))])


def _quiet(study: Study, bundle: Bundle, side: int) -> FloatArray:
    """Remembered probabilities of a side at bars outside its own events."""
    table, frame = bundle.history, study.market.frame
    p = table[SIDES[side]].to_numpy(dtype=np.float64, copy=True)
    if bundle.training.panel != study.market.panel.name or not len(table):
        return p
    times = pd.DatetimeIndex(table["time"]).tz_convert(None).to_numpy()
    bars = (epoch_seconds(times) - int(epoch_seconds(frame.times[:1])[0])) // frame.bar_s
    rows = pd.Index(frame.symbols).get_indexer(pd.Index(table["symbol"]))
    here = (rows >= 0) & (bars >= 0) & (bars < frame.shape[1])
    p[here] = np.where(study.labels.running[rows[here], bars[here], side], np.nan, p[here])
    return p
