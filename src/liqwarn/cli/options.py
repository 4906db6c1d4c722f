"""Options as data: a frozen dataclass a command, turned into Typer options by its annotations.

A command then takes one argument, and options shared by commands are inherited, not repeated.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_type_hints

import typer

from liqwarn.errors import LiqwarnError

__all__ = [
    "DAY",
    "DEFAULT_POLICY",
    "Options",
    "PanelOptions",
    "StoreOptions",
    "command",
    "utc",
]

DEFAULT_POLICY: Final = Path("conf/policy.yaml")
DAY: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]

O = TypeVar("O", bound="Options")  # noqa: E741  the one letter that says "options"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every command takes."""

    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = (
        False
    )


@dataclass(frozen=True, kw_only=True)
class StoreOptions(Options):
    """Where a panel's files are, and what was read of them."""

    data: Annotated[
        Path | None,
        typer.Option(help="Folder of provider files; without it only the store is read."),
    ] = None
    store: Annotated[
        Path | None, typer.Option(help="Store folder [default: $LIQWARN_HOME/store/PANEL].")
    ] = None


@dataclass(frozen=True, kw_only=True)
class PanelOptions(StoreOptions):
    """What every command over market data takes."""

    panel: Annotated[Path, typer.Option(help="Panel file (YAML): which files fill which fields.")]


def utc(day: datetime | None) -> datetime | None:
    """A date from the command line, in UTC."""
    return None if day is None else day.replace(tzinfo=UTC)


def _entry(run: Callable[[O], None], options: type[O]) -> Callable[..., None]:
    hints = get_type_hints(options, include_extras=True)

    def entry(**given: Any) -> None:  # noqa: ANN401  Typer has checked them against the hints
        chosen = options(**given)
        try:
            run(chosen)
        except (LiqwarnError, OSError) as error:
            typer.echo(f"liqwarn: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(1) from error

    parameters = [
        inspect.Parameter(
            f.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[f.name],
            default=inspect.Parameter.empty if f.default is MISSING else f.default,
        )
        for f in fields(options)
    ]
    entry.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    entry.__annotations__ = {name: hints[name] for name in (f.name for f in fields(options))}
    return entry


def command(
    app: typer.Typer, name: str, options: type[O], *, example: str
) -> Callable[[Callable[[O], None]], Callable[[O], None]]:
    """Register ``run(options)`` as a command.

    Exit code 0 only on success; 1 with a one-line reason on standard error for anything liqwarn
    refuses; 2 for usage (Typer's own).
    """

    def register(run: Callable[[O], None]) -> Callable[[O], None]:
        app.command(name, help=run.__doc__, epilog=f"Example: {example}")(_entry(run, options))
        return run

    return register
