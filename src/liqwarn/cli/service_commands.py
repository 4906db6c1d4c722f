"""Commands that check and show: audit verify, audit replay, demo."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app, audit
from liqwarn.cli.console import emit, progress, say, show
from liqwarn.cli.options import DEFAULT_POLICY, Options, command
from liqwarn.config import load_policy
from liqwarn.errors import AuditError
from liqwarn.pipelines.demo import DEMO_PANEL, DemoOrder, run_demo
from liqwarn.policy.audit import replay, verify
from liqwarn.reports.console import flags_table

__all__: list[str] = []

Log = Annotated[Path, typer.Argument(help="Audit log of a scoring, audit.jsonl.")]


@dataclass(frozen=True, kw_only=True)
class AuditOptions(Options):
    """Options of ``liqwarn audit verify``."""

    log: Log
    head: Annotated[
        Path | None, typer.Option(help="Head kept apart [default: audit.head.json beside it].")
    ] = None


@command(audit, "verify", AuditOptions, example="liqwarn audit verify runs/scoring/audit.jsonl")
def audit_verify(options: AuditOptions) -> None:
    """Find any edit, deletion, reorder or truncation of an audit log."""
    head = options.head or options.log.with_name("audit.head.json")
    found = verify(options.log, head)
    emit(
        asdict(found),
        as_json=options.json,
        text=f"{options.log}: {found.lines} lines, unbroken up to {found.sha256}",
    )


@dataclass(frozen=True, kw_only=True)
class ReplayOptions(Options):
    """Options of ``liqwarn audit replay``."""

    log: Log
    policy: Annotated[Path, typer.Option(help="Policy the decisions were made under.")] = (
        DEFAULT_POLICY
    )


@command(audit, "replay", ReplayOptions, example="liqwarn audit replay runs/scoring/audit.jsonl")
def audit_replay(options: ReplayOptions) -> None:
    """Make every decision of an audit log again and compare."""
    found = replay(options.log, load_policy(options.policy))
    if found.differences:
        raise AuditError(
            f"{found.differences} of {found.lines} decisions differ; the first: "
            f"{found.first_difference}"
        )
    emit(
        asdict(found),
        as_json=options.json,
        text=f"{options.log}: {found.lines} decisions made again, all the same",
    )


@dataclass(frozen=True, kw_only=True)
class DemoOptions(Options):
    """Options of ``liqwarn demo``."""

    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("runs/demo")
    panel: Annotated[
        Path | None, typer.Option(help="Panel of real files [default: the simulated market].")
    ] = None
    data: Annotated[Path | None, typer.Option(help="Folder of those files.")] = None
    policy: Annotated[Path, typer.Option(help="Policy file (YAML).")] = DEFAULT_POLICY
    seed: Annotated[int, typer.Option(help="Of the simulated market and the model.", min=0)] = 1
    threads: Annotated[int, typer.Option(help="Fits that run side by side.", min=1)] = 2


@command(app, "demo", DemoOptions, example="liqwarn demo --out runs/demo")
def demo(options: DemoOptions) -> None:
    """Run the whole job: market, features, evaluation, training, scoring, flags, report."""
    if options.panel is not None and options.data is None:
        raise typer.BadParameter("--panel needs --data, the folder of its files")
    order = DemoOrder(
        panel=options.panel or DEMO_PANEL,
        data=options.data,
        out=options.out,
        policy=options.policy,
        seed=options.seed,
        threads=options.threads,
    )
    if options.panel is None:
        say("This market is SIMULATED: it shows how liqwarn works, not what it earns.")
    with progress() as on_progress:
        done = run_demo(order, on_progress=on_progress)
    if options.json:
        emit(done.to_dict(), as_json=True, text="")
        return
    show(flags_table(done.flags))
    emit({}, as_json=False, text=done.to_text())
