import math

import orjson
import pytest
from fastapi import FastAPI

from liqwarn.serving.answers import ServiceRefused, add_error_answers, answer, known_tags, refused


@pytest.fixture
def app():
    app = FastAPI(openapi_url=None)
    add_error_answers(app)

    @app.get("/refuse")
    async def refuse():
        raise ServiceRefused(503, "busy: 3 requests")

    @app.get("/count")
    async def count(n: int):
        return n

    return app


def test_an_answer_is_of_this_moment_and_has_no_nan():
    response = answer({"a": math.nan})
    assert (response.status_code, response.body) == (200, b'{"a":null}')
    assert response.headers["cache-control"] == "no-store"
    assert "retry-after" not in response.headers


def test_who_is_refused_for_now_is_told_when_to_come_back():
    assert refused(503, "busy").headers["retry-after"] == "5"


def test_a_long_reason_is_cut():
    assert len(orjson.loads(refused(422, "x" * 100_000).body)["detail"]) == 500


@pytest.mark.parametrize(
    ("path", "query", "status", "detail"),
    [
        ("/refuse", b"", 503, "busy: 3 requests"),
        ("/count", b"", 422, "query.n: Field required"),
        ("/count", b"n=x", 422, "query.n: Input should be a valid integer"),
        ("/nowhere", b"", 404, "Not Found"),
    ],
)
def test_every_error_says_detail_and_nothing_else(ask, app, path, query, status, detail):
    found = ask(app, path=path, query_string=query)
    assert found.status == status
    assert list(found.json) == ["detail"]
    assert found.json["detail"].startswith(detail)


def test_a_method_that_is_not_there_names_those_that_are(ask, app):
    found = ask(app, "POST", "/count", query_string=b"")
    assert (found.status, found.headers["allow"]) == (405, "GET")
    assert found.json == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize(
    ("value", "tags"),
    [('"a"', ['"a"']), ('W/"a" , "b"', ['"a"', '"b"']), ("*", ["*"]), ("", [""]), ("ÿ", ["ÿ"])],
)
def test_tags_are_read_from_any_number_of_headers(value, tags):
    line = (b"if-none-match", value.encode("latin-1"))
    assert known_tags([line, (b"host", b"x")]) == tags
    assert known_tags([line, line]) == tags * 2
    assert known_tags([]) == []
