"""liqwarn retrain: the whole chain, for cron, systemd or a cluster's scheduler."""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from liqwarn.cli.app import app
from liqwarn.cli.champion_release import release_champion
from liqwarn.cli.console import emit, progress
from liqwarn.cli.model_commands import FitOptions, study_of
from liqwarn.cli.options import DEFAULT_POLICY, command
from liqwarn.config import Settings, load_panel, load_policy, load_settings
from liqwarn.errors import LockHeldError
from liqwarn.pipelines.champion import registry_of
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.policy_versions import PolicyVersions
from liqwarn.pipelines.progress import OnProgress
from liqwarn.pipelines.retrain import ReleaseTo, Retrained, RetrainOrder, Studies, retrain
from liqwarn.pipelines.retrain_rehearsal import rehearse
from liqwarn.pipelines.study import Study, build_study

__all__: list[str] = []

STOPPED: Final = 3
"""Exit code of a run that stopped before training: the data has to be looked at."""
LOCKED: Final = 75
"""Exit code while another run holds the lock: EX_TEMPFAIL of ``sysexits.h``, try again later."""


@dataclass(frozen=True, kw_only=True)
class RetrainOptions(FitOptions):
    """Options of ``liqwarn retrain``."""

    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False
    accept_less: Annotated[
        bool,
        typer.Option(
            "--accept-less", help="Go on with less data than the last run or the champion had."
        ),
    ] = False
    accept_drift: Annotated[
        bool,
        typer.Option("--accept-drift", help="Go on with inputs that drifted so far as to stop it."),
    ] = False
    release: Annotated[
        Path | None, typer.Option(help="Release a new champion here: the folder servers watch.")
    ] = None
    key: Annotated[
        Path | None, typer.Option(help="Private key to sign the release with (PEM, mode 0600).")
    ] = None
    policy: Annotated[Path, typer.Option(help="Policy file (YAML) to release it with.")] = (
        DEFAULT_POLICY
    )
    rederive_policy: Annotated[
        bool,
        typer.Option(
            "--rederive-policy",
            help="Derive thresholds anew for a new champion, by a fifth and once a week at most; "
            "the file itself is not changed.",
        ),
    ] = False


@command(
    app,
    "retrain",
    RetrainOptions,
    example="liqwarn retrain --panel conf/panels/btc_core.yaml --data DIR",
)
def retrain_command(options: RetrainOptions) -> None:
    """Ingest what is new, judge a challenger against the champion, promote it or say why not.

    Exit code 0: done, whatever the verdict; 3: stopped, the data has to be looked at; 75: another
    run holds the lock; 1: refused or failed, the same command goes on from there.
    """
    now, settings = datetime.now(UTC), load_settings()
    panel = load_panel(options.panel).name
    order = _order(options, panel, settings)
    try:
        with progress() as on_progress:
            done = _done(options, order, settings, now, on_progress)
    except LockHeldError as error:
        typer.echo(f"liqwarn: {error}", err=True)
        raise typer.Exit(LOCKED) from error
    emit(done.to_dict(), as_json=options.json, text=done.to_text())
    if done.action == "stopped":
        raise typer.Exit(STOPPED)


def _done(
    options: RetrainOptions,
    order: RetrainOrder,
    settings: Settings,
    now: datetime,
    on_progress: OnProgress,
) -> Retrained:
    panel = load_panel(options.panel).name
    if not options.dry_run:

        def studies() -> tuple[Study, tuple[Study, ...]]:
            return study_of(options, on_progress), options.others(on_progress)

        return retrain(panel, studies, order, settings, now=now, on_progress=on_progress)
    with TemporaryDirectory() as scratch:
        apart = _studies_apart(options, settings, Path(scratch), now, on_progress)
        return rehearse(panel, apart, order, settings, now=now, on_progress=on_progress)


def _studies_apart(
    options: RetrainOptions,
    settings: Settings,
    scratch: Path,
    now: datetime,
    on_progress: OnProgress,
) -> Studies:
    """Studies over copies of the stores, so that what is new is read and nothing is written."""

    def study(panel: Path, store: Path) -> Study:
        copy = scratch / panel.stem / store.name
        if store.exists():
            shutil.copytree(store, copy)
        job = MarketJob(panel=panel, data=options.data, store=copy)
        market = open_market(job, now=now, on_progress=on_progress)
        return build_study(market, on_progress=on_progress)

    def studies() -> tuple[Study, tuple[Study, ...]]:
        others = [study(panel, _store(panel, settings)) for panel in options.train_panel or ()]
        own = options.store or _store(options.panel, settings)
        return study(options.panel, own), tuple(others)

    return studies


def _store(panel: Path, settings: Settings) -> Path:
    return settings.home / "store" / load_panel(panel).name


def _order(options: RetrainOptions, panel: str, settings: Settings) -> RetrainOrder:
    order = RetrainOrder(
        seed=options.seed,
        threads=options.threads,
        accept_less=options.accept_less,
        accept_drift=options.accept_drift,
        rederive=options.policy if options.rederive_policy else None,
    )
    if options.rederive_policy or options.release is not None:
        load_policy(options.policy)  # refused now rather than after an hour
    if (options.release is None) != (options.key is None):
        raise typer.BadParameter("--release and --key go together: a release is signed")
    if options.release is None or options.key is None:
        return order
    releases, key = options.release, options.key

    def released(version: str) -> str:
        policy = options.policy
        if options.rederive_policy:
            policy = PolicyVersions(panel, policy, settings).in_force().path
        registry = registry_of(panel, settings)
        return str(release_champion(releases, key, registry, (version, policy)))

    return replace(order, release=ReleaseTo(place=str(releases.resolve()), release=released))
