"""Evidence for the gate: a challenger's walk-forward beside a frozen champion."""

from datetime import UTC, datetime

import numpy as np

from liqwarn.models.bundle import Bundle
from liqwarn.models.evaluation import Evaluation
from liqwarn.models.folds import OutOfSample
from liqwarn.models.gate import Dates, SideEvidence
from liqwarn.models.gate_evidence import Frozen, measure_evidence
from liqwarn.models.rows import Rows

__all__ = ["dates_of", "gather_evidence"]


def gather_evidence(
    evaluation: Evaluation, champion: Bundle | None, *, n_bootstrap: int, seed: int
) -> tuple[SideEvidence, ...]:
    """What the walk-forward says of the challenger, and of the champion on bars it had not seen."""
    frozen = None if champion is None else _frozen(evaluation.found, champion)
    return measure_evidence(evaluation.found, frozen, n_bootstrap=n_bootstrap, seed=seed)


def _frozen(found: OutOfSample, champion: Bundle) -> Frozen:
    """The champion at the bars it had not seen; NaN at the others."""
    until = np.datetime64(champion.training.trained_until.replace(tzinfo=None), "s")
    p = np.full(found.rows.y.shape, np.nan)
    unseen = np.flatnonzero(found.rows.times > until)
    if unseen.size:
        rows = found.rows.take(unseen)
        known = rows.without(
            set(rows.names) - set(champion.model.names_)
        )  # an upgrade may add some
        p[unseen] = champion.model.predict_proba(known.X, known.names)
    return Frozen(p=p, until=until)


def dates_of(found: OutOfSample, trained: Rows, now: datetime) -> Dates:
    """How old the evidence is at `now`: by its last bars, whose nearest outcome was known.

    Not by ``end``: a day before its data ends, a row's longest outcome is known after it.

    Parameters
    ----------
    trained : Rows
        The rows that the challenger is trained on.
    """
    return Dates(now=now, trained_until=_last(trained), tested_until=_last(found.rows))


def _last(rows: Rows) -> datetime:
    return datetime.fromtimestamp(int(rows.times.max().astype(np.int64)), tz=UTC)
