"""Retrain on schedule: one idempotent job under a lock, that promotes or says why not.

The steps can be read in :func:`_go`; each is in the journal when it is done. A run is its key, made
of data, panel, settings and version. Killed anywhere, late or called again, the same key moves the
champion once, and what a killed run left open the next one ends, whatever its key.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from liqwarn.config import Settings
from liqwarn.errors import LiqwarnError
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.retrain_checks import checks_of
from liqwarn.pipelines.retrain_journal import Notes, Step, journal_of
from liqwarn.pipelines.retrain_lock import lock_note, only_retraining
from liqwarn.pipelines.retrain_quality import data_figures
from liqwarn.pipelines.retrain_report import write_retrain_report
from liqwarn.pipelines.retrain_result import ReleaseTo, Retrained, RetrainOrder, run_key
from liqwarn.pipelines.retrain_run import RetrainRun
from liqwarn.pipelines.study import Study
from liqwarn.pipelines.train import TrainOrder

__all__ = ["ReleaseTo", "RetrainOrder", "Retrained", "Studies", "retrain", "run_key"]

Studies = Callable[[], tuple[Study, tuple[Study, ...]]]
"""Brings the store up to date and builds the panel's study, and those of further panels."""


def retrain(
    panel: str,
    studies: Studies,
    order: TrainOrder,
    settings: Settings,
    *,
    now: datetime,
    on_progress: OnProgress = silent,
) -> Retrained:
    """Judge a challenger against the champion and move the alias, or keep it, or stop.

    Parameters
    ----------
    panel : str
        Its name.
    studies : callable
        Called under the lock.
    order : TrainOrder
        A :class:`RetrainOrder` has limits of the data and a place to release to, besides.

    Raises
    ------
    LockHeldError
        When another run holds the lock.
    LiqwarnError
        When a step fails; the journal has why, and the same call goes on from there.
    """
    asked = RetrainOrder.of(order)
    began = asked.clock()
    with only_retraining(panel, settings):
        journal = journal_of(panel, settings.home)
        journal.open()
        study, others = studies()
        notes = Notes(
            journal=journal,
            run=run_key(study, others, asked),
            now=now,
            elapsed=lambda: asked.clock() - began,
        )
        run = RetrainRun(
            study=study,
            others=others,
            order=asked,
            settings=settings,
            notes=notes,
            on_progress=on_progress,
        )
        try:
            return _go(run)
        except (LiqwarnError, OSError) as error:
            notes.failed(error)
            with suppress(LiqwarnError, OSError):  # the error itself is what is to be told
                write_retrain_report(journal, notes.run)
            raise


def _go(run: RetrainRun) -> Retrained:
    """The steps of a run, in order."""
    notes, journal = run.notes, run.notes.journal
    done = journal.finished(run.key)
    if done is not None:
        return run.nothing_new(done)
    notes.note(Step.STARTED, {"resumed": bool(journal.of_run(run.key))})
    notes.note(Step.DATA, data_figures(run.study, run.others), lock_note(run.registry))
    told = [*lock_note(run.registry), *run.mend()]
    moved = run.moved_before()
    if moved is not None:
        return run.finish(*moved, told)
    champion, unusable = run.champion()
    for step, found in checks_of(run.data, champion, run.order, journal.accepted_data(), notes.now):
        notes.note(step, found.figures, (*found.reasons, *found.notes))
        told += found.notes
        if found.reasons:
            return run.stop(found.reasons, told)
    if champion is None:
        run.promote(run.train(), (unusable,), instead_of=run.registry.champion())
        return run.finish("first", (unusable,), told)
    verdict = run.judge(champion)
    if not verdict.promote:
        return run.finish("kept", verdict.reasons, told)
    run.promote(run.train(), verdict.reasons, instead_of=champion.stamp.version)
    return run.finish("promoted", verdict.reasons, told)
