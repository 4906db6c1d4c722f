"""liqwarn explain: why the flags stand where they stand, signal by signal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit
from liqwarn.cli.options import Options, command
from liqwarn.frames import Side
from liqwarn.pipelines.explain import read_boards
from liqwarn.reports.signal_content import document_of
from liqwarn.reports.signal_text import board_text

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(Options):
    """Options of ``liqwarn explain``."""

    scores: Annotated[Path, typer.Option(help="Folder of a scoring.")]
    symbol: Annotated[str | None, typer.Option(help="Perpetual, as in BTCUSDT [default: all].")] = (
        None
    )
    side: Annotated[Side | None, typer.Option(help="Side that is at risk [default: both].")] = None


@command(
    app,
    "explain",
    ExplainOptions,
    example="liqwarn explain --scores runs/scoring --symbol BTCUSDT --side long",
)
def explain_command(options: ExplainOptions) -> None:
    """Show the signals behind the latest flags: value, percentile, direction, contribution."""
    signals = read_boards(options.scores, symbol=options.symbol, side=options.side)
    emit(
        document_of(signals.boards, generated_at=signals.generated_at, market=signals.market),
        as_json=options.json,
        text="\n\n".join(board_text(board) for board in signals.boards),
    )
