"""liqwarn promote, liqwarn rollback, liqwarn audit models: the champion moved by hand, and checked.

Scoring takes the registry's champion at its next run. A server takes what its folder of releases
points at, so a move reaches it only when the champion is released there, too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app, audit
from liqwarn.cli.champion_release import release_champion
from liqwarn.cli.console import emit
from liqwarn.cli.options import DEFAULT_POLICY, Options, command
from liqwarn.config import load_panel, load_settings
from liqwarn.errors import AuditError
from liqwarn.models.alias_history import AliasHistory
from liqwarn.models.registry import CHAMPION, Registry
from liqwarn.pipelines.alias_moves import (
    Mandate,
    Moved,
    audited,
    history_of,
    promote,
    rollback,
)
from liqwarn.pipelines.champion import registry_of

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class MoveOptions(Options):
    """What both moves by hand take."""

    panel: Annotated[Path, typer.Option(help="Panel file (YAML) whose model it is.")]
    reason: Annotated[str, typer.Option(help="Why; it is kept in the history.")]
    by: Annotated[str, typer.Option(help="Name of who decides.")]
    release: Annotated[
        Path | None, typer.Option(help="Release the champion here, too: the folder servers watch.")
    ] = None
    key: Annotated[
        Path | None, typer.Option(help="Private key to sign the release with (PEM, mode 0600).")
    ] = None
    policy: Annotated[Path, typer.Option(help="Policy file (YAML) to release it with.")] = (
        DEFAULT_POLICY
    )


@dataclass(frozen=True, kw_only=True)
class PromoteOptions(MoveOptions):
    """Options of ``liqwarn promote``."""

    version: Annotated[str, typer.Argument(help="Version in the registry.")]


@command(
    app,
    "promote",
    PromoteOptions,
    example="liqwarn promote --panel conf/panels/btc_core.yaml 12 --reason drift --by Ada",
)
def promote_command(options: PromoteOptions) -> None:
    """Make a version of the registry champion, by hand and on the record."""
    mandate = _mandate(options, "promote")
    registry, history = _opened(options.panel)
    _tell(options, registry, promote(registry, history, options.version, mandate))


@command(
    app,
    "rollback",
    MoveOptions,
    example="liqwarn rollback --panel conf/panels/btc_core.yaml --reason misses --by Ada",
)
def rollback_command(options: MoveOptions) -> None:
    """Make the champion before this one champion again, by hand and on the record."""
    mandate = _mandate(options, "rollback")
    registry, history = _opened(options.panel)
    _tell(options, registry, rollback(registry, history, mandate))


@dataclass(frozen=True, kw_only=True)
class AuditModelsOptions(Options):
    """Options of ``liqwarn audit models``."""

    panel: Annotated[Path, typer.Option(help="Panel file (YAML) whose models they are.")]


@command(
    audit,
    "models",
    AuditModelsOptions,
    example="liqwarn audit models --panel conf/panels/btc_core.yaml",
)
def audit_models(options: AuditModelsOptions) -> None:
    """Check the history of champion and challenger: any edit, and any move made past it."""
    registry, history = _opened(options.panel)
    moves, found = audited(registry, history, datetime.now(UTC))
    done = [one.move for one in moves if one.state == "done" and one.move.alias == CHAMPION]
    known = done[-1].after if done else None
    if known != found:
        raise AuditError(
            f"{registry.name}: champion is version {found or 'none'}, the history in {history.log} "
            f"ends with {known or 'none'}: it was moved past liqwarn"
        )
    lines = [
        f"{one.at}  {one.before or 'none'} to {one.after}  {one.action} by {one.by}: {one.reason}"
        for one in done
    ]
    emit(
        {"champion": found, "moves": len(moves), "champions": lines},
        as_json=options.json,
        text="\n".join([*lines, _whole(len(moves), found)]),
    )


def _whole(moves: int, champion: str | None) -> str:
    told = "1 move" if moves == 1 else f"{moves} moves"
    return f"{told}, unbroken; {f'champion is version {champion}' if champion else 'no champion'}"


def _opened(panel: Path) -> tuple[Registry, AliasHistory]:
    settings, name = load_settings(), load_panel(panel).name
    return registry_of(name, settings), history_of(name, settings)


def _mandate(options: MoveOptions, action: str) -> Mandate:
    for name, given in (("--reason", options.reason), ("--by", options.by)):
        if not given.strip():
            raise typer.BadParameter(f"{name} is empty, expected words")
    if (options.release is None) != (options.key is None):
        raise typer.BadParameter("--release and --key go together: a release is signed")
    return Mandate(action=action, reason=options.reason, by=options.by, now=datetime.now(UTC))


def _tell(options: MoveOptions, registry: Registry, moved: Moved) -> None:
    found, text = moved.to_dict(), moved.to_text()
    if options.release is not None and options.key is not None:
        what = moved.champion, options.policy
        folder = release_champion(options.release, options.key, registry, what)
        found["release"] = str(folder)
        text += f"\nreleased {folder}"
    else:
        text += (
            "\nscoring takes it at its next run; servers take what is released to them: the same "
            "command with --release FOLDER --key KEY does it"
        )
    emit(found, as_json=options.json, text=text)
