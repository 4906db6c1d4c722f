"""How often each route was asked, with what status, and how long it took."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from liqwarn.serving.clock import Clock
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.route_scopes import RouteScopes

__all__ = ["Measured"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measured:
    """ASGI middleware, outermost: what is refused in front of the application counts as well."""

    def __init__(
        self, app: ASGIApp, metrics: ServingMetrics, routes: RouteScopes, clock: Clock
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request when its answer begins, or when it fails without one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, counted = self._clock.monotonic(), False

        def count(status: int) -> None:
            nonlocal counted
            counted = True
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = self._routes.of(scope["method"], scope["path"]).template
            self._metrics.request(route, method, status, self._clock.monotonic() - begun)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and not counted:
                count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if not counted:
                count(500)
            raise
