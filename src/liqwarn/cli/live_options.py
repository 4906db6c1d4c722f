"""What ``liqwarn serve`` can be told, and what it is made of."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.options import DAY, Options

__all__ = ["ServeOptions"]

_Maybe = Path | None


@dataclass(frozen=True, kw_only=True)
class ServeOptions(Options):
    """Options of ``liqwarn serve``."""

    scores: Annotated[
        _Maybe, typer.Option(help="Serve the flags.json of this scoring's folder, and no more.")
    ] = None
    panel: Annotated[_Maybe, typer.Option(help="Panel file: run the live loop on it.")] = None
    data: Annotated[_Maybe, typer.Option(help="Provider files to ingest before it starts.")] = None
    store: Annotated[_Maybe, typer.Option(help="Store folder [default: below LIQWARN_HOME].")] = (
        None
    )
    out: Annotated[_Maybe, typer.Option(help="Folder of the loop's record and snapshot.")] = None
    feed: Annotated[
        str | None,
        typer.Option(
            help="Closing bars: file:PATH, unix:PATH, tcp:HOST:PORT, or replay[:FACTOR] of the "
            "store's own history."
        ),
    ] = None
    replay_from: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First bar of a replay, UTC.")
    ] = None
    model: Annotated[_Maybe, typer.Option(help="One bundle folder.")] = None
    releases: Annotated[
        _Maybe, typer.Option(help="Folder of released bundles; its pointer is followed.")
    ] = None
    trust: Annotated[
        _Maybe, typer.Option(help="Public keys of who may release bundles (PEM or folder).")
    ] = None
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Take bundles that nobody signed.")
    ] = False
    policy: Annotated[
        _Maybe,
        typer.Option(help="Policy file (YAML); else the bundle's, else the shipped one."),
    ] = None
    sign: Annotated[_Maybe, typer.Option(help="Private key (PEM) that signs every flag.")] = None
    board: Annotated[_Maybe, typer.Option(help="Flag board to write, best in memory.")] = None
    retrain: Annotated[
        str | None,
        typer.Option(
            help="Retrain on this schedule, in a process of its own: cron's five fields, UTC, such "
            "as '0 3 * * 0'."
        ),
    ] = None
    retrain_key: Annotated[
        _Maybe,
        typer.Option(help="Private key (PEM) that signs what --retrain releases to --releases."),
    ] = None
    train_panel: Annotated[
        list[Path] | None,
        typer.Option(help="Further panel whose rows train with --retrain; may be repeated."),
    ] = None
    patience_s: Annotated[
        float, typer.Option(help="Seconds a bar waits for symbols that have not reported.", min=0)
    ] = 20.0
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000
    keys: Annotated[_Maybe, typer.Option(help="File of API keys; see liqwarn keys.")] = None
    tls_cert: Annotated[_Maybe, typer.Option(help="Certificate (PEM).")] = None
    tls_key: Annotated[_Maybe, typer.Option(help="Its private key (PEM).")] = None
    client_ca: Annotated[_Maybe, typer.Option(help="Authorities of client certificates (PEM).")] = (
        None
    )
    behind_tls_proxy: Annotated[
        bool, typer.Option("--behind-tls-proxy", help="A proxy on this machine speaks TLS.")
    ] = False
    webhook: Annotated[list[str] | None, typer.Option(help="URL that flags are posted to.")] = None
    alert: Annotated[
        list[str] | None, typer.Option(help="Address of alerts, as apprise knows them.")
    ] = None
