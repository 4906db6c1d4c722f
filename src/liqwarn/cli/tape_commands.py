"""``liqwarn tape``: what was recorded, as tables, and liquidations of all venues as one series."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import DAY, Options, PanelOptions, command, utc
from liqwarn.config import load_settings
from liqwarn.data.mapping import parse_duration
from liqwarn.errors import ConfigError
from liqwarn.reports.tape_text import across_venues_text, completeness_text, tape_days_text

__all__: list[str] = []

_tapes = typer.Typer(
    help="Make tables of what liqwarn collect recorded, and show them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(_tapes, name="tape")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _tables(given: Path | None) -> Path:
    return given or load_settings().home / "tape-tables"


@dataclass(frozen=True, kw_only=True)
class TablesOptions(Options):
    """Options of ``liqwarn tape tables``."""

    symbols: Annotated[str, typer.Option(help="Those that collect was asked for.")]
    venues: Annotated[str | None, typer.Option(help="Venues [default: all with a tape].")] = None
    kinds: Annotated[
        str | None, typer.Option(help="As collect was asked for [default: as its default].")
    ] = None
    tape: Annotated[Path | None, typer.Option(help="Folder [default: $LIQWARN_HOME/tape].")] = None
    out: Annotated[
        Path | None, typer.Option(help="Folder [default: $LIQWARN_HOME/tape-tables].")
    ] = None
    again: Annotated[
        bool, typer.Option("--again", help="Make finished days anew, as after a mended reader.")
    ] = False


@command(
    _tapes,
    "tables",
    TablesOptions,
    example="liqwarn tape tables --symbols BTCUSDT,ETHUSDT --out DIR",
)
def tables(options: TablesOptions) -> None:
    """Bring the minute tables up to the tapes, by venue, symbol and day.

    Run it again at any time: finished days are not read again, the running one is written anew.
    """
    from liqwarn.collectors.venues import TAPED  # noqa: PLC0415  heavy
    from liqwarn.pipelines.tape_tables import (  # noqa: PLC0415  heavy
        TapeTablesJob,
        kinds_of,
        make_tape_tables,
    )

    tape = options.tape or load_settings().home / "tape"
    named = sorted(path.name for path in tape.glob("*") if path.is_dir() and path.name in TAPED)
    wanted = _words(options.venues) if options.venues is not None else tuple(named)
    unknown = sorted(set(wanted) - set(TAPED))
    if unknown or not wanted:
        raise ConfigError(
            f"venues are {', '.join(unknown) or 'none'}, expected of {', '.join(TAPED)} with a "
            f"tape below {tape}: record one with liqwarn collect, or name its folder with --tape"
        )
    done = []
    with progress() as on_progress:
        for name in wanted:
            job = TapeTablesJob(
                tape=tape,
                venue=TAPED[name],
                symbols=_words(options.symbols),
                kinds=kinds_of(TAPED[name], _words(options.kinds) if options.kinds else ()),
                out=_tables(options.out),
                again=options.again,
            )
            done.append(make_tape_tables(job, on_progress=on_progress))
    emit(
        {"out": str(_tables(options.out)), "venues": [one.to_dict() for one in done]},
        as_json=options.json,
        text="\n".join(one.to_text() for one in done),
    )


@dataclass(frozen=True, kw_only=True)
class ShownOptions(Options):
    """Where the tables are."""

    tables: Annotated[
        Path | None, typer.Option(help="Folder [default: $LIQWARN_HOME/tape-tables].")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ShowOptions(ShownOptions):
    """Options of ``liqwarn tape show``."""

    venue: Annotated[str | None, typer.Option(help="Only of this venue.")] = None
    symbol: Annotated[str | None, typer.Option(help="Only of this symbol.")] = None


@command(_tapes, "show", ShowOptions, example="liqwarn tape show --venue binance")
def show(options: ShowOptions) -> None:
    """Say how much of each day was listened to, and what was told."""
    from liqwarn.pipelines.tape_show import tape_days  # noqa: PLC0415  heavy

    days = tape_days(_tables(options.tables), venue=options.venue, symbol=options.symbol)
    emit({"days": days}, as_json=options.json, text=tape_days_text(days))


@dataclass(frozen=True, kw_only=True)
class LiquidationOptions(ShownOptions):
    """Options of ``liqwarn tape liquidations``."""

    symbol: Annotated[str, typer.Option(help="Perpetual, as in BTCUSDT.")]
    venues: Annotated[str, typer.Option(help="Venues [default: all with tables].")] = ""
    bar: Annotated[str, typer.Option(help="Whole minutes: 1min, 5min, 1h, 1d.")] = "1h"
    since: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="Bars that end later, UTC.")
    ] = None
    until: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="The last bar's end, UTC.")
    ] = None
    least_covered: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of a bar a venue must have heard.")
    ] = 0.95
    out: Annotated[
        Path | None, typer.Option(help="Write it: .png, .svg, .csv, .parquet or .json.")
    ] = None


@command(
    _tapes,
    "liquidations",
    LiquidationOptions,
    example="liqwarn tape liquidations --symbol BTCUSDT --bar 1h --out btc.png",
)
def liquidations(options: LiquidationOptions) -> None:
    """Liquidations of all venues as one series: longs, shorts, net, and who is missing."""
    from liqwarn.pipelines.tape_show import (  # noqa: PLC0415  heavy
        SeriesJob,
        liquidations_across_venues,
        series_rows,
        write_series,
    )

    try:
        bar = parse_duration(options.bar)
    except ValueError as error:
        raise ConfigError(f"--bar: {error}") from error
    job = SeriesJob(
        tables=_tables(options.tables),
        symbol=options.symbol,
        venues=_words(options.venues),
        bar=bar,
        since=utc(options.since),
        until=utc(options.until),
        least_covered=options.least_covered,
    )
    series = liquidations_across_venues(job)
    if options.out is not None:
        write_series(series, options.out, title=f"{options.symbol}: liquidations told")
    emit(
        {"symbol": options.symbol, "bars": series_rows(series)},
        as_json=options.json,
        text=across_venues_text(series),
    )


@command(
    _tapes,
    "completeness",
    PanelOptions,
    example="liqwarn tape completeness --panel conf/panels/collected_1h.yaml --data DIR",
)
def completeness(options: PanelOptions) -> None:
    """Bound how much of the liquidations a panel's feed tells, by the fall of open interest."""
    from liqwarn.pipelines.market import MarketJob, open_market  # noqa: PLC0415  heavy
    from liqwarn.pipelines.tape_completeness import feed_completeness  # noqa: PLC0415  heavy

    job = MarketJob(panel=options.panel, data=options.data, store=options.store)
    with progress() as on_progress:
        market = open_market(job, now=datetime.now(UTC), on_progress=on_progress)
    document = feed_completeness(market)
    emit(document, as_json=options.json, text=completeness_text(document))
