"""Walk-forward skill of a panel, beside the baselines, as files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from liqwarn.durable import replace_file, write_bytes, write_json
from liqwarn.errors import ConfigError
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.evaluation import EvaluationPlan, evaluation_document, walk_forward
from liqwarn.models.rows import Rows, make_rows
from liqwarn.models.splits import Period, WalkForward
from liqwarn.models.trials import ablation, placebo
from liqwarn.pipelines.engine import Engine
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study
from liqwarn.reports.charts import molchan_figure, reliability_figure, save_figure
from liqwarn.reports.evaluation_page import evaluation_markdown

__all__ = ["EvaluationOrder", "evaluate", "labelled_rows", "write_evaluation"]

PRIMARY_H = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOrder:
    """What to evaluate, and how much of it.

    Attributes
    ----------
    test_from : datetime or None
        Train before, test after; None walks forward from the first calendar block that leaves
        18 months to train on.
    retrain : {"month", "quarter", "none"}
        How often the model is trained again.
    trials : bool
        Whether to run the ablation of every family and the placebos: many more fits.
    seed, threads, n_bootstrap : int
    settings : BoostSettings or None
        Of the trees; None for the frozen defaults.
    """

    test_from: datetime | None = None
    retrain: Period = "quarter"
    trials: bool = True
    seed: int = 0
    threads: int = 1
    n_bootstrap: int = 2000
    settings: BoostSettings | None = None

    def plan(self, extra: tuple[Rows, ...]) -> EvaluationPlan:
        """The same for the models layer, with rows of other panels to train on."""
        return EvaluationPlan(
            splitter=WalkForward(period=self.retrain, test_from=self.test_from),
            extra=extra,
            settings=self.settings,
            seed=self.seed,
            threads=self.threads,
            n_bootstrap=self.n_bootstrap,
        )


def labelled_rows(study: Study) -> Rows:
    """The rows of a study that have an outcome.

    Raises
    ------
    ConfigError
        When none has: a panel without open interest has no labels, and can only be scored.
    """
    rows = make_rows(study.matrix, study.labels)
    if not len(rows):
        raise ConfigError(
            f"panel '{study.market.panel.name}' has no row with a known outcome: labels need open "
            "interest, so this panel serves features and scoring only"
        )
    return rows


def evaluate(
    study: Study,
    others: tuple[Study, ...],
    order: EvaluationOrder,
    *,
    engine: Engine,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """The contents of ``evaluation.json``.

    Parameters
    ----------
    others : tuple of Study
        Panels with the same bar whose rows may train, never test.

    Raises
    ------
    ConfigError
        When a panel has another bar or no labels.
    """
    rows = labelled_rows(study)
    for other in others:
        if other.matrix.bar != study.matrix.bar:
            raise ConfigError(
                f"train panel '{other.market.panel.name}' has bars of {other.matrix.bar}, expected "
                f"{study.matrix.bar} like '{study.market.panel.name}'"
            )
    plan = order.plan(tuple(labelled_rows(other) for other in others))
    found = walk_forward(rows, study.events, plan, map_folds=engine.map, on_progress=on_progress)
    tried: dict[str, Any] = {}
    if order.trials:
        tried["ablation"] = ablation(
            rows, found.found, plan, map_folds=engine.map, on_progress=on_progress
        )
        tried["placebo"] = placebo(rows, plan, map_folds=engine.map, on_progress=on_progress)
    return evaluation_document(study.market.panel.name, found, **tried)


def write_evaluation(document: Mapping[str, Any], folder: Path) -> None:
    """Write ``evaluation.json``, ``evaluation.md``, ``reliability.png`` and ``molchan.png``."""
    write_json(folder / "evaluation.json", document)
    write_bytes(folder / "evaluation.md", evaluation_markdown(dict(document)).encode())
    figures = {
        "reliability.png": reliability_figure(_curves(document, "reliability")),
        "molchan.png": molchan_figure(_curves(document, "molchan")),
    }
    for name, figure in figures.items():
        replace_file(folder / name, partial(save_figure, figure))


def _curves(document: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Curves of the primary horizon by label: side and model."""
    return {
        f"{row['side']} {row['model']}": row[kind]
        for row in document["results"]
        if row["horizon_h"] == PRIMARY_H and kind in row
    }
