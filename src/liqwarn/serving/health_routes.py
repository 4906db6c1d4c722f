"""Whether the server lives, whether it is ready, and its metrics."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response
from starlette.concurrency import run_in_threadpool

from liqwarn.decisions import iso_utc
from liqwarn.serving.answers import ServiceRefused, answer
from liqwarn.serving.asks import NothingAsked
from liqwarn.serving.documents import FlagDocuments
from liqwarn.serving.examples import HEALTH, METRICS, described, problem
from liqwarn.serving.schema import Health

__all__ = ["add_health_routes"]

_USABLE = ("ok", "degraded")
"""Of a silent feed the loop still makes flags, and they say that nothing is known."""
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def add_health_routes(
    app: FastAPI, documents: FlagDocuments, render_metrics: Callable[[], bytes] | None
) -> None:
    """Add ``/healthz``, ``/readyz`` and ``/metrics``."""
    asked = problem("query.x: Extra inputs are not permitted")

    @app.get(
        "/healthz",
        response_model=Health,
        responses={200: described("It lives", HEALTH), 422: asked},
        summary="Whether the server lives",
    )
    async def healthz(_: Annotated[NothingAsked, Query()]) -> Response:
        return answer(_health(documents, "ok", app.version))

    @app.get(
        "/readyz",
        response_model=Health,
        responses={
            200: described(
                "Every flag is fresh, and one at least says something",
                {**HEALTH, "status": "ready"},
            ),
            422: asked,
            503: described("It is not", {**HEALTH, "status": "not ready", "stale": 1}, Health),
        },
        summary="Whether every flag is fresh and one at least says something",
    )
    async def readyz(_: Annotated[NothingAsked, Query()]) -> Response:
        standing = documents.standing().values()
        fresh = all(document.fresh for document in standing) and documents.fault is None
        ready = fresh and any(document.flag.quality in _USABLE for document in standing)
        body = _health(documents, "ready" if ready else "not ready", app.version)
        return answer(body, status=200 if ready else 503)

    @app.get(
        "/metrics",
        response_class=Response,
        responses={200: METRICS, 422: asked, 503: problem("metrics are not configured here")},
        summary="Metrics for Prometheus",
    )
    async def metrics(_: Annotated[NothingAsked, Query()]) -> Response:
        if render_metrics is None:
            raise ServiceRefused(503, "metrics are not configured here")
        text = await run_in_threadpool(render_metrics)
        return Response(text, headers={"Content-Type": _METRICS_TYPE, "Cache-Control": "no-store"})


def _health(documents: FlagDocuments, status: str, release: str) -> dict[str, Any]:
    standing = documents.standing()
    fresh = sum(document.fresh for document in standing.values())
    latest = documents.latest
    return {
        "status": status,
        "version": release,
        "generated_at": iso_utc(latest.generated_at) if latest else None,
        "fresh": fresh,
        "stale": len(standing) - fresh,
        "fault": documents.fault,
    }
