"""Train the model of record on everything known, log it, register it."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from liqwarn import __version__
from liqwarn.errors import ModelError
from liqwarn.frames import SIDES
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.registry import Registry, RunRecord
from liqwarn.models.rows import Rows, joined
from liqwarn.pipelines.bundle import Training, save_bundle
from liqwarn.pipelines.evaluate import labelled_rows
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study

__all__ = ["TrainOrder", "Trained", "fit_bundle", "train"]

REMEMBERED = timedelta(days=200)  # longer than the trailing 180 days of the score's percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOrder:
    """How to train.

    Attributes
    ----------
    until : datetime or None
        Use only rows whose labels were known by then; None uses all.
    seed, threads : int
    """

    until: datetime | None = None
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A registered model."""

    version: str
    sha256: str
    champion: bool
    rows: int
    positives: dict[str, int]


def _rows(study: Study, others: tuple[Study, ...], order: TrainOrder) -> Rows:
    rows = labelled_rows(study)
    if others:
        rows = joined(rows, tuple(labelled_rows(other) for other in others))
    if order.until is not None:
        limit = np.datetime64(order.until.astimezone(UTC).replace(tzinfo=None), "s")
        rows = rows.take(np.flatnonzero(rows.end <= limit))
    if not len(rows):
        raise ModelError(f"no outcome was known by {order.until}: nothing to train on")
    return rows


def fit_bundle(
    study: Study,
    others: tuple[Study, ...],
    order: TrainOrder,
    folder: Path,
    *,
    on_progress: OnProgress = silent,
) -> tuple[CascadeModel, Rows, str]:
    """Fit the model and write its bundle; returns model, rows and SHA-256."""
    rows = _rows(study, others, order)
    on_progress("train", 0, 1)
    model = CascadeModel(seed=order.seed, threads=order.threads).fit(rows)
    on_progress("train", 1, 1)
    until = datetime.fromtimestamp(int(rows.end.max().astype(np.int64)), tz=UTC)
    training = Training(
        panel=study.market.panel.name,
        trained_until=until,
        rows=len(rows),
        events=sum(event.onset <= until for event in study.events),
        panel_sha256=study.market.panel_sha256,
        data_sha256=study.market.data_sha256,
        settings={**asdict(model.settings or BoostSettings()), "seed": order.seed},
    )
    return model, rows, save_bundle(folder, model, training, _history(model, rows))


def _history(model: CascadeModel, rows: Rows) -> pd.DataFrame:
    """Out-of-fold 4-h probabilities of the last training bars, for the score's percentile."""
    h = rows.horizons_h.index(4)
    recent = rows.times > rows.times.max() - np.timedelta64(REMEMBERED)
    recent &= np.isfinite(model.training_p_[:, :, h]).any(axis=1)
    table = pd.DataFrame({"symbol": rows.symbols[recent], "time": rows.times[recent]})
    table["time"] = table["time"].dt.tz_localize("UTC").dt.as_unit("us")
    for j, side in enumerate(SIDES):
        table[side] = model.training_p_[recent, j, h]
    return table.drop_duplicates(["symbol", "time"])
