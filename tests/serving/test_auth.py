"""Authentication: 401, 403 and 429 in the right place, and nothing of a token told to anyone."""

from datetime import timedelta

import orjson
import pytest

from liqwarn.serving.auth import KEY_ID, Authentication, AuthRules
from liqwarn.serving.key_file import KeyRing
from liqwarn.serving.rate_limit import Rate, TokenBuckets
from liqwarn.serving.refusals import refuse
from liqwarn.serving.route_scopes import served_routes


async def echo(scope, receive, send):
    await refuse(scope, send, 200, str(scope.get(KEY_ID)))


@pytest.fixture
def token(key_file):
    return key_file()


@pytest.fixture
def guarded(key_file, token, clock, refusals):
    return Authentication(
        echo,
        AuthRules(
            ring=KeyRing(key_file.path),
            routes=served_routes(),
            clock=clock,
            failures=TokenBuckets(Rate(per_s=1, burst=3), monotonic=clock.monotonic),
            on_refusal=lambda *told: refusals.append(told),
        ),
    )


def bearer(token, scheme="Bearer"):
    return [("Authorization", f"{scheme} {token}")]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_good_token_passes_and_its_key_is_known_inside(ask, guarded, token, scheme):
    told = ask(guarded, headers=bearer(token, scheme))

    assert told.status == 200
    assert told.json["detail"] == token.split("_")[1]


def test_health_is_open(ask, guarded):
    assert ask(guarded, path="/healthz").json["detail"] == "None"


def test_the_application_starts_and_stops_without_a_key(ask):
    async def app(scope, receive, send):
        await send({"type": "lifespan.startup.complete"})

    assert ask(Authentication(app, None), kind="lifespan").sent


@pytest.mark.parametrize(
    ("headers", "reason", "challenge"),
    [
        ([], "missing", 'Bearer realm="liqwarn"'),
        ([("Authorization", "Basic YTpi")], "malformed", 'error="invalid_token"'),
        (bearer("lqw_1_2"), "malformed", 'error="invalid_token"'),
        (bearer(""), "malformed", 'error="invalid_token"'),
        (bearer("\xff" * 60), "malformed", 'error="invalid_token"'),
        (bearer(f"lqw_{'0' * 12}_{'A' * 43}"), "unknown", 'error="invalid_token"'),
        (bearer("x") * 2, "malformed", 'error="invalid_token"'),
    ],
)
def test_no_good_token_is_401(ask, guarded, refusals, headers, reason, challenge):
    told = ask(guarded, headers=headers)

    assert told.status == 401
    assert challenge in told.headers["www-authenticate"]
    assert refusals == [(reason, "192.0.2.7")]
    assert "lqw" not in told.body.decode()


def test_a_websocket_is_asked_the_same(ask, guarded, token):
    socket = {"path": "/v1/ws", "kind": "websocket", "extensions": {"websocket.http.response": {}}}

    assert ask(guarded, **socket).status == 401
    assert ask(guarded, headers=bearer(token), **socket).status == 200


def test_two_tokens_in_one_request_are_none(ask, guarded, token):
    assert ask(guarded, headers=bearer(token) * 2).status == 401


def test_a_caller_is_not_told_whether_its_key_exists(ask, guarded, key_file, clock):
    expired = key_file(expires_at=clock.wall() + timedelta(seconds=1))
    clock.run(seconds=2)
    unknown = f"lqw_{'0' * 12}_{'A' * 43}"

    first, second = (ask(guarded, headers=bearer(given)) for given in (expired, unknown))

    assert (first.status, first.body, first.headers) == (401, second.body, second.headers)


def test_a_scope_that_is_lacking_is_403(ask, guarded, token, refusals):
    told = ask(guarded, "POST", "/v1/score", headers=bearer(token))

    assert told.status == 403
    assert 'scope="score"' in told.headers["www-authenticate"]
    assert refusals == [("scope", token.split("_")[1])]
    assert ask(guarded, "DELETE", "/v1/flags", headers=bearer(token)).status == 403


def test_guessing_is_slowed_and_told_to_wait(ask, guarded, token, clock, refusals):
    wrong = bearer(f"{token[:-6]}AAAAAA")
    statuses = [ask(guarded, headers=wrong).status for _ in range(6)]
    told = ask(guarded, headers=wrong)

    assert statuses == [401] * 3 + [429] * 3
    assert told.headers["retry-after"] == "1"
    assert told.headers["connection"] == "close"
    assert refusals[-1] == ("failures", "192.0.2.7")
    clock.run(seconds=1)
    assert ask(guarded, headers=wrong).status == 401


def test_a_stranger_who_guesses_takes_nothing_from_others(ask, guarded, token):
    for _ in range(10):
        ask(guarded, headers=bearer("wrong"))

    assert ask(guarded, headers=bearer(token)).status == 200
    assert ask(guarded, headers=bearer("wrong"), client=("192.0.2.8", 1)).status == 401


def test_a_damaged_file_opens_nothing_and_shuts_nobody_out(ask, guarded, key_file, token):
    key_file.path.write_bytes(b"{")

    assert ask(guarded, headers=bearer(token)).status == 200
    assert ask(guarded).status == 401


def test_a_disabled_key_is_out_at_once(ask, guarded, key_file, token):
    raw = orjson.loads(key_file.path.read_bytes())
    raw["keys"][0]["disabled_at"] = "2024-08-05T12:00:00Z"
    key_file.path.write_bytes(orjson.dumps(raw))

    assert ask(guarded, headers=bearer(token)).status == 401
