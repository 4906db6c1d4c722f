"""Commands over the model registry: copy it into another store, clean it up."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import Options, command
from liqwarn.config import load_panel, load_settings
from liqwarn.errors import ConfigError
from liqwarn.models.registry_copy import copy_registry, panels_of
from liqwarn.models.registry_gc import CleanUpOrder, clean_up
from liqwarn.models.registry_store import Store
from liqwarn.pipelines.alias_moves import history_of
from liqwarn.pipelines.champion import registry_of

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

    Interrupted or given again, it copies what is not there yet. A store with a password belongs in
    LIQWARN_MLFLOW_URI: other users of the machine can read a command line.
    """
    settings = load_settings()
    uris = [options.source or settings.mlflow_uri, options.target or settings.mlflow_uri]
    if Store(uris[0]).uri == Store(uris[1]).uri:
        raise ConfigError(f"--from and --to are both {Store(uris[0]).told}: expected two stores")
    done = []
    with progress() as on_progress:
        for panel in panels_of(Store(uris[0])):
            source, target = (registry_of(panel, replace(settings, mlflow_uri=u)) for u in uris)
            done.append(copy_registry(source, target, on_progress=on_progress))
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, only.")] = False


@command(app, "gc", GcOptions, example="liqwarn gc --panel conf/panels/btc_core.yaml --dry-run")
def gc_command(options: GcOptions) -> None:
    """Delete old versions and runs of MLflow with their files.

    The champion, the challenger and the champion before it stay, whatever their age, and so does
    the version that `liqwarn rollback` would go to.
    """
    settings, panel = load_settings(), load_panel(options.panel).name
    registry = registry_of(panel, settings)
    earlier = history_of(panel, settings).earlier_champion(registry.champion() or "")
    order = CleanUpOrder(
        older_than=timedelta(days=options.older_than),
        keep=options.keep,
        dry_run=options.dry_run,
        spare=frozenset() if earlier is None else frozenset({earlier}),
    )
    with progress() as on_progress:
        done = clean_up(registry, order, now=datetime.now(UTC), on_progress=on_progress)
    emit(done.to_dict(), as_json=options.json, text=done.to_text())
