"""Train the model of record on everything known, log it, register it."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from liqwarn.config import Settings
from liqwarn.errors import ModelError
from liqwarn.frames import SIDES
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.bundle import Training, save_bundle
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.metrics import Curve, reliability_bins
from liqwarn.models.ranking import pr_auc, roc_auc
from liqwarn.models.registry import Registry, RunRecord
from liqwarn.models.registry_runs import NOTE
from liqwarn.models.rows import Rows, joined
from liqwarn.pipelines.alias_moves import Mandate, appoint, history_of
from liqwarn.pipelines.champion import registry_of
from liqwarn.pipelines.evaluate import labelled_rows
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study
from liqwarn.pipelines.track_evaluation import experiment_tags, study_tags
from liqwarn.reports.charts import reliability_figure, save_figure

__all__ = ["TrainOrder", "Trained", "fit_bundle", "train", "training_rows"]

REMEMBERED = timedelta(days=200)  # longer than the trailing 180 days of the score's percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOrder:
    """How to train.

    Attributes
    ----------
    until : datetime or None
        Use only rows whose labels were known by then; None uses all.
    seed, threads : int
    settings : BoostSettings or None
        Of the trees; None for the frozen defaults.
    """

    until: datetime | None = None
    seed: int = 0
    threads: int = 1
    settings: BoostSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A registered model."""

    version: str
    sha256: str
    champion: bool
    rows: int
    positives: dict[str, int]

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, for ``--json``."""
        return asdict(self)

    def to_text(self) -> str:
        """The same in a line."""
        role = "champion" if self.champion else "challenger"
        return (
            f"version {self.version} ({role}), {self.rows:,} rows, positive at 4 h: "
            f"{self.positives['long']:,} long, {self.positives['short']:,} short, "
            f"SHA-256 {self.sha256}"
        )


def training_rows(study: Study, others: tuple[Study, ...], order: TrainOrder) -> Rows:
    """The rows that a model is trained on: those of all panels whose outcome was known in time.

    Raises
    ------
    ModelError
        When there are none.
    """
    rows = labelled_rows(study)
    if others:
        rows = joined(rows, tuple(labelled_rows(other) for other in others))
    if order.until is not None:
        limit = np.datetime64(order.until.astimezone(UTC).replace(tzinfo=None), "s")
        rows = rows.take(np.flatnonzero(rows.end <= limit))
    if not len(rows):
        raise ModelError(f"no outcome was known by {order.until}: nothing to train on")
    _refuse_blank(rows, study.market.panel.name)
    return rows


def _refuse_blank(rows: Rows, panel: str) -> None:
    """A model of rows in which nothing ever happened on a side would call every hour calm."""
    h = rows.horizons_h.index(4)
    for j, side in enumerate(SIDES):
        if not (rows.outcome(j, h) > 0).any():
            raise ModelError(
                f"panel '{panel}': none of {len(rows):,} rows to train on, "
                f"{rows.times.min()} to {rows.times.max()}, has a positive outcome of side "
                f"'{side}' at 4 h, expected one at least: give a longer history or more symbols"
            )


def fit_bundle(
    study: Study,
    others: tuple[Study, ...],
    order: TrainOrder,
    folder: Path,
    *,
    on_progress: OnProgress = silent,
) -> tuple[CascadeModel, Rows, str]:
    """Fit the model and write its bundle; returns model, rows and SHA-256."""
    rows = training_rows(study, others, order)
    on_progress("train", 0, 1)
    model = CascadeModel(order.settings, seed=order.seed, threads=order.threads).fit(rows)
    on_progress("train", 1, 1)
    until = _known_until(rows, (study, *others))
    training = Training(
        panel=study.market.panel.name,
        trained_until=until,
        rows=len(rows),
        events=sum(event.onset <= until for event in study.events),
        panel_sha256=study.market.panel_sha256,
        data_sha256=study.market.data_sha256,
        settings={**asdict(model.settings or BoostSettings()), "seed": order.seed},
    )
    return model, rows, save_bundle(folder, model, training, _history(model, rows), rows=rows.X)


def _known_until(rows: Rows, studies: tuple[Study, ...]) -> datetime:
    """When the last outcome trained on was known: at the end of the data at the latest.

    A row near that end has outcomes of the shorter horizons only, and nothing of what follows.
    """
    last = max(one.market.frame.times[-1] for one in studies)
    moment = min(rows.end.max(), last)
    return datetime.fromtimestamp(int(moment.astype("datetime64[s]").astype(np.int64)), tz=UTC)


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


def train(
    study: Study,
    others: tuple[Study, ...],
    order: TrainOrder,
    settings: Settings,
    *,
    run: tuple[str, datetime] | None = None,
    on_progress: OnProgress = silent,
) -> Trained:
    """Fit the model of record, log it to MLflow and register it.

    Parameters
    ----------
    run : tuple of str and datetime, or None
        Key and moment of the retraining that trains it; by default no key and the clock's moment.

    The first model of a panel becomes its champion; a later one becomes challenger, and
    ``liqwarn retrain`` decides.
    """
    key, now = run or ("", datetime.now(UTC))
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        model, rows, digest = fit_bundle(study, others, order, folder, on_progress=on_progress)
        figure = Path(scratch) / "reliability.png"
        curves = _reliability(model, rows)
        save_figure(reliability_figure(curves), figure)
        on_progress("register", 0, 1)
        registry = registry_of(study.market.panel.name, settings)
        record = _record(study, model, rows, key=key, files=(figure,))
        done = registry.register(folder, record)
        champion = _appointed(registry, settings, done.version, (key, now))
        on_progress("register", 1, 1)
    h = rows.horizons_h.index(4)
    return Trained(
        version=done.version,
        sha256=digest,
        champion=champion,
        rows=len(rows),
        positives={s: int(np.nansum(rows.outcome(j, h))) for j, s in enumerate(SIDES)},
    )


def _appointed(
    registry: Registry, settings: Settings, version: str, run: tuple[str, datetime]
) -> bool:
    """Give a registered version its alias, by the history; whether it is champion."""
    key, now = run
    command = "retrain" if key else "train"
    mandate = Mandate(
        action=command, reason="newly trained", by=f"liqwarn {command}", run=key, now=now
    )
    return appoint(registry, history_of(registry.panel, settings), version, mandate)


def _record(
    study: Study, model: CascadeModel, rows: Rows, *, key: str, files: tuple[Path, ...]
) -> RunRecord:
    """What MLflow remembers: settings, hashes, and the out-of-fold skill inside training."""
    settings = {**asdict(model.settings or BoostSettings()), "seed": model.seed}
    metrics = {"rows": float(len(rows))}
    for j, side in enumerate(SIDES):
        for h, hours in enumerate(rows.horizons_h):
            y, p = rows.outcome(j, h), model.training_p_[:, j, h]
            known = np.isfinite(y) & np.isfinite(p)
            if known.any() and np.ptp(y[known]) > 0:
                metrics[f"{side}_{hours}h_oof_pr_auc"] = pr_auc(y[known], p[known])
                metrics[f"{side}_{hours}h_oof_roc_auc"] = roc_auc(y[known], p[known])
                metrics[f"{side}_{hours}h_base_rate"] = float(y[known].mean())
    until = str(rows.end.max())
    return RunRecord(
        name=f"train to {until[:10]}",
        key=key,
        params={name: str(value) for name, value in settings.items()},
        tags={
            **study_tags(study, "train"),
            "model_sha256": model.sha256_,
            "features": str(len(model.names_)),
            "trained_until": until,
            NOTE: f"Model of record: {len(rows):,} rows whose outcome was known by {until[:10]}, "
            f"{len(model.names_)} features. Its numbers are out of fold inside training; the test "
            "is the walk-forward of `liqwarn evaluate`.",
        },
        experiment=experiment_tags(study.market.panel.name, study.market.panel.market),
        metrics=metrics,
        files=files,
    )


def _reliability(model: CascadeModel, rows: Rows) -> dict[str, Curve]:
    """Out-of-fold reliability of both sides at 4 h."""
    h = rows.horizons_h.index(4)
    curves: dict[str, Curve] = {}
    for j, side in enumerate(SIDES):
        y, p = rows.outcome(j, h), model.training_p_[:, j, h]
        known = np.isfinite(y) & np.isfinite(p)
        if known.any():
            curves[side] = reliability_bins(y[known], p[known])
    return curves
