"""Walk-forward skill of a panel, beside the baselines, as files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from liqwarn import __version__
from liqwarn.durable import replace_file, write_bytes, write_json
from liqwarn.errors import ConfigError
from liqwarn.models.alarm_budget import alarm_budget
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.evaluation import EvaluationPlan, evaluation_document, walk_forward
from liqwarn.models.fold_skill import fold_skill
from liqwarn.models.folds import MapFolds, OutOfSample
from liqwarn.models.novelty_report import novelty_report
from liqwarn.models.robustness import combinatorial, relabelled, robustness
from liqwarn.models.rows import Rows, joined, make_rows
from liqwarn.models.severe import severe_tier
from liqwarn.models.splits import Period, WalkForward
from liqwarn.models.trials import ablation, placebo
from liqwarn.pipelines.engine import Engine
from liqwarn.pipelines.fold_store import FoldStore
from liqwarn.pipelines.injected_faults import faulty_rows
from liqwarn.pipelines.policy_utility import UtilityOrder, policy_utility
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study
from liqwarn.policy.tiers import Policy
from liqwarn.reports.charts import save_figure
from liqwarn.reports.evaluation_csv import evaluation_csv
from liqwarn.reports.evaluation_figures import evaluation_figures
from liqwarn.reports.evaluation_html import evaluation_html
from liqwarn.reports.evaluation_page import evaluation_markdown

__all__ = ["EvaluationOrder", "evaluate", "labelled_rows", "write_evaluation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOrder:
    """What to evaluate, and how much of it.

    Attributes
    ----------
    test_from : datetime or None
        Train before, test after; None walks forward from the first calendar block that leaves
        18 months to train on.
    retrain, trial_retrain : {"month", "quarter", "year", "none"}
        How often the model is trained again: for the headline, and for ablation and placebos.
    trials : bool
        Whether to run what needs many more fits: the ablation of every family, placebos, other
        definitions of a cascade, combinatorial splits, spoilt data.
    seed, threads, n_bootstrap : int
    trial_seeds, ablation_seeds : int
        Fits that a placebo and a left-out family are averaged over.
    settings : BoostSettings or None
        Of the trees; None for the frozen defaults.
    policy : Policy or None
        The circuit breaker whose worth to a levered book is measured; None leaves that out.
    folds : Path or None
        Folder of finished folds: an interrupted evaluation goes on where it stopped.
    """

    test_from: datetime | None = None
    retrain: Period = "quarter"
    trial_retrain: Period = "year"
    trials: bool = True
    seed: int = 0
    threads: int = 1
    n_bootstrap: int = 2000
    trial_seeds: int = 5
    ablation_seeds: int = 3
    settings: BoostSettings | None = None
    policy: Policy | None = None
    folds: Path | None = None

    def plan(self, extra: tuple[Rows, ...]) -> EvaluationPlan:
        """The same for the models layer, with rows of other panels to train on."""
        return EvaluationPlan(
            splitter=WalkForward(period=self.retrain, test_from=self.test_from),
            trial_splitter=WalkForward(period=self.trial_retrain, test_from=self.test_from),
            extra=extra,
            settings=self.settings,
            seed=self.seed,
            threads=self.threads,
            n_bootstrap=self.n_bootstrap,
            trial_seeds=self.trial_seeds,
            ablation_seeds=self.ablation_seeds,
        )


def labelled_rows(study: Study) -> Rows:
    """The rows of a study that have an outcome.

    Raises
    ------
    ConfigError
        When none has: a panel without open interest has no labels, and can only be scored.
    """
    rows = make_rows(study.matrix, study.labels, study.milder)
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
    run = engine.map if order.folds is None else FoldStore(order.folds, engine.map)
    stage = _Stage(study, rows, plan, run, on_progress)
    evaluation = walk_forward(rows, study.events, plan, map_folds=run, on_progress=on_progress)
    found = evaluation.found
    draws, seed = plan.n_bootstrap, plan.seed
    parts: dict[str, Any] = {
        "by_fold": fold_skill(found, study.events, evaluation.n_train),
        "severe": severe_tier(found, study.events, n_bootstrap=draws, seed=seed),
        "alarm_budget": alarm_budget(found, study.events, n_bootstrap=draws, seed=seed),
    }
    if order.policy is not None:
        book = UtilityOrder(n_bootstrap=draws, seed=seed)
        pooled = joined(rows, plan.extra)
        parts["utility"] = policy_utility(study, found, order.policy, book, training=pooled)
    if order.trials:
        parts |= _trials(stage, found)
    document = evaluation_document(study.market.panel.name, evaluation, **parts)
    return document | _account(study, order)


def _account(study: Study, order: EvaluationOrder) -> dict[str, Any]:
    """What was evaluated and how, for whoever repeats it."""
    market = study.market
    return {
        "market": market.panel.market,
        "bar_minutes": market.frame.bar / timedelta(minutes=1),
        "version": __version__,
        "config_sha256": market.panel_sha256,
        "data_sha256": market.data_sha256,
        "policy_sha256": None if order.policy is None else order.policy.sha256,
        "retrain": order.retrain,
        "trial_retrain": order.trial_retrain,
        "seed": order.seed,
        "n_bootstrap": order.n_bootstrap,
        "trial_seeds": order.trial_seeds if order.trials else 0,
        "ablation_seeds": order.ablation_seeds if order.trials else 0,
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """What every trial is given."""

    study: Study
    rows: Rows
    plan: EvaluationPlan
    run: MapFolds
    on_progress: OnProgress


def _trials(stage: _Stage, found: OutOfSample) -> dict[str, Any]:
    """What needs many more fits."""
    study, rows, plan = stage.study, stage.rows, stage.plan
    how: dict[str, Any] = {"map_folds": stage.run, "on_progress": stage.on_progress}
    variants = relabelled(study.market.frame, study.matrix, study.definition)
    pooled = joined(rows, plan.extra)
    return {
        "robustness": [
            *robustness(variants, plan, **how),
            *combinatorial(rows, study.events, plan, **how),
        ],
        "ablation": ablation(rows, plan, **how),
        "placebo": placebo(rows, plan, **how),
        "novelty": novelty_report(pooled, found, faulty_rows(study, found.rows.times.min())),
    }


def write_evaluation(document: Mapping[str, Any], folder: Path) -> None:
    """Write ``evaluation.json``, the page, the text, the plots, and ``tables/`` as CSV."""
    for name, table in evaluation_csv(document).items():
        write_bytes(folder / "tables" / name, table.encode())
    for name, figure in evaluation_figures(document).items():
        replace_file(folder / name, partial(save_figure, figure))
    write_bytes(folder / "evaluation.md", evaluation_markdown(document).encode())
    write_bytes(folder / "evaluation.html", evaluation_html(document).encode())
    write_json(folder / "evaluation.json", document)
