"""What a caller must be allowed to do, route by route: the table that authentication reads."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["OPEN", "SCOPES", "Scope", "scope_of"]

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
        ("GET", "/v1/stream"): "read",
        ("GET", "/v1/ws"): "read",
        ("POST", "/v1/score"): "score",
        ("GET", "/readyz"): "read",
        ("GET", "/metrics"): "read",
        ("GET", "/openapi.json"): "read",
    }
)
"""Method and path template to scope. A WebSocket's handshake counts as a GET."""


def scope_of(method: str, path: str) -> Scope | None:
    """What a request needs; None when it needs nothing.

    What no route answers needs ``read`` as well: without a key nobody learns which paths exist.

    Examples
    --------
    >>> scope_of("GET", "/v1/flags/BTCUSDT/history"), scope_of("POST", "/v1/score")
    ('read', 'score')
    >>> scope_of("GET", "/healthz") is None
    True
    >>> scope_of("DELETE", "/nowhere")
    'read'
    """
    if (method, path) in OPEN:
        return None
    asked = path.split("/")
    for (known, template), scope in SCOPES.items():
        if known == method and _fits(template.split("/"), asked):
            return scope
    return "read"


def _fits(template: list[str], asked: list[str]) -> bool:
    return len(template) == len(asked) and all(
        part.startswith("{") or part == found for part, found in zip(template, asked, strict=True)
    )
