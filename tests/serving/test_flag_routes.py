"""The short way and the routes say the same."""

from datetime import timedelta

import orjson
import pytest

from liqwarn.decisions import flag_from_dict
from liqwarn.serving.app import create_app
from liqwarn.serving.flag_routes import ShortWay
from liqwarn.serving.shelf import FlagShelf
from liqwarn.signing import generate_key, verify_document


@pytest.fixture
def shelf(flag_set, make_flag):
    shelf = FlagShelf()
    shelf.publish(flag_set(make_flag("A", "T3"), make_flag("B")))
    return shelf


@pytest.fixture
def key():
    return generate_key()


@pytest.fixture
def app(shelf, policy, clock, key):
    return create_app(shelf, policy=policy, clock=clock, key=key)


@pytest.fixture
def get(ask, app):
    def get(path, *, query=b"", **headers):
        lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return ask(app, path=path, query_string=query, headers=lines)

    return get


@pytest.fixture
def long_way(monkeypatch):
    """Have every request take the routes."""

    async def on(self, scope, receive, send):
        await self._app(scope, receive, send)

    return lambda: monkeypatch.setattr(ShortWay, "__call__", on)


@pytest.mark.parametrize("path", ["/v1/flags", "/v1/flags/A", "/v1/flags/NOPE", "/v1/flags/"])
def test_both_ways_answer_the_same(get, long_way, path):
    short = [get(path)]
    tag = short[0].headers.get("etag", '"x"')
    short += [get(path, if_none_match=tag), get(path, if_none_match="*")]
    long_way()
    long = [get(path), get(path, if_none_match=tag), get(path, if_none_match="*")]
    for one, other in zip(short, long, strict=True):
        assert (one.status, one.body) == (other.status, other.body)
        for name in ("etag", "cache-control", "content-type"):
            assert one.headers.get(name) == other.headers.get(name), name


def test_a_fresh_flag_never_reaches_the_routes(get, app, monkeypatch):
    async def fail(*_):
        raise AssertionError("routed")

    assert get("/v1/flags/A").status == 200
    monkeypatch.setattr(app.router, "middleware_stack", fail)
    assert get("/v1/flags/A").status == get("/v1/flags").status == 200


def test_flags_carry_the_servers_signature_fresh_or_stale(get, key, clock):
    for quality in ("ok", "stale"):
        body = get("/v1/flags/A").json
        assert (flag_from_dict(body).quality, verify_document(body, [key.public])) == (
            quality,
            None,
        )
        assert get("/v1/flags").json["flags"][0] == body
        clock.run(minutes=70)


def test_the_entity_tag_changes_with_the_content_and_only_then(
    get, shelf, flag_set, make_flag, noon
):
    first = get("/v1/flags/A").headers["etag"], get("/v1/flags/B").headers["etag"]
    shelf.publish(flag_set(make_flag("B", as_of=noon + timedelta(seconds=1))))
    second = get("/v1/flags/A").headers["etag"], get("/v1/flags/B").headers["etag"]
    assert first[0] == second[0]
    assert first[1] != second[1]
    assert get("/v1/flags/B", if_none_match=first[1]).status == 200


@pytest.mark.parametrize("path", ["/v1/flags", "/v1/flags/A"])
def test_an_unknown_parameter_is_refused_even_where_the_answer_is_at_hand(get, path):
    found = get(path, query=b"simbol=B")
    assert found.status == 422
    assert found.json == {"detail": "query.simbol: Extra inputs are not permitted"}


@pytest.mark.parametrize("path", ["/v1/flagsA", "/v1/flags/A/", "/v1/flags/A/x", "/v1/flags//A"])
def test_paths_that_only_look_like_a_flag_are_not_found(get, path):
    assert get(path).status == 404
    assert "detail" in orjson.loads(get(path).body)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/v1/flags", "/v1/flags/A"])
def test_flags_can_only_be_read(ask, app, method, path):
    assert ask(app, method, path, query_string=b"").status == 405
