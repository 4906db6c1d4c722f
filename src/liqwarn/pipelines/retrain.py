"""Retrain on schedule: one idempotent job under a lock, that promotes or says why not."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from liqwarn import __version__
from liqwarn.config import Settings
from liqwarn.decisions import iso_utc
from liqwarn.durable import write_bytes
from liqwarn.errors import ConfigError, ModelError, OutdatedModelError, StoreError
from liqwarn.models.alias_history import AliasHistory
from liqwarn.models.bundle import Bundle
from liqwarn.models.evaluation import Evaluation, walk_forward
from liqwarn.models.fold_skill import fold_skill
from liqwarn.models.gate import Verdict, judge
from liqwarn.models.model_files import SCHEMA
from liqwarn.models.registry import Registry, RunRecord
from liqwarn.pipelines.alias_moves import Mandate, finish_open_move, history_of, promote
from liqwarn.pipelines.champion import open_champion, registry_of
from liqwarn.pipelines.comparison import dates_of, gather_evidence
from liqwarn.pipelines.evaluate import EvaluationOrder, labelled_rows
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study
from liqwarn.pipelines.track_evaluation import (
    experiment_tags,
    fold_records,
    fold_steps,
    study_tags,
)
from liqwarn.pipelines.train import TrainOrder, train, training_rows

__all__ = ["Retrained", "Studies", "retrain", "run_key"]

Studies = Callable[[], tuple[Study, tuple[Study, ...]]]
"""Brings the store up to date and builds the panel's study, and those of further panels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What a run did.

    Attributes
    ----------
    run : str
        Key of data, panel, settings and version: the same key is done once.
    action : {"first", "promoted", "kept", "nothing new"}
    champion : str
        Version that is champion now.
    reasons : tuple of str
    at : str
        When it was done.
    """

    run: str
    action: str
    champion: str
    reasons: tuple[str, ...]
    at: str

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, for ``--json`` and the ledger."""
        return asdict(self)

    def to_text(self) -> str:
        """The same in lines."""
        head = f"{self.action}; champion is version {self.champion} (run {self.run[:12]})"
        return "\n".join([head, *(f"  {reason}" for reason in self.reasons)])


def run_key(study: Study, others: tuple[Study, ...], order: TrainOrder) -> str:
    """What makes a run itself: panels, data, settings, version and format; not the time."""
    parts = [__version__, SCHEMA, str(order.seed), str(order.until), str(order.settings)]
    for one in (study, *others):
        parts += [one.market.panel.name, one.market.panel_sha256, one.market.data_sha256]
    return sha256("\n".join(parts).encode()).hexdigest()


def retrain(
    panel: str,
    studies: Studies,
    order: TrainOrder,
    settings: Settings,
    *,
    now: datetime,
    on_progress: OnProgress = silent,
) -> Retrained:
    """Judge a challenger against the champion and move the alias, or keep it.

    Called twice, late, or again after a crash, it changes nothing twice: a finished run is in the
    ledger, and a version registered by an unfinished one is found by its key.

    Raises
    ------
    ConfigError
        When another run holds the lock.
    """
    folder = settings.home / "retrain"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{panel}.lock")
    try:
        held = lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigError(f"another liqwarn retrain holds the lock {lock.lock_file}") from error
    with held, registry_of(panel, settings).retraining():  # a file does not reach other machines
        study, others = studies()
        key = run_key(study, others, order)
        ledger = folder / f"{panel}.jsonl"
        done = _finished(ledger, key)
        if done is not None:
            return done
        name = study.market.panel.name
        registry, history = registry_of(name, settings), history_of(name, settings)
        finish_open_move(registry, history, now)
        run = _Run(key=key, registry=registry, history=history, now=now)
        action, reasons = _decide(study, others, order, settings, run, on_progress)
        champion = registry.champion()
        if champion is None:
            raise ModelError(f"{registry.name} has no champion after run {key}")
        result = Retrained(
            run=key, action=action, champion=champion, reasons=reasons, at=iso_utc(now)
        )
        _note(ledger, result)
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What a run is, and where it moves the champion."""

    key: str
    registry: Registry
    history: AliasHistory
    now: datetime

    def promote(self, version: str, reasons: tuple[str, ...], *, instead_of: str | None) -> None:
        """Make a version champion, unless somebody moved it since the version was judged."""
        mandate = Mandate(
            action="retrain",
            reason="; ".join(reasons),
            by="liqwarn retrain",
            run=self.key,
            now=self.now,
        )
        promote(self.registry, self.history, version, mandate, instead_of=instead_of)


def _decide(
    study: Study,
    others: tuple[Study, ...],
    order: TrainOrder,
    settings: Settings,
    run: _Run,
    on_progress: OnProgress,
) -> tuple[str, tuple[str, ...]]:
    def trained() -> str:
        known = run.registry.version_of_run(run.key)  # by a run interrupted after it registered
        if known is not None:
            return known
        stamp = run.key, run.now
        return train(study, others, order, settings, run=stamp, on_progress=on_progress).version

    there = run.registry.champion()
    try:
        champion = open_champion(study.market.panel.name, settings)
        first = "no champion before: the first model becomes champion"
    except OutdatedModelError as error:  # it can score no more, so there is none to keep
        champion, first = None, f"the champion cannot be used any more: {error}"
    if run.history.was_promoted_by(run.key):
        return "promoted", ("promoted by an earlier run that was interrupted afterwards",)
    if champion is None:
        version = trained()
        run.promote(version, (first,), instead_of=there)
        return "first", (first,)
    verdict = _judged(study, others, order, (champion, run), on_progress)
    if not verdict.promote:
        return "kept", verdict.reasons
    run.promote(trained(), verdict.reasons, instead_of=champion.stamp.version)
    return "promoted", verdict.reasons


def _judged(
    study: Study,
    others: tuple[Study, ...],
    order: TrainOrder,
    against: tuple[Bundle, _Run],
    on_progress: OnProgress,
) -> Verdict:
    """Walk the challenger forward and hold it against HAR and the champion, as of a moment."""
    champion, run = against
    how = EvaluationOrder(seed=order.seed, threads=order.threads, settings=order.settings)
    plan = how.plan(tuple(labelled_rows(other) for other in others))
    found = walk_forward(labelled_rows(study), study.events, plan, on_progress=on_progress)
    _remember(study, found, run)
    evidence = gather_evidence(found, champion, n_bootstrap=plan.n_bootstrap, seed=plan.seed)
    return judge(evidence, dates_of(found.found, training_rows(study, others, order), run.now))


def _remember(study: Study, found: Evaluation, run: _Run) -> None:
    """Log the walk-forward that a challenger is judged by, fold by fold."""
    panel, tags = study.market.panel, study_tags(study, "judge")
    folds = fold_skill(found.found, study.events, found.n_train)
    record = RunRecord(
        name=f"judge {panel.name}",
        key=run.key,
        tags=tags,
        steps=fold_steps(folds),
        children=tuple(fold_records(folds, tags)),
        experiment=experiment_tags(panel.name, panel.market),
    )
    run.registry.record(record)


def _finished(ledger: Path, key: str) -> Retrained | None:
    """What a finished run of the same key did; None when there is none."""
    for line in _lines(ledger):
        if line["run"] == key:
            return Retrained(
                run=key,
                action="nothing new",
                champion=str(line["champion"]),
                reasons=(f"this data was judged at {line['at']}: {line['action']}",),
                at=str(line["at"]),
            )
    return None


def _lines(ledger: Path) -> list[dict[str, object]]:
    if not ledger.exists():
        return []
    try:
        return [orjson.loads(line) for line in ledger.read_bytes().splitlines()]
    except ValueError as error:
        raise StoreError(f"{ledger}: unreadable line in the ledger of retraining") from error


def _note(ledger: Path, result: Retrained) -> None:
    """Add a run to the ledger, whole."""
    before = ledger.read_bytes() if ledger.exists() else b""
    line = orjson.dumps(result.to_dict(), option=orjson.OPT_APPEND_NEWLINE)
    write_bytes(ledger, before + line)
