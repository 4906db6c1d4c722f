"""``liqwarn feed``: a panel's growing files to the live loop, bar by bar."""

import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import say
from liqwarn.cli.options import PanelOptions, command
from liqwarn.data.bars.producer import Producer
from liqwarn.decisions import iso_utc
from liqwarn.errors import ConfigError, SourceError
from liqwarn.pipelines.feed import FeedJob, FeedTurn, PanelFeed

__all__: list[str] = []

_TURN_S: Final = 0.5
_REFRESH_S: Final = 600.0


@dataclass(frozen=True, kw_only=True)
class FeedOptions(PanelOptions):
    """Options of ``liqwarn feed``."""

    to: Annotated[str, typer.Option(help="Where the loop listens: unix:PATH or tcp:HOST:PORT.")]
    patience_s: Annotated[
        float, typer.Option(help="Seconds after a close until a symbol is sent as it is.")
    ] = 20.0
    wait_s: Annotated[
        float, typer.Option(help="Seconds after a close before the first look; 12 of a tape.")
    ] = 0.0
    every_s: Annotated[
        float, typer.Option(help="Seconds between two looks while a bar is waited for.")
    ] = 2.0
    back: Annotated[int, typer.Option(help="Closed bars to send at the start.")] = 1
    refresh: Annotated[
        str | None,
        typer.Option(help="Command before each look, such as 'liqwarn tape tables …'; no shell."),
    ] = None
    bars: Annotated[int | None, typer.Option(help="End after so many bars [default: run on].")] = (
        None
    )


@command(
    app,
    "feed",
    FeedOptions,
    example="liqwarn feed --panel conf/panels/collected_5m.yaml --data DIR --to unix:bars.sock",
)
def feed_command(options: FeedOptions) -> None:
    """Follow a panel's files and send each bar that closes to `liqwarn serve`.

    Bars are made by the ingest and the as-of join of the batch. A symbol is sent when its core
    fields are known, or as it is when the patience ends. Runs until SIGTERM or Ctrl-C.
    """
    if options.data is None:
        raise ConfigError("--data is missing, expected the folder of the panel's files")
    job = FeedJob(
        panel=options.panel,
        data=options.data,
        store=options.store,
        patience=timedelta(seconds=options.patience_s),
        wait=timedelta(seconds=options.wait_s),
        every=timedelta(seconds=options.every_s),
        back=options.back,
    )
    producer = Producer(target_of(options.to))
    feed = PanelFeed(job, producer, now=time.time(), refresh=_refresh_of(options.refresh))
    with _until_told() as stop:
        _run(feed, producer, options, stop)
    producer.close()


def target_of(text: str) -> Path | tuple[str, int]:
    """A path or a host and port.

    Raises
    ------
    ConfigError
        For anything else.

    >>> target_of("tcp:127.0.0.1:9000")
    ('127.0.0.1', 9000)
    """
    kind, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    if kind == "unix" and rest:
        return Path(rest)
    if kind == "tcp" and host and port.isdigit():
        return host, int(port)
    raise ConfigError(f"--to is {text!r}, expected unix:PATH or tcp:HOST:PORT")


def _run(feed: PanelFeed, producer: Producer, options: FeedOptions, stop: threading.Event) -> None:
    looked, first = float("-inf"), feed.next_close
    while not stop.is_set():
        now = time.time()
        if feed.due(now) and time.monotonic() - looked >= options.every_s:
            looked = time.monotonic()
            _tell(feed.look(now), producer)
        answers = producer.turn(_TURN_S)
        for fault in answers.refused:
            say(f"refused by the loop: {fault}")
        if answers.dropped:
            say(f"{answers.dropped:,} messages given up: the loop has not been there for too long")
        done = options.bars is not None and feed.bars_since(first) >= options.bars
        if done and not producer.waiting:
            return


def _tell(turn: FeedTurn, producer: Producer) -> None:
    if turn.fault:
        say(f"files cannot be used: {turn.fault}")
    if turn.bar is not None:
        missing = turn.sent - turn.whole
        lacking = f", {missing} of them without a core field" if missing else ""
        waits = f"; {producer.waiting} wait for the loop" if producer.waiting > turn.sent else ""
        say(f"{iso_utc(turn.bar)}: {turn.sent} sent{lacking}{waits}")


def _refresh_of(text: str | None) -> Callable[[float], None] | None:
    if text is None:
        return None
    words = shlex.split(text)
    if not words:
        raise ConfigError("--refresh is empty, expected a command")

    def refresh(_: float) -> None:
        try:
            done = subprocess.run(  # noqa: S603  the operator's own command, without a shell
                words, check=False, capture_output=True, timeout=_REFRESH_S, text=True
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SourceError(f"--refresh: {error}") from error
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["no word why"]
            raise SourceError(f"--refresh ended with {done.returncode}: {last[0]}")

    return refresh


@contextmanager
def _until_told() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in numbers}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
