"""``liqwarn panel``: what a panel's files show, before anything is read into a store."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit
from liqwarn.cli.options import Options, command
from liqwarn.config import load_panel, load_settings
from liqwarn.data.inspection.check_text import check_text
from liqwarn.data.inspection.panel_check import check_panel
from liqwarn.data.inspection.reading import Limits
from liqwarn.data.queries import DataPlace
from liqwarn.errors import ConfigError

__all__: list[str] = []

_panels = typer.Typer(
    help="Check a panel and its files before they are ingested.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(_panels, name="panel")


@dataclass(frozen=True, kw_only=True)
class CheckOptions(Options):
    """Options of ``liqwarn panel check``."""

    file: Annotated[Path, typer.Argument(help="Panel file (YAML).")]
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of provider files [default: the panel file's folder]."),
    ] = None
    rows: Annotated[
        int, typer.Option(min=10, help="Rows looked at from each end of a larger file.")
    ] = 50_000


@command(
    _panels,
    "check",
    CheckOptions,
    example="liqwarn panel check conf/panels/btc_core.yaml --data DIR",
)
def check(options: CheckOptions) -> None:
    """Show the first rows as read, the lags, and every doubt; write nothing.

    Ends with 1 when something is surely wrong, with 0 when there are only doubts. Of each source
    and symbol the first and last file are read.
    """
    panel = load_panel(options.file)
    data = options.file.parent if options.data is None else options.data
    if not data.is_dir():
        raise ConfigError(f"{data}: no such folder, expected the provider files in it")
    place = DataPlace(folder=data, databases=load_settings().databases)
    found = check_panel(panel, place, Limits(now=datetime.now(UTC), most=options.rows))
    emit(found.to_dict(), as_json=options.json, text=check_text(found))
    if found.is_wrong:
        raise typer.Exit(1)
