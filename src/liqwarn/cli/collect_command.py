"""``liqwarn collect``: our own tape of what venues say."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import orjson
import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import say
from liqwarn.cli.options import Options, command
from liqwarn.data.mapping import parse_duration
from liqwarn.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from liqwarn.pipelines.collect import CollectState

__all__: list[str] = []

_EVERY_S: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class CollectOptions(Options):
    """Options of ``liqwarn collect``."""

    venues: Annotated[str, typer.Option(help="Venues, such as binance,bybit.")] = (
        "binance,bybit,okx,hyperliquid"
    )
    symbols: Annotated[str, typer.Option(help="Perpetuals, such as BTCUSDT,ETHUSDT.")]
    kinds: Annotated[
        str, typer.Option(help="What is recorded; also trade and position where a venue has them.")
    ] = "liquidation,mark,open_interest,funding,depth,candle"
    watch: Annotated[
        list[str] | None,
        typer.Option(help="Account at Hyperliquid whose positions are recorded; again for more."),
    ] = None
    liquidator: Annotated[
        list[str] | None,
        typer.Option(
            help="Account at Hyperliquid whose fills tell liquidations [default: vaults]."
        ),
    ] = None
    out: Annotated[Path | None, typer.Option(help="Folder [default: $LIQWARN_HOME/tape].")] = None
    url: Annotated[
        list[str] | None, typer.Option(help="Another socket address, venue=ws://host.")
    ] = None
    http: Annotated[
        list[str] | None, typer.Option(help="Another HTTP address, venue=http://host.")
    ] = None
    sample_s: Annotated[
        float, typer.Option(help="Seconds between two records of a field's newest value.")
    ] = 5.0
    lasts: Annotated[
        str | None, typer.Option("--for", help="End after so long, such as 30min or 1d.")
    ] = None


@command(
    app,
    "collect",
    CollectOptions,
    example="liqwarn collect --venues binance,bybit --symbols BTCUSDT,ETHUSDT --out DIR",
)
def collect_command(options: CollectOptions) -> None:
    """Record liquidations, marks, open interest, funding and depth of venues as they come.

    Runs until SIGTERM or Ctrl-C. What is acknowledged in status.json survives kill -9. Reconnects
    by itself; silence is a fault. Ends with 1 when something that came is not on the tape.
    """
    from liqwarn.collectors.venues import venues_with  # noqa: PLC0415  heavy
    from liqwarn.pipelines.collect import CollectJob, collect  # noqa: PLC0415  heavy

    watched, liquidators = options.watch or [], options.liquidator or []
    kinds = _words(options.kinds)
    job = CollectJob(
        venues=_words(options.venues),
        symbols=_words(options.symbols),
        kinds=(*kinds, "position") if watched and "position" not in kinds else kinds,
        accounts=bool(watched or liquidators),
        known=venues_with(watched=watched, liquidators=liquidators),
        out=options.out,
        sockets=_addresses("--url", options.url),
        http=_addresses("--http", options.http),
        for_s=_seconds(options.lasts),
        sample_s=options.sample_s,
    )
    done = collect(job, on_state=_Told(as_json=options.json))
    _end(done, as_json=options.json)


def _end(done: "CollectState", *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps({**done.to_dict(), "ended": True}).decode())
    else:
        typer.echo(f"{done.folder}: {done.to_line()}")
    if lost := done.lost:
        raise StoreError(f"not all is on the tape: {'; '.join(lost)}")


class _Told:
    """Tells the state every ten seconds."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._at = float("-inf")

    def __call__(self, state: "CollectState") -> None:
        now = time.monotonic()
        if now - self._at < _EVERY_S:
            return
        self._at = now
        if self._as_json:
            typer.echo(orjson.dumps(state.to_dict()).decode())
        else:
            say(state.to_line())


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _addresses(option: str, given: list[str] | None) -> dict[str, str]:
    found = {}
    for text in given or ():
        venue, sign, url = text.partition("=")
        if not sign or not url:
            raise ConfigError(f"{option} is {text!r}, expected venue=address")
        found[venue.strip()] = url.strip()
    return found


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise ConfigError(f"--for: {error}") from error
