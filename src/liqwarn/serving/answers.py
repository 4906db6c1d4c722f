"""What goes back over HTTP: JSON that nobody may cache, and flags that know how long they keep."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from liqwarn.serving.documents import Answer

__all__ = ["ServiceRefused", "add_error_answers", "answer", "cached", "known_tags", "refused"]

_LONGEST: Final = 500
"""Characters of an error's text: a caller's own input is not sent back at length."""


class ServiceRefused(Exception):  # noqa: N818  it says what happened, not that something broke
    """A request that is answered with a status and a reason.

    Parameters
    ----------
    status : int
    detail : str
        What, what was found, what was expected.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def answer(body: Mapping[str, Any], *, status: int = 200) -> Response:
    """A JSON answer of this moment; NaN is null."""
    return Response(
        orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **({"Retry-After": "5"} if status == 503 else {})},
    )


def refused(status: int, detail: str) -> Response:
    """An error: ``{"detail": …}``."""
    return answer({"detail": detail[:_LONGEST]}, status=status)


def cached(found: tuple[Answer, int], request: Request) -> Response:
    """Bytes that were encoded before, or 304 when the caller has them."""
    content, left = found
    headers = {name.decode(): value.decode() for name, value in content.headers[left]}
    if content.etag in (tags := known_tags(request.scope["headers"])) or "*" in tags:
        kept = {name: headers[name] for name in ("etag", "cache-control")}
        return Response(status_code=304, headers=kept)
    return Response(content.body, headers=headers)


def known_tags(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """The entity tags of ``If-None-Match``, without the mark of weak ones.

    >>> known_tags([(b"if-none-match", b'W/"a", "b"'), (b"if-none-match", b"*")])
    ['"a"', '"b"', '*']
    """
    given = [value.decode("latin-1") for name, value in headers if name == b"if-none-match"]
    return [tag.strip().removeprefix("W/") for line in given for tag in line.split(",")]


def add_error_answers(app: FastAPI) -> None:
    """Have every error of the application say ``{"detail": …}``."""

    @app.exception_handler(ServiceRefused)
    async def on_refused(_: Request, error: ServiceRefused) -> Response:
        return refused(error.status, error.detail)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        faults = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return refused(422, "; ".join(faults))

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> Response:
        response = refused(error.status_code, str(error.detail))
        response.headers.update(error.headers or {})
        return response
