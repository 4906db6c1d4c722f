"""Scores for a caller's own rows: all of a reply by one model."""

import math
from typing import Annotated, Any, Final

import numpy as np
from fastapi import FastAPI, Query, Request, Response

from liqwarn.decisions import HORIZONS_H
from liqwarn.errors import FrameError, LiqwarnError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.serving.answers import ServiceRefused, answer
from liqwarn.serving.asks import NothingAsked
from liqwarn.serving.data_schema import ScoreAnswer, ScoreRecords, ScoreRows
from liqwarn.serving.examples import SCORE_ASK, SCORES, bad_request, described, problem
from liqwarn.serving.ports import Scorer, ScoreReply
from liqwarn.serving.score_request import MAX_BODY, parse_rows
from liqwarn.serving.waiting_room import WaitingRoom

__all__ = ["add_score_route"]

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        shape.model_json_schema(ref_template="#/components/schemas/{model}")
                        for shape in (ScoreRows, ScoreRecords)
                    ]
                },
                "example": SCORE_ASK,
            }
        },
    }
}


def add_score_route(app: FastAPI, scorer: Scorer | None, room: WaitingRoom) -> None:
    """Add ``/v1/score``."""

    @app.post(
        "/v1/score",
        response_model=ScoreAnswer,
        responses={
            200: described("Scores in the order of the rows", SCORES),
            400: bad_request("body is not JSON: unexpected end of data"),
            413: problem(f"body has more than {MAX_BODY} bytes"),
            422: problem("rows have [3] values, expected 2"),
            503: problem("scoring is not configured here"),
        },
        openapi_extra=_BODY,
        summary="Score your own rows of features",
    )
    async def score(request: Request, _: Annotated[NothingAsked, Query()]) -> Response:
        if scorer is None:
            raise ServiceRefused(503, "scoring is not configured here")
        content = await _body(request)
        return answer(await room.run(_scored, scorer, content))


async def _body(request: Request) -> bytes:
    """The request's body, as long as it is no longer than allowed."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise ServiceRefused(413, f"body has more than {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _scored(scorer: Scorer, content: bytes) -> dict[str, Any]:
    rows, names = parse_rows(content)
    try:
        reply = scorer.score(rows, names)
    except FrameError as error:
        raise ServiceRefused(422, str(error)) from error
    except LiqwarnError as error:
        raise ServiceRefused(503, str(error)) from error
    return {
        "schema": "liqwarn.scores/1",
        "model": {"version": reply.model.version, "sha256": reply.model.sha256},
        "rows": _rows(reply, len(rows)),
    }


def _rows(reply: ScoreReply, n: int) -> list[dict[str, Any]]:
    expected = (n, len(SIDES), len(HORIZONS_H))
    if reply.probability.shape != expected:
        raise FrameError(f"scores have shape {reply.probability.shape}, expected {expected}")
    novelty = np.asarray(reply.novelty, dtype=np.float64).tolist()
    return [
        {
            **{side: _side(values[k]) for k, side in enumerate(SIDES)},
            "quality": reply.quality[row],
            "novelty": novelty[row] if math.isfinite(novelty[row]) else None,
        }
        for row, values in enumerate(reply.probability)
    ]


def _side(values: FloatArray) -> dict[str, float | None]:
    found = zip(HORIZONS_H, values.tolist(), strict=True)
    return {f"p_{h}h": p if math.isfinite(p) else None for h, p in found}
