"""Who may ask: the check of API keys in front of the application."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from liqwarn.serving.clock import Clock
from liqwarn.serving.key_file import KeyRing
from liqwarn.serving.keys import ApiKey, Refusal
from liqwarn.serving.rate_limit import TokenBuckets, address_group
from liqwarn.serving.refusals import OnRefusal, caller_address, header, refuse
from liqwarn.serving.route_scopes import RouteScopes

__all__ = ["KEY_ID", "AuthRules", "Authentication"]

KEY_ID: Final = "liqwarn.key"
"""Where a checked request carries the id of its key, in its ASGI scope."""

_REALM: Final = 'Bearer realm="liqwarn"'


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRules:
    """What the check goes by.

    Attributes
    ----------
    ring : KeyRing
    routes : RouteScopes
    clock : Clock
        Its wall tells whether a key has expired.
    failures : TokenBuckets
        How often one address may fail before it is told to wait.
    on_refusal : callable
    """

    ring: KeyRing
    routes: RouteScopes
    clock: Clock
    failures: TokenBuckets
    on_refusal: OnRefusal


class Authentication:
    """ASGI middleware: ``Authorization: Bearer lqw_…``, or 401, 403 or 429.

    A caller is never told why its token is no good, only that it is. An address that fails too
    often is answered 429 and disconnected. A good token from that address still passes: behind a
    proxy one address is everybody, and a stranger must not be able to take the flags from them.
    """

    def __init__(self, app: ASGIApp, rules: AuthRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        needed = self._rules.routes.of(scope.get("method", "GET"), scope["path"]).scope
        if needed is None:
            await self._app(scope, receive, send)
            return
        found = self._check(scope)
        if isinstance(found, Refusal):
            await self._not_known(scope, send, found)
        elif not found.allows(needed):
            self._rules.on_refusal("scope", found.id)
            challenge = f'{_REALM}, error="insufficient_scope", scope="{needed}"'
            detail = f"this key has no scope {needed!r}"
            await refuse(scope, send, 403, detail, {"WWW-Authenticate": challenge})
        else:
            scope[KEY_ID] = found.id
            await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> ApiKey | Refusal:
        given = header(scope, b"authorization")
        if not given:
            return Refusal.MISSING
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer":
            return Refusal.MALFORMED
        return self._rules.ring.current().check(token.strip(), self._rules.clock.wall())

    async def _not_known(self, scope: Scope, send: Send, why: Refusal) -> None:
        who = address_group(caller_address(scope))
        wait = self._rules.failures.take(who)
        if wait:
            self._rules.on_refusal("failures", who)
            headers = {"Retry-After": str(ceil(wait)), "Connection": "close"}
            await refuse(scope, send, 429, "too many requests without a good key", headers)
            return
        self._rules.on_refusal(why.value, who)
        missing = why is Refusal.MISSING
        challenge = _REALM if missing else f'{_REALM}, error="invalid_token"'
        detail = "an API key is needed" if missing else "the API key is not good"
        await refuse(scope, send, 401, detail, {"WWW-Authenticate": challenge})
