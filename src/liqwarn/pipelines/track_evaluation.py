"""An evaluation as MLflow keeps it: one run with its pages, and a nested run a fold."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from liqwarn.config import Settings
from liqwarn.frames import SIDES
from liqwarn.models.fold_skill import FOLD_METRICS
from liqwarn.models.registry import RunRecord
from liqwarn.models.registry_runs import NOTE
from liqwarn.models.results import MODEL
from liqwarn.pipelines.champion import registry_of
from liqwarn.pipelines.study import Study

__all__ = [
    "evaluation_record",
    "experiment_tags",
    "fold_records",
    "fold_steps",
    "study_tags",
    "track_evaluation",
]

_BASELINES: Final = (
    "B0 hour of the week, B1 yesterday's volatility, B2 HAR, B3 funding and open interest, "
    "B4 the last hour, B5 the nearest cluster, B6 logistic on all features"
)
_PAGES: Final = ("evaluation.html", "evaluation.md", "evaluation.json", "tables")
_COMMANDS: Final = {"judge": "retrain"}
_SETTINGS: Final = (
    "retrain", "trial_retrain", "seed", "n_bootstrap", "trial_seeds", "ablation_seeds",
)  # fmt: skip
_POOLED: Final = ("pr_auc", "roc_auc", "base_rate", "brier", "brier_skill_vs_har",
                  "calibration_slope", "ece", "molchan_skill")  # fmt: skip


def experiment_tags(panel: str, market: str) -> dict[str, str]:
    """What all runs of a panel share."""
    return {
        "liqwarn.panel": panel,
        "liqwarn.market": market,
        NOTE: f"Liquidation cascades of the panel {panel} ({market} market). Runs are named by "
        "what they did: train, evaluate, judge; a walk-forward holds a run a fold. Duration is "
        "that of logging.",
    }


def study_tags(study: Study, kind: str) -> dict[str, str]:
    """Where the numbers of a run come from, by hash; no git is needed to find them again."""
    market = study.market
    return {
        "liqwarn.kind": kind,
        "mlflow.source.name": f"liqwarn {_COMMANDS.get(kind, kind)}",
        "mlflow.source.type": "JOB",
        "panel": market.panel.name,
        "market": market.panel.market,
        "panel_sha256": market.panel_sha256,
        "data_sha256": market.data_sha256,
    }


def fold_records(folds: Sequence[Mapping[str, Any]], tags: Mapping[str, str]) -> list[RunRecord]:
    """A nested run a fold of ``by_fold``."""
    records = []
    for number in sorted({row["fold"] for row in folds}):
        rows = [row for row in folds if row["fold"] == number]
        first = rows[0]
        params = {name: str(first[name]) for name in ("fold", "from", "to")}
        metrics = {
            f"{r['side']}_4h_{name}": _number(r[name]) for r in rows for name in FOLD_METRICS
        }
        metrics |= {f"{r['side']}_events": float(r["events"]) for r in rows}
        metrics |= {name: float(first[name]) for name in ("n_train", "n_test")}
        records.append(
            RunRecord(
                name=f"fold {number} from {first['from'][:10]}",
                params=params,
                tags={
                    **tags,
                    "liqwarn.kind": "fold",
                    NOTE: f"Trained on {first['n_train']:,} rows known before {first['from'][:10]}"
                    f", tested on {first['n_test']:,} until {first['to'][:10]}.",
                },
                metrics=metrics,
            )
        )
    return records


def fold_steps(folds: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """The same as curves over the folds, for the run that holds them."""
    steps: dict[str, list[float]] = {}
    for row in sorted(folds, key=lambda row: row["fold"]):
        for name in FOLD_METRICS:
            steps.setdefault(f"fold/{row['side']}_4h_{name}", []).append(_number(row[name]))
    return steps


def evaluation_record(
    document: Mapping[str, Any], folder: Path, tags: Mapping[str, str]
) -> RunRecord:
    """The run of an evaluation whose files lie in `folder`.

    Parameters
    ----------
    document : mapping
        The contents of ``evaluation.json``.
    tags : mapping of name to str
        Hashes of what was evaluated.
    """
    metrics = {
        f"{row['side']}_{row['horizon_h']}h_{_named(row['model'])}{name}": _number(row.get(name))
        for row in document["results"]
        for name in (_POOLED if row["model"] == MODEL else ("pr_auc",))
    }
    test = document["test"]
    folds = list(document.get("by_fold", ()))
    pages = [folder / name for name in _PAGES]
    return RunRecord(
        name=f"evaluate {test['from'][:10]} to {test['to'][:10]}",
        params={name: str(document[name]) for name in _SETTINGS if name in document}
        | {"test_from": str(test["from"]), "test_to": str(test["to"])},
        tags={**tags, NOTE: _evaluation_note(metrics)},
        metrics=metrics,
        steps=fold_steps(folds),
        files=tuple(p for p in (*pages, *sorted(folder.glob("*.png"))) if p.exists()),
        children=tuple(fold_records(folds, tags)),
        experiment=experiment_tags(str(document["panel"]), str(document["market"])),
    )


def track_evaluation(
    study: Study, document: Mapping[str, Any], folder: Path, settings: Settings
) -> str:
    """Log an evaluation that was written to a folder; returns the id of its run.

    Raises
    ------
    ModelError
        When the store refuses; the files in the folder are whole then.
    """
    tags = study_tags(study, "evaluate")
    if document.get("policy_sha256"):
        tags["policy_sha256"] = str(document["policy_sha256"])
    record = evaluation_record(document, folder, tags)
    return registry_of(study.market.panel.name, settings).record(record)


def _evaluation_note(metrics: Mapping[str, float]) -> str:
    """What a reader wants first, and where the rest is."""
    found = [
        f"{side} {metrics[f'{side}_4h_pr_auc']:.3f}"
        f" (HAR {metrics.get(f'{side}_4h_B2_pr_auc', math.nan):.3f})"
        for side in SIDES
        if f"{side}_4h_pr_auc" in metrics
    ]
    return (
        f"Out-of-sample PR-AUC at 4 h: {', '.join(found)}. The whole page is "
        f"`evaluation.html` under Artifacts, folds over time under Model metrics. {_BASELINES}."
    )


def _named(model: str) -> str:
    return "" if model == MODEL else f"{model}_"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
