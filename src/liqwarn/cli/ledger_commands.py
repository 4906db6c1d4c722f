"""liqwarn ledger settle, show, verify: what became of every flag that was issued."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import ledger
from liqwarn.cli.console import emit, progress
from liqwarn.cli.model_commands import study_of
from liqwarn.cli.options import Options, PanelOptions, command
from liqwarn.config import load_panel, load_settings
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.champion import open_champion
from liqwarn.pipelines.ledger import ledger_folder, read_account, settle
from liqwarn.pipelines.ledger_verify import verify_ledger
from liqwarn.reports.ledger_text import ledger_text

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class SettleOptions(PanelOptions):
    """Options of ``liqwarn ledger settle``."""

    scores: Annotated[
        Path | None, typer.Option(help="Folder of a scoring, or of a live loop, with new flags.")
    ] = None


@command(
    ledger,
    "settle",
    SettleOptions,
    example="liqwarn ledger settle --panel conf/panels/btc_core.yaml --data DIR --scores runs/live",
)
def settle_command(options: SettleOptions) -> None:
    """Take new flags in, settle what is known by now, replace the account; again: no change."""
    settings = load_settings()
    with progress() as on_progress:
        study = study_of(options, on_progress)
        champion = open_champion(study.market.panel.name, settings)
        on_progress("settle", 0, 1)
        account = settle(study, champion, settings, scores=options.scores, now=datetime.now(UTC))
        on_progress("settle", 1, 1)
    emit(account, as_json=options.json, text=ledger_text(account))


@dataclass(frozen=True, kw_only=True)
class LedgerOptions(Options):
    """Options of ``liqwarn ledger show`` and ``verify``."""

    panel: Annotated[Path, typer.Option(help="Panel file (YAML) whose ledger it is.")]


@command(
    ledger, "show", LedgerOptions, example="liqwarn ledger show --panel conf/panels/btc_core.yaml"
)
def show_command(options: LedgerOptions) -> None:
    """Say what the last settling found: alarms, skill, misses, drift."""
    name = load_panel(options.panel).name
    account = read_account(load_settings(), name)
    if account is None:
        raise ConfigError(
            f"panel '{name}' has no ledger: `liqwarn score`, or `liqwarn ledger settle --scores "
            "FOLDER`, begins one"
        )
    emit(account, as_json=options.json, text=ledger_text(account))


@command(
    ledger,
    "verify",
    LedgerOptions,
    example="liqwarn ledger verify --panel conf/panels/btc_core.yaml",
)
def verify_command(options: LedgerOptions) -> None:
    """Check every line and part of the ledger, and the account, for edits and losses."""
    settings, name = load_settings(), load_panel(options.panel).name
    try:
        account = read_account(settings, name)
    except StoreError:
        account = None  # it is replaced whole at the next settling
    found = verify_ledger(ledger_folder(settings, name), account)
    emit(found.to_dict(), as_json=options.json, text=found.to_text())
