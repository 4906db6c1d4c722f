"""liqwarn ledger standings, liqwarn ledger enable: who is not scored, and ending it by hand."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import ledger
from liqwarn.cli.console import emit
from liqwarn.cli.options import Options, command
from liqwarn.config import load_panel, load_settings
from liqwarn.decisions import iso_utc
from liqwarn.models.skill_floor import Standing
from liqwarn.pipelines.standings import enable_symbol, read_standings

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class StandingsOptions(Options):
    """Options of ``liqwarn ledger standings``."""

    panel: Annotated[Path, typer.Option(help="Panel file (YAML) whose symbols they are.")]


@command(
    ledger,
    "standings",
    StandingsOptions,
    example="liqwarn ledger standings --panel conf/panels/majors.yaml",
)
def standings_command(options: StandingsOptions) -> None:
    """Say which symbols are scored, and why the others are not."""
    found = read_standings(load_settings(), load_panel(options.panel).name)
    emit(
        {"standings": [_plain(symbol, one) for symbol, one in found.items()]},
        as_json=options.json,
        text="\n".join(_line(symbol, one) for symbol, one in found.items())
        or "nothing was judged yet: every symbol is scored",
    )


@dataclass(frozen=True, kw_only=True)
class EnableOptions(StandingsOptions):
    """Options of ``liqwarn ledger enable``."""

    symbol: Annotated[str, typer.Argument(help="Symbol that is to be scored again.")]
    by: Annotated[str, typer.Option(help="Name of who decides.")]
    reason: Annotated[str, typer.Option(help="Why; it is kept in the log of standings.")]


@command(
    ledger,
    "enable",
    EnableOptions,
    example="liqwarn ledger enable --panel conf/panels/majors.yaml SOLUSDT --by Ada "
    '--reason "the feed was wrong"',
)
def enable_command(options: EnableOptions) -> None:
    """Have a disabled symbol scored again, on the record, until the next champion is judged."""
    for name, given in (("--reason", options.reason), ("--by", options.by)):
        if not given.strip():
            raise typer.BadParameter(f"{name} is empty, expected words")
    done = enable_symbol(
        load_panel(options.panel).name,
        options.symbol,
        load_settings(),
        by=options.by,
        reason=options.reason,
        now=datetime.now(UTC),
    )
    emit(
        {"changed": done.changed, **_plain(options.symbol, done.standing)},
        as_json=options.json,
        text=_line(options.symbol, done.standing)
        + ("" if done.changed else "\nit is scored already: nothing was changed"),
    )


def _plain(symbol: str, one: Standing) -> dict[str, object]:
    return {"symbol": symbol, **asdict(one), "since": iso_utc(one.since)}


def _line(symbol: str, one: Standing) -> str:
    state = "scored" if one.enabled else "NOT SCORED"
    why = f": {one.reason}" if one.reason else ""
    return f"{symbol}  {state} since {one.since:%Y-%m-%d %H:%M} by model {one.champion}{why}"
