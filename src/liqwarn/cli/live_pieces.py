"""Pieces of the live service, each from the options that speak of it."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np

from liqwarn.board.writer import BoardWriter
from liqwarn.cli.live_options import ServeOptions
from liqwarn.cli.options import DEFAULT_POLICY, utc
from liqwarn.config import load_policy
from liqwarn.data.bars.feed import Feed
from liqwarn.data.bars.file_feed import FileFeed
from liqwarn.data.bars.socket_feed import SocketFeed
from liqwarn.data.panel import Panel
from liqwarn.decisions import Flag, flag_to_dict
from liqwarn.errors import ConfigError, ModelError
from liqwarn.frames import MarketFrame
from liqwarn.policy.tiers import Policy
from liqwarn.serving.alert_sink import AlertSink
from liqwarn.serving.alerts import open_notifier
from liqwarn.serving.board_outlet import BoardOutlet
from liqwarn.serving.bundle_fit import misfit
from liqwarn.serving.bundle_watch import BundleWatch
from liqwarn.serving.bundles import BundleHolder, LoadedBundle
from liqwarn.serving.clock import Clock, SystemClock
from liqwarn.serving.listen import ListenOrder
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.ports import Publisher
from liqwarn.serving.replay_source import ReplaySource
from liqwarn.serving.tls import TlsFiles
from liqwarn.serving.webhook import WebhookSink
from liqwarn.serving.webhook_post import WebhookTarget
from liqwarn.signing import SigningKey, load_verify_keys, sign_document

__all__ = [
    "BarSource",
    "Outgoing",
    "document_by",
    "listen_order",
    "open_models",
    "open_source",
    "policy_in_force",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSource:
    """Where bars come from, by which clock, and what the engine may know before they begin.

    Attributes
    ----------
    joined : bool
        Whether the bars were joined as of already.
    begin : datetime or None
        Newest close of the history before the feed; None is all that the store has.
    """

    feed: Feed
    clock: Clock
    joined: bool
    begin: datetime | None


def open_source(options: ServeOptions, frame: Callable[[], MarketFrame]) -> BarSource:
    """The feed that ``--feed`` names.

    Parameters
    ----------
    frame : callable
        The store's history, for a replay of it.

    Raises
    ------
    ConfigError
        When it is none of the four kinds.
    """
    kind, _, rest = (options.feed or "").partition(":")
    if kind == "replay":
        return _replay(options, rest, frame())
    if kind == "file" and rest:
        feed: Feed = FileFeed(Path(rest))
    elif kind == "unix" and rest:
        feed = SocketFeed(Path(rest))
    elif kind == "tcp" and rest.rpartition(":")[2].isdigit():
        host, _, port = rest.rpartition(":")
        feed = SocketFeed((host, int(port)))
    else:
        raise ConfigError(
            f"--feed is {options.feed!r}, expected file:PATH, unix:PATH, tcp:HOST:PORT or "
            "replay[:FACTOR]"
        )
    return BarSource(feed=feed, clock=SystemClock(), joined=False, begin=None)


def _replay(options: ServeOptions, factor: str, frame: MarketFrame) -> BarSource:
    try:
        speed = float(factor or 1.0)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < 1e9:
        raise ConfigError(f"replay factor is {factor!r}, expected a number above 0")
    start = utc(options.replay_from)
    first = 1
    if start is not None:
        moment = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "s")
        first = max(1, int(np.searchsorted(frame.times, moment)))
    if first >= len(frame.times):
        raise ConfigError(f"the history ends at {frame.times[-1]}, expected bars after --from")
    before = cast("datetime", frame.times[first - 1].astype(object)).replace(tzinfo=UTC)
    source = ReplaySource(frame.between(first, len(frame.times)), factor=speed)
    return BarSource(feed=source, clock=source, joined=True, begin=before)


def open_models(
    options: ServeOptions, panel: Panel, folder: Path, watch: LoopWatch
) -> tuple[BundleHolder, BundleWatch | None]:
    """The bundle to score with, loaded; and what follows the pointer of a folder of releases.

    Raises
    ------
    ConfigError, ModelError
        When none is named, none is good, or keys are named that would not be asked.
    """
    if (options.model is None) == (options.releases is None):
        raise ConfigError("expected either --model FOLDER or --releases FOLDER")
    if (options.trust is None) != options.unsigned:
        raise ConfigError(
            "expected either --trust KEYS, or --unsigned to take bundles nobody signed"
        )
    holder = BundleHolder(
        () if options.trust is None else load_verify_keys(options.trust),
        clock=SystemClock(),
        unsigned=options.unsigned,
        fits=lambda loaded: misfit(loaded.bundle, panel),
    )
    if options.releases is not None:
        follow = BundleWatch(holder, options.releases, state=folder, clock=SystemClock())
        for verdict in follow.start():
            watch.bundle(verdict)
        return holder, follow
    verdict = holder.offer(cast("Path", options.model))
    watch.bundle(verdict)
    if not verdict.accepted:
        raise ModelError(f"{verdict.folder}: {verdict.reason}")
    return holder, None


def policy_in_force(options: ServeOptions, loaded: LoadedBundle, watch: LoopWatch) -> Policy:
    """The policy that was named, else the one the bundle was released with, else this project's.

    Raises
    ------
    PolicyError, ConfigError
        When the file that was named cannot be used.
    """
    if options.policy is None and loaded.policy is not None:
        return loaded.policy
    policy = load_policy(options.policy or DEFAULT_POLICY)
    watch.released_policy(loaded.policy, policy)
    return policy


def document_by(key: SigningKey | None) -> Callable[[Flag], Mapping[str, Any]]:
    """A flag as it is published: signed where there is a key."""

    def document(flag: Flag) -> Mapping[str, Any]:
        plain = flag_to_dict(flag)
        return plain if key is None else sign_document(plain, key)

    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is published to beside the readers in memory.

    Attributes
    ----------
    outlets : tuple of Publisher
    beats : tuple of callable
        Heartbeats.
    alerts : AlertSink or None
    """

    outlets: tuple[Publisher, ...]
    beats: tuple[Callable[[], None], ...]
    alerts: AlertSink | None

    @classmethod
    def open(
        cls,
        options: ServeOptions,
        panel: Panel,
        clock: Clock,
        metrics: ServingMetrics,
        *,
        key: SigningKey | None,
        stack: ExitStack,
    ) -> "Outgoing":
        """Everything that the options name; `stack` closes it."""
        outlets: list[Publisher] = []
        beats: list[Callable[[], None]] = []
        if options.board is not None:
            if isinstance(clock, ReplaySource):
                raise ConfigError("--board needs a live feed: a replay's flags expired long ago")
            writer = BoardWriter.create(options.board, panel.symbol_names, key=key)
            board = BoardOutlet(writer, clock=clock)
            stack.callback(board.close)
            outlets.append(board)
            beats.append(board.beat)
        outlets.append(metrics)
        for url in options.webhook or ():
            sink = WebhookSink(
                WebhookTarget(url=url),
                document=document_by(key),
                clock=clock,
                on_outcome=metrics.webhook,
            )
            stack.callback(sink.close)
            outlets.append(sink)
        alerts = None
        if options.alert:
            notify = open_notifier(options.alert)
            alerts = AlertSink(notify, clock=SystemClock(), on_outcome=metrics.alert)
            stack.callback(alerts.close)
            outlets.append(alerts)
        return cls(outlets=tuple(outlets), beats=tuple(beats), alerts=alerts)


def listen_order(options: ServeOptions) -> ListenOrder:
    """Where to listen.

    Raises
    ------
    ConfigError
        When only one of certificate and key is named.
    """
    if (options.tls_cert is None) != (options.tls_key is None):
        raise ConfigError("expected --tls-cert and --tls-key together")
    tls = None
    if options.tls_cert is not None and options.tls_key is not None:
        tls = TlsFiles(cert=options.tls_cert, key=options.tls_key, client_ca=options.client_ca)
    return ListenOrder(
        host=options.host,
        port=options.port,
        keys=options.keys,
        tls=tls,
        behind_tls_proxy=options.behind_tls_proxy,
    )
