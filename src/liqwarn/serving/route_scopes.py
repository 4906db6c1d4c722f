"""Which scope a request needs, from the table of routes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from liqwarn.serving.scopes import OPEN, SCOPES

__all__ = ["OTHER", "Route", "RouteScopes", "served_routes"]

OTHER: Final = "other"
"""The route of every request that is in no table: one label, however many paths are tried."""

_MOST_KNOWN: Final = 4_096
_LONGEST_KNOWN: Final = 256
"""Characters of a path that is remembered: a stranger may send thousands of 32 KiB."""
_PARAMETER: Final = re.compile(r"\{(\w+)(:path)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a request asks for.

    Attributes
    ----------
    template : str
        Path with its parameters by name, such as ``/v1/flags/{symbol}``; `OTHER` when unknown.
    scope : str or None
        What a key needs for it; None when it is open to all.
    """

    template: str
    scope: str | None


class RouteScopes:
    """The table of (method, path template) and scope, asked for real paths.

    What is in no row needs ``admin``: a route that was forgotten is shut, not open.

    Examples
    --------
    >>> routes = RouteScopes({("GET", "/v1/flags/{symbol}"): "read", ("GET", "/healthz"): None})
    >>> routes.of("GET", "/v1/flags/BTCUSDT")
    Route(template='/v1/flags/{symbol}', scope='read')
    >>> routes.of("HEAD", "/healthz").scope is None, routes.of("GET", "/healthz/../v1").scope
    (True, 'admin')
    """

    def __init__(self, table: Mapping[tuple[str, str], str | None]) -> None:
        self._plain: dict[tuple[str, str], Route] = {}
        self._known: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[str, re.Pattern[str], Route]] = []
        for (method, template), scope in table.items():
            route = Route(template=template, scope=scope)
            if _PARAMETER.search(template):
                self._patterns.append((method, _pattern(template), route))
            else:
                self._plain[method, template] = route

    def of(self, method: str, path: str) -> Route:
        """The route of a request; ``HEAD`` is asked as ``GET``."""
        if len(path) > _LONGEST_KNOWN:
            return self._find(method, path)
        found = self._known.get((method, path))
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[method, path] = self._find(method, path)
        return found

    def _find(self, method: str, path: str) -> Route:
        asked = "GET" if method == "HEAD" else method
        plain = self._plain.get((asked, path))
        if plain is not None:
            return plain
        for known, pattern, route in self._patterns:
            if known == asked and pattern.fullmatch(path):
                return route
        return Route(template=OTHER, scope="admin")


def served_routes() -> RouteScopes:
    """The routes of the application."""
    return RouteScopes({**SCOPES, **dict.fromkeys(OPEN)})


def _pattern(template: str) -> re.Pattern[str]:
    parts, end = [], 0
    for found in _PARAMETER.finditer(template):
        parts += [re.escape(template[end : found.start()]), ".+" if found[2] else "[^/]+"]
        end = found.end()
    return re.compile("".join(parts) + re.escape(template[end:]), re.DOTALL)
