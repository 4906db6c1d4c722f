"""liqwarn position: where one position is liquidated, warned of, and eroded by funding."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress, show
from liqwarn.cli.options import Options, command
from liqwarn.frames import Side
from liqwarn.liquidation.exposure import Contract
from liqwarn.liquidation.funding import Funding
from liqwarn.liquidation.position import Position
from liqwarn.liquidation.risk import WARNING_RATIO
from liqwarn.pipelines.market import TIER_FOLDER, MarketJob
from liqwarn.pipelines.position import (
    PositionOrder,
    draw_position,
    examine_position,
)
from liqwarn.reports.position_text import position_table

__all__: list[str] = []

_SETTLEMENTS = {"hyperliquid": 24.0}
"""Settlements a day of venues that do not settle every 8 hours."""


@dataclass(frozen=True, kw_only=True)
class PositionOptions(Options):
    """Options of ``liqwarn position``."""

    side: Annotated[Side, typer.Option(help="Side of the position.")]
    entry: Annotated[float, typer.Option(help="Average entry price, quote per coin.")]
    leverage: Annotated[
        float | None, typer.Option(help="Notional over margin at entry; or give --margin.")
    ] = None
    margin: Annotated[
        float | None,
        typer.Option(help="Isolated margin: quote units, or coins for inverse contracts."),
    ] = None
    wallet: Annotated[
        float | None,
        typer.Option(help="Cross margin: the wallet balance, in the unit of the margin."),
    ] = None
    other_maintenance: Annotated[
        float, typer.Option(help="Cross: maintenance margin of the other positions.")
    ] = 0.0
    other_pnl: Annotated[
        float, typer.Option(help="Cross: unrealised profit of the other positions.")
    ] = 0.0
    notional: Annotated[
        float | None, typer.Option(help="Value at entry, quote units [default: of one coin].")
    ] = None
    contract: Annotated[
        Contract, typer.Option(help="Margin in quote units (linear) or in coins (inverse).")
    ] = "linear"
    mmr: Annotated[
        float | None,
        typer.Option(help="Maintenance margin rate as a fraction; goes before a table."),
    ] = None
    venue: Annotated[
        str | None, typer.Option(help="Take the maintenance margin from this venue's tables.")
    ] = None
    symbol: Annotated[str | None, typer.Option(help="Perpetual, as in BTCUSDT.")] = None
    fee: Annotated[
        float | None,
        typer.Option(help="Liquidation fee rate added to the maintenance rate [default: table's]."),
    ] = None
    funding: Annotated[
        float | None,
        typer.Option(help="Funding rate a settlement, as a fraction; positive: longs pay."),
    ] = None
    settlements_per_day: Annotated[
        float | None,
        typer.Option(help="How often funding is settled [default: 24 on Hyperliquid, else 3]."),
    ] = None
    warn: Annotated[float, typer.Option(help="Margin ratio of the margin call.")] = WARNING_RATIO
    mark: Annotated[
        float | None, typer.Option(help="Price now [default: the panel's, or the entry].")
    ] = None
    chart: Annotated[
        Path | None, typer.Option(help="Draw the position: .png or .svg by its suffix.")
    ] = None
    tiers: Annotated[Path, typer.Option(help="Folder of the venues' tier tables.")] = TIER_FOLDER
    panel: Annotated[
        Path | None, typer.Option(help="Panel (YAML) for price, true range and candles.")
    ] = None
    data: Annotated[Path | None, typer.Option(help="Folder of the panel's files.")] = None
    store: Annotated[Path | None, typer.Option(help="Store folder of the panel.")] = None
    at: Annotated[
        datetime | None,
        typer.Option(help="Moment, UTC: picks the table and the bar [default: the last]."),
    ] = None

    def position(self) -> Position:
        """The position these options state."""
        if self.wallet is not None and self.margin is not None:
            raise typer.BadParameter("--wallet is for cross margin and --margin for isolated")
        return Position(
            side=self.side,
            entry=self.entry,
            notional=self.entry if self.notional is None else self.notional,
            leverage=self.leverage,
            margin=self.margin if self.wallet is None else self.wallet,
            contract=self.contract,
            mode="isolated" if self.wallet is None else "cross",
            other_maintenance=self.other_maintenance,
            other_pnl=self.other_pnl,
        )

    def order(self) -> PositionOrder:
        """Everything these options ask for."""
        settled = self.settlements_per_day or _SETTLEMENTS.get(self.venue or "", 3.0)
        job = None
        if self.panel is not None:
            job = MarketJob(panel=self.panel, data=self.data, store=self.store)
        return PositionOrder(
            position=self.position(),
            symbol=self.symbol,
            rate=self.mmr,
            venue=self.venue,
            tiers=self.tiers,
            fee_rate=self.fee,
            funding=Funding(rate=self.funding or 0.0, settlements_per_day=settled),
            warning_ratio=self.warn,
            mark=self.mark,
            clusters=self.chart is not None,
            job=job,
            at=None if self.at is None else self.at.replace(tzinfo=UTC),
        )


@command(
    app,
    "position",
    PositionOptions,
    example="liqwarn position --side long --entry 67000 --leverage 10 --venue binance "
    "--symbol BTCUSDT --notional 250000 --funding 0.0001 --chart position.png",
)
def position(options: PositionOptions) -> None:
    """Say where a position is liquidated, where it is warned of, and what funding does to it."""
    with progress() as on_progress:
        report = examine_position(options.order(), now=datetime.now(UTC), on_progress=on_progress)
    if options.chart is not None:
        draw_position(report, options.chart)
    if options.json:
        emit(report.to_dict(), as_json=True, text="")
        return
    show(position_table(report.risk, symbol=options.symbol))
    emit({}, as_json=False, text="\n".join(report.sentences()))
