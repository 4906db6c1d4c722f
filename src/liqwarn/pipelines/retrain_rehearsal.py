"""What a retraining would do, nothing written: the same checks, the same walk, the same gate."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from liqwarn.config import Settings
from liqwarn.decisions import iso_utc
from liqwarn.errors import OutdatedModelError
from liqwarn.models.bundle import Bundle
from liqwarn.pipelines.champion import open_champion
from liqwarn.pipelines.fold_store import FoldStore
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.retrain_checks import checks_of
from liqwarn.pipelines.retrain_folds import folds_of
from liqwarn.pipelines.retrain_journal import Journal, journal_of
from liqwarn.pipelines.retrain_judge import judge_challenger
from liqwarn.pipelines.retrain_result import Retrained, RetrainOrder, run_key
from liqwarn.pipelines.study import Study
from liqwarn.pipelines.train import TrainOrder

__all__ = ["rehearse"]

_SQLITE = "sqlite:///"


def rehearse(
    panel: str,
    studies: Callable[[], tuple[Study, tuple[Study, ...]]],
    order: TrainOrder,
    settings: Settings,
    *,
    now: datetime,
    on_progress: OnProgress = silent,
) -> Retrained:
    """Say what :func:`liqwarn.pipelines.retrain.retrain` would do now.

    It takes no lock, so it may run beside a real run; nothing is trained but the folds that are not
    kept yet, in a folder that is thrown away.

    Parameters
    ----------
    studies : callable
        Builds the studies from a copy of the store, if nothing is to be written there either.
    """
    asked, journal = RetrainOrder.of(order), journal_of(panel, settings.home)
    study, others = studies()
    key = run_key(study, others, asked)
    champion, why = _champion(panel, settings)
    version = "" if champion is None else champion.stamp.version

    def would(action: str, reasons: tuple[str, ...], told: tuple[str, ...] = ()) -> Retrained:
        return Retrained(
            run=key,
            action=action,
            champion=version,
            reasons=reasons,
            at=iso_utc(now),
            notes=told,
            dry_run=True,
        )

    done = journal.finished(key)
    if done is not None:
        reason = f"this data was judged at {done['at']}: {done['figures']['action']}"
        return would("nothing new", (reason,))
    told = _unfinished(journal, key)
    data, before = (study, others), journal.accepted_data()
    for _, found in checks_of(data, champion, asked, before, now):
        told += found.notes
        if found.reasons:
            return would("stopped", found.reasons, told)
    if champion is None:
        return would("first", (why,), told)
    with TemporaryDirectory() as scratch:
        folds = _folds_apart(settings.home, panel, Path(scratch))
        judged = judge_challenger(data, champion, asked, folds, now=now, on_progress=on_progress)
    verdict = judged.verdict
    return would("promoted" if verdict.promote else "kept", verdict.reasons, told)


def _champion(panel: str, settings: Settings) -> tuple[Bundle | None, str]:
    """The champion; a registry that is not there is not made."""
    uri = settings.mlflow_uri
    path = Path(uri.removeprefix(_SQLITE).partition("?")[0])
    none = "no champion before: the first model becomes champion"
    if uri.startswith(_SQLITE) and not path.exists():
        return None, none
    try:
        return open_champion(panel, settings), none
    except OutdatedModelError as error:
        return None, f"the champion cannot be used any more: {error}"


def _unfinished(journal: Journal, key: str) -> tuple[str, ...]:
    begun = journal.of_run(key)
    if not begun:
        return ()
    return (f"this run was begun and broke off after '{begun[-1]['step']}': it would go on",)


def _folds_apart(home: Path, panel: str, scratch: Path) -> FoldStore:
    """The kept folds in a folder that may be written to."""
    kept = folds_of(home, panel)
    for path in kept.folder.glob("*.npz"):
        (scratch / path.name).symlink_to(path)
    return FoldStore(scratch, kept.run, rolling=True)
