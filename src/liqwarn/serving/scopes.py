"""What a caller must be allowed to do, route by route: the table that authentication reads."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["OPEN", "SCOPES", "Scope"]

Scope = Literal["read", "score", "admin"]

OPEN: Final[frozenset[tuple[str, str]]] = frozenset({("GET", "/healthz")})
"""Routes that need no key: a supervisor must be able to ask whether the process lives."""

SCOPES: Final[Mapping[tuple[str, str], Scope]] = MappingProxyType(
    {
        ("GET", "/v1/flags"): "read",
        ("GET", "/v1/flags/{symbol}"): "read",
        ("GET", "/v1/flags/{symbol}/history"): "read",
        ("GET", "/v1/events"): "read",
        ("GET", "/v1/map/{symbol}"): "read",
        ("GET", "/v1/freqtrade/pairlist"): "read",
        ("GET", "/v1/stream"): "read",
        ("GET", "/v1/ws"): "read",
        ("POST", "/v1/score"): "score",
        ("GET", "/v1/orders"): "admin",
        ("POST", "/v1/orders"): "admin",
        ("GET", "/readyz"): "read",
        ("GET", "/metrics"): "read",
        ("GET", "/openapi.json"): "read",
    }
)
"""Method and path template to scope. A WebSocket's handshake counts as a GET."""
