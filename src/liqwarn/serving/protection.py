"""Everything in front of the application, in the order in which a request meets it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp

from liqwarn.serving.auth import Authentication, AuthRules
from liqwarn.serving.call_limits import CallLimits, CallRules
from liqwarn.serving.clock import Clock
from liqwarn.serving.http_protocol import BoundedProtocol
from liqwarn.serving.key_file import KeyRing
from liqwarn.serving.logs import get_logger
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.rate_limit import Rate, TokenBuckets
from liqwarn.serving.refusals import OnRefusal
from liqwarn.serving.request_limits import RequestLimits, RequestSizes
from liqwarn.serving.route_scopes import RouteScopes

__all__ = ["ProtectionRules", "listen_options", "protect", "tell_refusals"]

_LOG = get_logger("http")

_MAX_CONNECTIONS: Final = 1_000
_MAX_WEBSOCKET_MESSAGE: Final = 4 << 10  # nobody has anything to say there


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionRules:
    """What callers are held to.

    Attributes
    ----------
    calls : Rate
        Of each key.
    failures : Rate
        Of each address without a good key.
    streams : int
        Most streams of one key at once.
    sizes : RequestSizes
    """

    calls: Rate = field(default_factory=lambda: Rate(per_s=200.0, burst=400))
    failures: Rate = field(default_factory=lambda: Rate(per_s=0.5, burst=20))
    streams: int = 8
    sizes: RequestSizes = field(default_factory=RequestSizes)


def protect(
    app: ASGIApp,
    *,
    ring: KeyRing | None,
    routes: RouteScopes,
    clock: Clock,
    on_refusal: OnRefusal,
    rules: ProtectionRules | None = None,
) -> ASGIApp:
    """The application behind its limits, and behind its keys where there are any.

    Parameters
    ----------
    ring : KeyRing or None
        None asks nobody for a key, counts nobody's calls, and is for loopback alone.
    routes : RouteScopes
    clock : Clock
    on_refusal : callable
        Told of every refusal, its reason one of a small set of words.
    """
    held = rules or ProtectionRules()
    limited: ASGIApp = RequestLimits(app, held.sizes, on_refusal)
    if ring is None:
        return limited
    calls = CallRules(
        calls=TokenBuckets(held.calls, monotonic=clock.monotonic),
        streams=held.streams,
        still_good=_still_good(ring, clock),
        on_refusal=on_refusal,
    )
    checks = AuthRules(
        ring=ring,
        routes=routes,
        clock=clock,
        failures=TokenBuckets(held.failures, monotonic=clock.monotonic),
        on_refusal=on_refusal,
    )
    return Authentication(CallLimits(limited, calls), checks)


def tell_refusals(metrics: ServingMetrics) -> OnRefusal:
    """Log and count every refusal, for :func:`protect`."""

    def told(reason: str, who: str) -> None:
        metrics.refusal(reason)
        _LOG.warning("request refused", reason=reason, who=who)

    return told


def _still_good(ring: KeyRing, clock: Clock) -> Callable[[str], bool]:
    def still_good(key_id: str) -> bool:
        key = ring.current().keys.get(key_id)
        return key is not None and key.refusal(clock.wall()) is None

    return still_good


def listen_options(*, behind_tls_proxy: bool = False) -> dict[str, Any]:
    """What ``uvicorn.Config`` is given beside the address and TLS: its own bounds, and silence.

    Parameters
    ----------
    behind_tls_proxy : bool
        Whether to believe a proxy on this machine about the client's address. Else nobody is
        believed.
    """
    return {
        "http": BoundedProtocol,
        "limit_concurrency": _MAX_CONNECTIONS,
        "timeout_graceful_shutdown": 3,
        "ws_max_size": _MAX_WEBSOCKET_MESSAGE,
        "ws_max_queue": 4,
        "ws_per_message_deflate": False,
        "proxy_headers": behind_tls_proxy,
        "forwarded_allow_ips": ["127.0.0.1", "::1"] if behind_tls_proxy else [],
        "server_header": False,
        "access_log": False,
        "log_config": None,
    }
