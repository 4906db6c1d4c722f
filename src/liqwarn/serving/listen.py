"""A server of an application: where it listens, who is let in, and what is counted on the way."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from liqwarn.serving.bind import check_bind
from liqwarn.serving.clock import Clock
from liqwarn.serving.key_file import KeyRing
from liqwarn.serving.logs import lost_lines
from liqwarn.serving.measured import Measured
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.own_names import OwnNames
from liqwarn.serving.protection import ProtectionRules, listen_options, protect, tell_refusals
from liqwarn.serving.push_hub import PushHub
from liqwarn.serving.route_scopes import served_routes
from liqwarn.serving.server import FlagServer
from liqwarn.serving.tls import TlsFiles, tls_options

__all__ = ["ListenOrder", "make_listener"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOrder:
    """Where to listen and whom to let in.

    Attributes
    ----------
    host, port
        Loopback unless there are keys, and TLS or a proxy that speaks it.
    keys : Path or None
        File of API keys; None asks nobody for one.
    tls : TlsFiles or None
    behind_tls_proxy : bool
        Whether a proxy on this machine speaks TLS in front of the server.
    rules : ProtectionRules
    """

    host: str = "127.0.0.1"
    port: int = 8000
    keys: Path | None = None
    tls: TlsFiles | None = None
    behind_tls_proxy: bool = False
    rules: ProtectionRules = field(default_factory=ProtectionRules)


def make_listener(
    app: FastAPI, order: ListenOrder, *, clock: Clock, metrics: ServingMetrics
) -> FlagServer:
    """The server, not yet started.

    Parameters
    ----------
    app : FastAPI
        Of :func:`liqwarn.serving.app.create_app`.
    order : ListenOrder
    clock : Clock
    metrics : ServingMetrics
        Told of every request and refusal.

    Raises
    ------
    ConfigError
        When the address is public without keys or TLS, or a file of keys or certificates is not
        as it must be.
    """
    auth, tls = order.keys is not None, order.tls is not None
    check_bind(order.host, order.port, auth=auth, tls=tls, behind_tls_proxy=order.behind_tls_proxy)
    hub: PushHub = app.state.hub
    routes = served_routes()
    ring = KeyRing(order.keys) if order.keys is not None else None
    guarded = protect(
        app if auth else OwnNames(app, [order.host]),
        ring=ring,
        routes=routes,
        clock=clock,
        on_refusal=tell_refusals(metrics),
        rules=order.rules,
    )
    metrics.before_render(lambda: _look(metrics, ring, hub))
    sealed: dict[str, Any] = tls_options(order.tls) if order.tls is not None else {}
    options = listen_options(behind_tls_proxy=order.behind_tls_proxy) | sealed
    measured = Measured(guarded, metrics, routes, clock)
    config = uvicorn.Config(measured, host=order.host, port=order.port, **options)
    return FlagServer(config, hub=hub)


def _look(metrics: ServingMetrics, ring: KeyRing | None, hub: PushHub) -> None:
    metrics.log_lines_lost(lost_lines())
    metrics.streams(hub.listeners, hub.too_slow)
    if ring is not None:
        ring.current()
        metrics.key_file_fault(ring.fault)
