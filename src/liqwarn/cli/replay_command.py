"""The command that runs the live engine over history: replay."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.model_commands import study_of
from liqwarn.cli.options import DAY, DEFAULT_POLICY, PanelOptions, command, utc
from liqwarn.config import load_policy, load_settings
from liqwarn.decisions import iso_utc
from liqwarn.pipelines.champion import open_bundle
from liqwarn.pipelines.replay import replay
from liqwarn.pipelines.standings import with_standings

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class ReplayOptions(PanelOptions):
    """Options of ``liqwarn replay``."""

    out: Annotated[Path, typer.Option(help="File of flags to write, .parquet or .csv.")]
    model: Annotated[
        Path | None, typer.Option(help="Model bundle [default: the registry's champion].")
    ] = None
    policy: Annotated[Path, typer.Option(help="Policy file (YAML).")] = DEFAULT_POLICY
    since: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First bar close, UTC.")
    ] = None
    until: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="Last bar close, UTC.")
    ] = None


@command(
    app,
    "replay",
    ReplayOptions,
    example="liqwarn replay --panel conf/panels/btc_core.yaml --data DIR --from 2024-08-01 "
    "--to 2024-08-08 --out flags.parquet",
)
def replay_command(options: ReplayOptions) -> None:
    """Run the live engine over history and write every flag it would have issued."""
    policy = load_policy(options.policy)
    with progress() as on_progress:
        study = study_of(options, on_progress)
        settings, name = load_settings(), study.market.panel.name
        bundle = with_standings(open_bundle(options.model, name, settings), name, settings)
        span = utc(options.since), utc(options.until)
        done = replay(study, bundle, policy, options.out, span=span, on_progress=on_progress)
    emit(
        {"bars": done.bars, "flags": done.flags, "out": str(options.out)},
        as_json=options.json,
        text=f"{options.out}: {done.flags} flags of {done.bars} bars, {iso_utc(done.first)} to "
        f"{iso_utc(done.last)}",
    )
