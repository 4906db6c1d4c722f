"""The challenger is walked forward and held against HAR and the champion."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from liqwarn.models.bundle import Bundle
from liqwarn.models.evaluation import Evaluation, walk_for_gate
from liqwarn.models.fold_skill import fold_skill
from liqwarn.models.folds import MapFolds
from liqwarn.models.gate import Dates, SideEvidence, Verdict, judge
from liqwarn.models.registry import RunRecord
from liqwarn.pipelines.comparison import dates_of, gather_evidence
from liqwarn.pipelines.evaluate import EvaluationOrder, labelled_rows
from liqwarn.pipelines.progress import OnProgress
from liqwarn.pipelines.study import Study
from liqwarn.pipelines.track_evaluation import (
    experiment_tags,
    fold_records,
    fold_steps,
    study_tags,
)
from liqwarn.pipelines.train import TrainOrder, training_rows

__all__ = ["Judged", "judge_challenger", "judge_record"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """A verdict and what it stands on.

    Attributes
    ----------
    verdict : Verdict
    evidence : tuple of SideEvidence
    dates : Dates
    walk : Evaluation
    """

    verdict: Verdict
    evidence: tuple[SideEvidence, ...]
    dates: Dates
    walk: Evaluation

    def figures(self) -> dict[str, Any]:
        """Plain data, for the journal."""
        return {
            "promote": self.verdict.promote,
            "trained_until": self.dates.trained_until.isoformat(),
            "tested_until": self.dates.tested_until.isoformat(),
            "folds": len(self.walk.n_train),
            "evidence": [asdict(one) for one in self.evidence],
        }


def judge_challenger(
    data: tuple[Study, tuple[Study, ...]],
    champion: Bundle,
    order: TrainOrder,
    map_folds: MapFolds,
    *,
    now: datetime,
    on_progress: OnProgress,
) -> Judged:
    """Walk forward on the frozen protocol and ask the gate.

    Parameters
    ----------
    data : tuple of Study and tuple of Study
        The panel, and further panels whose rows may train.
    """
    study, others = data
    how = EvaluationOrder(seed=order.seed, threads=order.threads, settings=order.settings)
    plan = how.plan(tuple(labelled_rows(other) for other in others))
    rows = labelled_rows(study)
    walk = walk_for_gate(rows, plan, map_folds=map_folds, on_progress=on_progress)
    evidence = gather_evidence(walk, champion, n_bootstrap=plan.n_bootstrap, seed=plan.seed)
    dates = dates_of(walk.found, training_rows(study, others, order), now)
    return Judged(verdict=judge(evidence, dates), evidence=evidence, dates=dates, walk=walk)


def judge_record(study: Study, judged: Judged, key: str) -> RunRecord:
    """The walk-forward for MLflow, fold by fold; a key is recorded once."""
    panel, tags = study.market.panel, study_tags(study, "judge")
    walk = judged.walk
    folds = fold_skill(walk.found, study.events, walk.n_train)
    return RunRecord(
        name=f"judge {panel.name}",
        key=key,
        tags=tags,
        steps=fold_steps(folds),
        children=tuple(fold_records(folds, tags)),
        experiment=experiment_tags(panel.name, panel.market),
    )
