"""``liqwarn quality``: how good a panel's data is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import DAY, PanelOptions, command, utc
from liqwarn.durable import write_json
from liqwarn.pipelines.market import MarketJob
from liqwarn.pipelines.quality import check_quality

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class QualityOptions(PanelOptions):
    """Options of ``liqwarn quality``."""

    against: Annotated[
        list[Path] | None,
        typer.Option(help="Panel of another venue or vendor to compare with; may be repeated."),
    ] = None
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=DAY, help="First close that counts, UTC."),
    ] = None
    out: Annotated[Path | None, typer.Option(help="Also write the account here, as JSON.")] = None


@command(
    app,
    "quality",
    QualityOptions,
    example="liqwarn quality --panel conf/panels/btc_core.yaml --data DIR --from 2024-01-01",
)
def quality(options: QualityOptions) -> None:
    """Coverage, holes, staleness and disagreement of each field of each symbol."""
    job = MarketJob(panel=options.panel, data=options.data, store=options.store)
    with progress() as on_progress:
        found = check_quality(
            job,
            against=tuple(options.against or ()),
            since=utc(options.since),
            now=datetime.now(UTC),
            on_progress=on_progress,
        )
    if options.out is not None:
        write_json(options.out, found.to_dict())
    emit(found.to_dict(), as_json=options.json, text=found.to_text())
