"""One run of retraining: what its steps do, and how it ends. Their order is in ``retrain``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from liqwarn.config import Settings
from liqwarn.decisions import iso_utc
from liqwarn.errors import LiqwarnError, ModelError, OutdatedModelError
from liqwarn.models.alias_history import AliasHistory
from liqwarn.models.bundle import Bundle
from liqwarn.models.gate import Verdict
from liqwarn.models.registry import Registry
from liqwarn.pipelines.alias_moves import Mandate, finish_open_move, history_of, promote
from liqwarn.pipelines.champion import open_champion, registry_of
from liqwarn.pipelines.ledger import settle
from liqwarn.pipelines.progress import OnProgress
from liqwarn.pipelines.rederive import rederived
from liqwarn.pipelines.retrain_folds import fold_names, folds_of, prune
from liqwarn.pipelines.retrain_journal import Notes, Step
from liqwarn.pipelines.retrain_judge import Judged, judge_challenger, judge_record
from liqwarn.pipelines.retrain_mend import appoint_left_over
from liqwarn.pipelines.retrain_release import release_owed
from liqwarn.pipelines.retrain_report import report_path, write_retrain_report
from liqwarn.pipelines.retrain_result import Retrained, RetrainOrder
from liqwarn.pipelines.study import Study
from liqwarn.pipelines.train import train

__all__ = ["RetrainRun"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RetrainRun:
    """What a run is made of.

    Attributes
    ----------
    study : Study
    others : tuple of Study
        Further panels, whose rows train.
    order : RetrainOrder
    settings : Settings
    notes : Notes
        Writes its steps into the journal.
    on_progress : callable
    """

    study: Study
    others: tuple[Study, ...]
    order: RetrainOrder
    settings: Settings
    notes: Notes
    on_progress: OnProgress

    @property
    def key(self) -> str:
        """What names the run."""
        return self.notes.run

    @property
    def data(self) -> tuple[Study, tuple[Study, ...]]:
        """The panel, and further ones."""
        return self.study, self.others

    @cached_property
    def registry(self) -> Registry:
        """Where versions and aliases are."""
        return registry_of(self.study.market.panel.name, self.settings)

    @cached_property
    def history(self) -> AliasHistory:
        """Our own record of aliases."""
        return history_of(self.study.market.panel.name, self.settings)

    def mend(self) -> list[str]:
        """End what a killed run left open: a move, a version without alias, a release."""
        now, told = self.notes.now, []
        if finish_open_move(self.registry, self.history, now) is not None:
            told.append("mended: a move of an alias that was interrupted is ended")
        left = appoint_left_over(self.registry, self.history, now)
        if left is not None:
            told.append(f"mended: version {left} was registered and had no alias")
        try:
            released = release_owed(self.registry, self.history, self.notes, self.order.release)
        except (LiqwarnError, OSError) as error:  # a new champion may be released all the same
            return [*told, f"the champion is not released: {error}"]
        return [*told, f"released the champion that was there: {released}"] if released else told

    def moved_before(self) -> tuple[str, tuple[str, ...]] | None:
        """What this very run did to the champion before it was interrupted; None for nothing."""
        for move in self.history.champions():
            if move.run == self.key:
                action = "first" if move.action == "first" else "promoted"
                return action, (f"{action} by an earlier run that was interrupted afterwards",)
        return None

    def champion(self) -> tuple[Bundle | None, str]:
        """The champion to keep or replace; None and why, when there is none that can be used."""
        try:
            found = open_champion(self.registry.panel, self.settings)
        except OutdatedModelError as error:  # it can score no more, so there is none to keep
            return None, f"the champion cannot be used any more: {error}"
        return found, "no champion before: the first model becomes champion"

    def judge(self, champion: Bundle) -> Verdict:
        """Walk the challenger forward, log that, ask the gate."""
        folds = folds_of(self.settings.home, self.registry.panel)
        there = fold_names(folds)
        judged = judge_challenger(
            self.data, champion, self.order, folds, now=self.notes.now, on_progress=self.on_progress
        )
        self.registry.record(judge_record(self.study, judged, self.key))
        figures = {**judged.figures(), "champion": champion.stamp.version}
        figures |= {"found": len(there & set(folds.used)), "pruned": prune(folds, self.key)}
        if judged.verdict.promote:
            figures |= self._thresholds(judged)
        self.notes.note(Step.JUDGED, figures, judged.verdict.reasons)
        return judged.verdict

    def _thresholds(self, judged: Judged) -> dict[str, Any]:
        """Derive the thresholds of a challenger that is to be champion, where that is asked for."""
        given, now = self.order.rederive, self.notes.now
        if given is None:
            return {}
        found = judged.walk.found
        made = rederived(self.study, found, given, self.settings, now=now, others=self.others)
        return {"policy": {"version": made.version, "changed": made.changed, "notes": made.notes}}

    def train(self) -> str:
        """The version of this run: trained and registered, or found by its key."""
        known = self.registry.version_of_run(self.key)
        if known is not None:
            self.notes.note(Step.REGISTERED, {"version": known, "found": True})
            return known

        def tell(stage: str, done: int, total: int) -> None:
            if (stage, done) == ("train", total):
                self.notes.note(Step.TRAINED)
            self.on_progress(stage, done, total)

        stamp = self.key, self.notes.now
        made = train(
            self.study, self.others, self.order, self.settings, run=stamp, on_progress=tell
        )
        figures = {"version": made.version, "sha256": made.sha256, "rows": made.rows}
        self.notes.note(Step.REGISTERED, {**figures, "positives": made.positives})
        return made.version

    def promote(self, version: str, reasons: Sequence[str], *, instead_of: str | None) -> None:
        """Make a version champion, unless somebody moved it since the version was judged."""
        mandate = Mandate(
            action="retrain",
            reason="; ".join(reasons),
            by="liqwarn retrain",
            run=self.key,
            now=self.notes.now,
        )
        promote(self.registry, self.history, version, mandate, instead_of=instead_of)
        self.notes.note(Step.MOVED, {"version": version, "before": instead_of}, reasons)

    def finish(self, action: str, reasons: Sequence[str], told: Sequence[str]) -> Retrained:
        """Release what is owed, and write down that the run is done."""
        try:
            released = release_owed(self.registry, self.history, self.notes, self.order.release)
        except (LiqwarnError, OSError) as error:
            raise ModelError(
                f"version {self.registry.champion()} is champion, but it was not released, and "
                f"servers go on with what they have: {error}"
            ) from error
        result = replace(self._result(action, reasons, told), release=released)
        if not result.champion:
            raise ModelError(f"{self.registry.name} has no champion after run {self.key}")
        figures = {"action": action, "champion": result.champion, "notes": list(told)}
        self.notes.note(Step.FINISHED, figures, reasons)
        report = write_retrain_report(self.notes.journal, self.key)
        return replace(result, report=report, notes=(*result.notes, *self._settled()))

    def stop(self, reasons: Sequence[str], told: Sequence[str]) -> Retrained:
        """Write down why nothing is trained; the same run is checked again when it is called."""
        result = self._result("stopped", reasons, told)
        figures = {"action": "stopped", "champion": result.champion, "notes": list(told)}
        self.notes.note(Step.STOPPED, figures, reasons)
        return replace(result, report=write_retrain_report(self.notes.journal, self.key))

    def nothing_new(self, done: dict[str, Any]) -> Retrained:
        """What a finished run did; only a release or a page that is missing is made."""
        action, at = done["figures"]["action"], str(done["at"])
        released = ""
        if self.order.release is not None:
            released = release_owed(self.registry, self.history, self.notes, self.order.release)
        page = report_path(self.notes.journal, self.key)
        report = str(page) if page.exists() else self._report_of(done)
        return Retrained(
            run=self.key,
            action="nothing new",
            champion=str(done["figures"]["champion"]),
            reasons=(f"this data was judged at {at}: {action}",),
            at=at,
            release=released,
            report=report,
        )

    def _settled(self) -> tuple[str, ...]:
        """Settle the live ledger under the champion; what is done stays done if that fails."""
        try:
            champion, _ = self.champion()
            settle(self.study, champion, self.settings, scores=None, now=self.notes.now)
        except (LiqwarnError, OSError) as error:
            return (f"the live ledger was not settled: {error}",)
        return ()

    def _report_of(self, done: dict[str, Any]) -> str:
        if done["figures"].get("taken over"):  # of a ledger that knew no steps
            return ""
        return write_retrain_report(self.notes.journal, self.key)

    def _result(self, action: str, reasons: Sequence[str], told: Sequence[str]) -> Retrained:
        return Retrained(
            run=self.key,
            action=action,
            champion=self.registry.champion() or "",
            reasons=tuple(reasons),
            at=iso_utc(self.notes.now),
            notes=tuple(told),
        )
