"""The HTTP application: the newest flags, honest about their age."""

import hashlib
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response

from liqwarn import __version__
from liqwarn.decisions import FLAGS_SCHEMA, flag_to_dict, iso_utc, side_to_dict
from liqwarn.policy.flags import unknown_restrictions
from liqwarn.policy.tiers import Policy
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import FlagFile
from liqwarn.serving.keeper import FlagKeeper, Served, View
from liqwarn.serving.schema import FlagAnswer, FlagsAnswer, Health, Unavailable, UnknownSymbol

__all__ = ["MAX_CACHE_S", "create_app"]

MAX_CACHE_S: Final = 5
"""A cache may keep a fresh flag for so long, or to the end of its validity if that is sooner: a
stricter flag that follows early must not hide behind the one before."""

_NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "As the ETag given"}}


def create_app(source: FlagFile, *, policy: Policy, clock: Clock) -> FastAPI:
    """An application that serves the flags of a file.

    Parameters
    ----------
    policy : Policy
        What an expired flag and an unknown symbol mean.
    clock : Clock
        Where the time comes from.
    """
    app = FastAPI(
        title="liqwarn",
        version=__version__,
        description="Risk flags of liquidation cascades. Expired flags are served as stale.",
        docs_url=None,  # these two pages load scripts from other hosts
        redoc_url=None,
    )
    keeper = FlagKeeper(source, policy=policy, clock=clock)
    assumed = unknown_restrictions(policy)
    unknown: dict[str, Any] = {name: side_to_dict(side) for name, side in assumed.items()}
    _add_flags(app, keeper, unknown)
    _add_health(app, keeper, app.version)
    return app


def _add_flags(app: FastAPI, keeper: FlagKeeper, unknown: dict[str, Any]) -> None:
    @app.get(
        "/v1/flags",
        response_model=FlagsAnswer,
        responses={**_NOT_MODIFIED, 503: {"model": Unavailable}},
        summary="The flags of all symbols",
    )
    async def flags(request: Request) -> Response:
        view = keeper.look()
        if view.latest is None:
            detail = f"no flags have been read: {view.fault}"
            return _json({"detail": detail, "quality": "unknown", "sides": unknown}, status=503)
        body = {
            "schema": FLAGS_SCHEMA,
            "generated_at": iso_utc(view.latest.generated_at),
            "market": view.latest.market,
            "flags": [flag_to_dict(served.flag) for served in view.flags],
        }
        return _cached(body, view.flags, request)

    @app.get(
        "/v1/flags/{symbol}",
        response_model=FlagAnswer,
        responses={**_NOT_MODIFIED, 404: {"model": UnknownSymbol}},
        summary="The flag of one symbol",
    )
    async def flag(symbol: str, request: Request) -> Response:
        served = keeper.look().of(symbol)
        if served is None:
            body = {"detail": "no flag for this symbol", "symbol": symbol}
            return _json({**body, "quality": "unknown", "sides": unknown}, status=404)
        return _cached(flag_to_dict(served.flag), (served,), request)


def _add_health(app: FastAPI, keeper: FlagKeeper, release: str) -> None:
    @app.get("/healthz", response_model=Health, summary="Whether the server lives")
    async def healthz() -> Response:
        return _json(_health(keeper.look(), "ok", release))

    @app.get(
        "/readyz",
        response_model=Health,
        responses={503: {"model": Health}},
        summary="Whether it has a fresh flag for every symbol",
    )
    async def readyz() -> Response:
        view = keeper.look()
        ready = view.fault is None and bool(view.flags) and all(s.fresh for s in view.flags)
        status = "ready" if ready else "not ready"
        return _json(_health(view, status, release), status=200 if ready else 503)


def _health(view: View, status: str, release: str) -> dict[str, Any]:
    fresh = sum(served.fresh for served in view.flags)
    return {
        "status": status,
        "version": release,
        "generated_at": iso_utc(view.latest.generated_at) if view.latest else None,
        "fresh": fresh,
        "stale": len(view.flags) - fresh,
        "fault": view.fault,
    }


def _cached(body: dict[str, Any], flags: tuple[Served, ...], request: Request) -> Response:
    content = orjson.dumps(body)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    left = min((served.remaining.total_seconds() for served in flags), default=0.0)
    keep = f"max-age={min(int(left), MAX_CACHE_S)}, must-revalidate" if left >= 1 else "no-cache"
    headers = {"ETag": etag, "Cache-Control": f"private, {keep}"}
    known = [tag.strip().removeprefix("W/") for tag in _if_none_match(request)]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


def _if_none_match(request: Request) -> list[str]:
    return request.headers.get("if-none-match", "").split(",")


def _json(body: dict[str, Any], *, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(
        orjson.dumps(body), status_code=status, media_type="application/json", headers=headers
    )
