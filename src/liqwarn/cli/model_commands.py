"""Commands over models: evaluate, train, score, report."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import DAY, DEFAULT_POLICY, Options, PanelOptions, command, utc
from liqwarn.config import load_policy, load_settings
from liqwarn.pipelines.champion import open_bundle
from liqwarn.pipelines.engine import open_engine
from liqwarn.pipelines.evaluate import EvaluationOrder, evaluate, write_evaluation
from liqwarn.pipelines.ledger import settle
from liqwarn.pipelines.map_picture import draw_leader_map
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.progress import OnProgress
from liqwarn.pipelines.report import ReportOrder, write_report
from liqwarn.pipelines.score import Scored, score
from liqwarn.pipelines.standings import with_standings
from liqwarn.pipelines.study import Study, build_study
from liqwarn.pipelines.track_evaluation import track_evaluation
from liqwarn.pipelines.train import TrainOrder, train
from liqwarn.reports.console import flags_text
from liqwarn.reports.evaluation_page import evaluation_markdown

__all__: list[str] = []

Threads = Annotated[int, typer.Option(help="Fits that run side by side.", min=1)]
Seed = Annotated[int, typer.Option(help="Of every random choice.", min=0)]


def study_of(options: PanelOptions, on_progress: OnProgress, *, panel: Path | None = None) -> Study:
    """The study of a command's panel, or of another panel over the same files.

    Features of closed months are kept below ``LIQWARN_HOME/features``.
    """
    store = options.store if panel is None else None
    job = MarketJob(panel=panel or options.panel, data=options.data, store=store)
    market = open_market(job, now=datetime.now(UTC), on_progress=on_progress)
    memory = load_settings().home / "features" / market.panel.name
    return build_study(market, memory=memory, on_progress=on_progress)


@dataclass(frozen=True, kw_only=True)
class FitOptions(PanelOptions):
    """What every command that trains takes."""

    train_panel: Annotated[
        list[Path] | None,
        typer.Option(help="Further panel whose rows train, never test; may be repeated."),
    ] = None
    seed: Seed = 0
    threads: Threads = 2

    def others(self, on_progress: OnProgress) -> tuple[Study, ...]:
        """Studies of the further panels."""
        return tuple(study_of(self, on_progress, panel=p) for p in self.train_panel or ())


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(FitOptions):
    """Options of ``liqwarn evaluate``."""

    out: Annotated[Path, typer.Option(help="Folder to write.")]
    test_from: Annotated[
        datetime | None,
        typer.Option(
            formats=DAY, help="Train before this day, test from it on [default: walk forward]."
        ),
    ] = None
    retrain: Annotated[
        Literal["month", "quarter", "year", "none"] | None,
        typer.Option(help="How often to train again [default: quarter; none with --test-from]."),
    ] = None
    trials: Annotated[
        bool, typer.Option(help="Run ablation, placebos, other definitions and splits, too.")
    ] = True
    trial_seeds: Annotated[int, typer.Option(help="Fits a placebo is averaged over.", min=1)] = 5
    ablation_seeds: Annotated[
        int, typer.Option(help="Fits a left-out family is averaged over.", min=1)
    ] = 3
    policy: Annotated[
        Path, typer.Option(help="Policy file (YAML) whose worth to a levered book is measured.")
    ] = DEFAULT_POLICY
    cluster: Annotated[
        str | None, typer.Option(help="'local', or the address of a Dask scheduler.")
    ] = None
    track: Annotated[bool, typer.Option(help="Log the evaluation to MLflow, too.")] = True


@command(
    app,
    "evaluate",
    EvaluateOptions,
    example="liqwarn evaluate --panel conf/panels/btc_core.yaml --data DIR --out runs/evaluation",
)
def evaluate_command(options: EvaluateOptions) -> None:
    """Walk forward in time and measure the model's skill beside the baselines.

    Interrupted, the same command goes on where it stopped: finished folds are kept in OUT/folds.
    """
    order = EvaluationOrder(
        test_from=utc(options.test_from),
        retrain=options.retrain or ("none" if options.test_from else "quarter"),
        trial_retrain="none" if options.test_from else "year",
        trials=options.trials,
        trial_seeds=options.trial_seeds,
        ablation_seeds=options.ablation_seeds,
        seed=options.seed,
        threads=options.threads,
        policy=load_policy(options.policy),
        folds=options.out / "folds",
    )
    with progress() as on_progress, open_engine(options.cluster) as engine:
        study = study_of(options, on_progress)
        others = options.others(on_progress)
        document = evaluate(study, others, order, engine=engine, on_progress=on_progress)
    write_evaluation(document, options.out)
    if options.track:
        track_evaluation(study, document, options.out, load_settings())
    emit(document, as_json=options.json, text=evaluation_markdown(document))


@dataclass(frozen=True, kw_only=True)
class TrainOptions(FitOptions):
    """Options of ``liqwarn train``."""

    until: Annotated[
        datetime | None,
        typer.Option(formats=DAY, help="Use only outcomes known by this day [default: all]."),
    ] = None


@command(
    app,
    "train",
    TrainOptions,
    example="liqwarn train --panel conf/panels/btc_core.yaml --data DIR",
)
def train_command(options: TrainOptions) -> None:
    """Train on everything known, log to MLflow, register; the first model becomes champion."""
    order = TrainOrder(until=utc(options.until), seed=options.seed, threads=options.threads)
    with progress() as on_progress:
        study = study_of(options, on_progress)
        others = options.others(on_progress)
        done = train(study, others, order, load_settings(), on_progress=on_progress)
    emit(done.to_dict(), as_json=options.json, text=done.to_text())


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(PanelOptions):
    """Options of ``liqwarn score``."""

    out: Annotated[Path, typer.Option(help="Folder of the scoring; continued if it holds one.")]
    model: Annotated[
        Path | None, typer.Option(help="Model bundle [default: the registry's champion].")
    ] = None
    policy: Annotated[Path, typer.Option(help="Policy file (YAML).")] = DEFAULT_POLICY
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=DAY, help="First day of a scoring into an empty folder."),
    ] = None


@command(
    app,
    "score",
    ScoreOptions,
    example="liqwarn score --panel conf/panels/btc_core.yaml --data DIR --out runs/scoring",
)
def score_command(options: ScoreOptions) -> None:
    """Score every new bar, fold the circuit breaker, replace the flags; then settle the ledger."""
    policy = load_policy(options.policy)
    with progress() as on_progress:
        study = study_of(options, on_progress)
        settings, name = load_settings(), study.market.panel.name
        bundle = with_standings(open_bundle(options.model, name, settings), name, settings)
        now = datetime.now(UTC)
        done = score(study, bundle, policy, options.out, now=now, since=utc(options.since))
        draw_leader_map(study, options.out, on_progress=on_progress)
        on_progress("settle", 0, 1)
        settle(study, bundle, settings, scores=options.out, now=now)
        on_progress("settle", 1, 1)
    emit(
        {"new_bars": done.new_bars, "flags": done.flags},
        as_json=options.json,
        text=f"{flags_text(done.flags)}\n{options.out}: {done.new_bars} new bars{_age(done, now)}",
    )


def _age(done: Scored, now: datetime) -> str:
    """A warning when the latest flags are past their validity already."""
    ends = [datetime.fromisoformat(str(flag["valid_until"])) for flag in done.flags]
    if not ends or min(ends) > now:
        return ""
    return f"\nEXPIRED: these flags were valid until {min(ends):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """Options of ``liqwarn report``."""

    scores: Annotated[Path, typer.Option(help="Folder of a scoring.")]
    evaluation: Annotated[
        Path | None, typer.Option(help="Folder of an evaluation [default: the scoring's].")
    ] = None
    out: Annotated[
        Path | None, typer.Option(help="File to write [default: report.html beside the scores].")
    ] = None


@command(
    app,
    "report",
    ReportOptions,
    example="liqwarn report --scores runs/scoring --evaluation runs/evaluation",
)
def report_command(options: ReportOptions) -> None:
    """Write one HTML page: flags, timeline, drivers, events, skill, calibration."""
    out = options.out or options.scores / "report.html"
    order = ReportOrder(
        scores=options.scores,
        evaluation=options.evaluation,
        out=out,
        ledgers=load_settings().home / "ledger",
    )
    written = write_report(order, now=datetime.now(UTC))
    emit({"out": str(written)}, as_json=options.json, text=str(written))
