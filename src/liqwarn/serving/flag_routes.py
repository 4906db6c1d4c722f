"""The flags over HTTP, and the short way to them.

A flag that is encoded already is answered before any routing: a path, a lookup, two sends. What
the short way does not know (a query, an unknown symbol, no flags at all) goes on to the routes,
which describe all of it in OpenAPI and answer the same bytes.
"""

from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from liqwarn.decisions import side_to_dict
from liqwarn.policy.flags import unknown_restrictions
from liqwarn.policy.tiers import Policy
from liqwarn.serving.answers import answer, cached, known_tags
from liqwarn.serving.asks import NothingAsked
from liqwarn.serving.documents import FlagDocuments
from liqwarn.serving.examples import FLAG, FLAGS, UNAVAILABLE, UNKNOWN, described, problem
from liqwarn.serving.schema import FlagAnswer, FlagsAnswer, Unavailable, UnknownSymbol

__all__ = ["ShortWay", "add_flag_routes"]

_FLAGS: Final = "/v1/flags"
_NOT_MODIFIED: Final[dict[str, Any]] = {"description": "As the ETag given"}


def add_flag_routes(app: FastAPI, documents: FlagDocuments, policy: Policy) -> None:
    """Add ``/v1/flags`` and ``/v1/flags/{symbol}``, the short way included."""
    assumed = unknown_restrictions(policy)
    unknown = {name: side_to_dict(side) for name, side in assumed.items()}

    @app.get(
        _FLAGS,
        response_model=FlagsAnswer,
        responses={
            200: described("Every flag as it may be used now", FLAGS),
            304: _NOT_MODIFIED,
            422: problem("query.x: Extra inputs are not permitted"),
            503: described("No flags yet: what to assume of all", UNAVAILABLE, Unavailable),
        },
        summary="The flags of all symbols",
    )
    async def flags(request: Request, _: Annotated[NothingAsked, Query()]) -> Response:
        found = documents.all()
        if found is None:
            detail = f"no flags have been read: {documents.fault}"
            body = {"detail": detail, "quality": "unknown", "sides": unknown}
            return answer(body, status=503)
        return cached(found, request)

    @app.get(
        _FLAGS + "/{symbol}",
        response_model=FlagAnswer,
        responses={
            200: described("The flag as it may be used now", FLAG),
            304: _NOT_MODIFIED,
            404: described("No such flag: what to assume", UNKNOWN, UnknownSymbol),
            422: problem("query.x: Extra inputs are not permitted"),
        },
        summary="The flag of one symbol",
    )
    async def flag(symbol: str, request: Request, _: Annotated[NothingAsked, Query()]) -> Response:
        found = documents.one(symbol)
        if found is None:
            body = {"detail": "no flag for this symbol", "symbol": symbol}
            return answer({**body, "quality": "unknown", "sides": unknown}, status=404)
        return cached(found, request)

    app.add_middleware(ShortWay, documents=documents)


class ShortWay:
    """Answers what is encoded already; anything else it hands on."""

    def __init__(self, app: ASGIApp, documents: FlagDocuments) -> None:
        self._app = app
        self._documents = documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or scope["query_string"]
            or not scope["path"].startswith(_FLAGS)
        ):
            return await self._app(scope, receive, send)
        path = scope["path"]
        if path == _FLAGS:
            found = self._documents.all()
        else:
            found = self._documents.one(path[len(_FLAGS) + 1 :]) if _is_symbol(path) else None
        if found is None:
            return await self._app(scope, receive, send)
        content, left = found
        headers, tags = content.headers[left], known_tags(scope["headers"])
        known = bool(tags) and (content.etag in tags or "*" in tags)
        kept = headers[2:] if known else headers
        start = {"type": "http.response.start", "status": 304 if known else 200, "headers": kept}
        await send(start)
        await send({"type": "http.response.body", "body": b"" if known else content.body})
        return None


def _is_symbol(path: str) -> bool:
    return path[len(_FLAGS)] == "/" and path.count("/") == 3
