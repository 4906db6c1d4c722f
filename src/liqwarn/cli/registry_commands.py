"""Commands over the model registry: copy it into another store, clean it up."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import Options, command
from liqwarn.config import load_panel, load_settings
from liqwarn.errors import ConfigError
from liqwarn.models.registry_copy import panels_of
from liqwarn.models.registry_gc import CleanUpOrder, clean_up
from liqwarn.models.registry_store import Store
from liqwarn.pipelines.alias_moves import history_of, still_needed
from liqwarn.pipelines.champion import registry_of
from liqwarn.pipelines.model_copy import copy_models

__all__: list[str] = []

models = typer.Typer(
    help="Move registered models between stores.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(models, name="models")


@dataclass(frozen=True, kw_only=True)
class CopyOptions(Options):
    """Options of ``liqwarn models copy``."""

    source: Annotated[
        str | None, typer.Option("--from", help="Store to read [default: $LIQWARN_MLFLOW_URI].")
    ] = None
    target: Annotated[
        str | None, typer.Option("--to", help="Store to write [default: $LIQWARN_MLFLOW_URI].")
    ] = None


@command(models, "copy", CopyOptions, example="liqwarn models copy --from sqlite:////srv/mlflow.db")
def copy_command(options: CopyOptions) -> None:
    """Copy all runs, versions, aliases and files of liqwarn into another store.

    Interrupted or given again, it copies what is not there yet; aliases move on the record when the
    store is that of LIQWARN_MLFLOW_URI. A store with a password belongs in
    LIQWARN_MLFLOW_URI: other users of the machine can read a command line.
    """
    settings = load_settings()
    uris = options.source or settings.mlflow_uri, options.target or settings.mlflow_uri
    if Store(uris[0]).uri == Store(uris[1]).uri:
        raise ConfigError(f"--from and --to are both {Store(uris[0]).told}: expected two stores")
    now = datetime.now(UTC)
    with progress() as on_progress:
        done = [
            copy_models(panel, uris, settings, now=now, on_progress=on_progress)
            for panel in panels_of(Store(uris[0]))
        ]
    if not done:
        raise ConfigError(f"{Store(uris[0]).told} holds nothing of liqwarn")
    emit(
        {"copied": [one.to_dict() for one in done]},
        as_json=options.json,
        text="\n".join(one.to_text() for one in done),
    )


@dataclass(frozen=True, kw_only=True)
class GcOptions(Options):
    """Options of ``liqwarn gc``."""

    panel: Annotated[Path, typer.Option(help="Panel file (YAML) whose models are cleaned up.")]
    older_than: Annotated[int, typer.Option(help="Days; nothing younger goes.", min=0)] = 90
    keep: Annotated[
        int, typer.Option(help="Newest versions, and newest other runs, that stay.", min=0)
    ] = 10
    delete: Annotated[bool, typer.Option("--delete", help="Delete it; else it is told only.")] = (
        False
    )


@command(
    app, "gc", GcOptions, example="liqwarn gc --panel conf/panels/btc_core.yaml --older-than 180"
)
def gc_command(options: GcOptions) -> None:
    """Tell which old versions and runs of MLflow would go with their files, or delete them.

    The champion, the challenger and the champion before it stay, whatever their age, and so does
    the version that `liqwarn rollback` would go to. While the model is retrained nothing goes.
    """
    settings, panel = load_settings(), load_panel(options.panel).name
    registry, history = registry_of(panel, settings), history_of(panel, settings)
    order = CleanUpOrder(
        older_than=timedelta(days=options.older_than),
        keep=options.keep,
        dry_run=not options.delete,
    )
    with progress() as on_progress:
        done = clean_up(
            registry,
            order,
            now=datetime.now(UTC),
            spared=lambda: still_needed(registry, history),
            on_progress=on_progress,
        )
    hint = "" if options.delete else ": --delete does it"
    emit(done.to_dict(), as_json=options.json, text=done.to_text() + hint)
