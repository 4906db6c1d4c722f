"""The application over real HTTP on loopback, with a clock of its own."""

import threading
import time
from datetime import timedelta

import httpx
import pytest
import uvicorn

from liqwarn.decisions import flag_from_dict, flag_to_dict
from liqwarn.serving.app import MAX_CACHE_S, create_app
from liqwarn.serving.flag_file import FlagFile
from liqwarn.serving.schema import FlagAnswer, FlagsAnswer, Health, Unavailable, UnknownSymbol
from liqwarn.serving.scopes import OPEN, SCOPES

HOUR = timedelta(hours=1)


@pytest.fixture
def http(policy, clock, tmp_path):
    """A client of a real server that watches `tmp_path`."""
    app = create_app(FlagFile(tmp_path), policy=policy, clock=clock)
    config = uvicorn.Config(app, port=0, log_level="error", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(1_000):
        if server.started:
            break
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    with httpx.Client(base_url=f"http://{host}:{port}", trust_env=False) as client:
        yield client
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def test_flags_are_served_as_issued(http, write_flags, make_flag):
    flags = [make_flag("BTCUSDT", "T3"), make_flag("ETHUSDT")]
    write_flags(*flags)
    answer = http.get("/v1/flags")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    FlagsAnswer.model_validate(answer.json())
    assert answer.json()["flags"] == [flag_to_dict(flag) for flag in flags]
    assert answer.json()["market"] == "real"
    one = http.get("/v1/flags/BTCUSDT")
    FlagAnswer.model_validate(one.json())
    assert flag_from_dict(one.json()) == flags[0]


def test_an_expired_flag_is_served_as_stale(http, write_flags, make_flag, clock):
    write_flags(make_flag())
    fresh = http.get("/v1/flags/BTCUSDT")
    assert fresh.json()["quality"] == "ok"
    clock.run(minutes=70)
    for body in (http.get("/v1/flags/BTCUSDT").json(), http.get("/v1/flags").json()["flags"][0]):
        FlagAnswer.model_validate(body)
        assert body["quality"] == "stale"
        for side in body["sides"].values():
            assert (side["tier"], side["state"]) == ("T2", "REDUCING")
            assert side["p_4h"] is None
            assert side["reasons"][0].startswith("Expired: valid until 2024-08-05T13:10:00.000Z")
    clock.run(minutes=60)
    assert http.get("/v1/flags/BTCUSDT").json()["sides"]["long"]["tier"] == "T3"


def test_an_unknown_symbol_comes_with_what_to_assume(http, write_flags, make_flag):
    write_flags(make_flag())
    answer = http.get("/v1/flags/NOPEUSDT")
    assert answer.status_code == 404
    body = UnknownSymbol.model_validate(answer.json())
    assert (body.symbol, body.sides.long.tier, body.sides.short.state) == (
        "NOPEUSDT",
        "T3",
        "REDUCING",
    )
    assert not body.sides.long.limits.net_increase
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("symbol", ["%00", "..%2F..%2Fetc", "%F0%9F%92%A9", "x" * 5_000, "a b"])
def test_odd_symbols_are_just_unknown(http, write_flags, make_flag, symbol):
    write_flags(make_flag())
    assert http.get(f"/v1/flags/{symbol}").status_code == 404


def test_without_any_flags_the_answer_is_503_and_what_to_assume(http):
    answer = http.get("/v1/flags")
    assert answer.status_code == 503
    body = Unavailable.model_validate(answer.json())
    assert body.sides.long.tier == "T3"
    assert "flags.json: No such file" in body.detail
    assert http.get("/v1/flags/BTCUSDT").status_code == 404
    assert http.get("/healthz").status_code == 200
    assert http.get("/readyz").status_code == 503


def test_a_torn_file_is_survived(http, write_flags, make_flag, clock, noon):
    path = write_flags(make_flag(tier="T1"))
    assert http.get("/readyz").status_code == 200
    path.write_bytes(b'{"schema": "liqwarn.flags/1", "fl')
    assert http.get("/v1/flags/BTCUSDT").json()["sides"]["long"]["tier"] == "T1"
    health = http.get("/healthz").json()
    assert health["fault"].startswith("flags.json: not JSON, or torn")
    assert http.get("/readyz").status_code == 503
    clock.run(hours=2)
    assert http.get("/v1/flags/BTCUSDT").json()["quality"] == "stale"
    write_flags(make_flag(as_of=noon + 2 * HOUR))
    assert http.get("/v1/flags/BTCUSDT").json()["quality"] == "ok"
    assert http.get("/readyz").status_code == 200


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_jumps_never_keeps_a_flag_fresh(http, write_flags, make_flag, clock, minutes):
    write_flags(make_flag())
    assert http.get("/v1/flags/BTCUSDT").json()["quality"] == "ok"
    clock.set_wall(minutes=minutes)
    clock.run(minutes=69)
    assert http.get("/v1/flags/BTCUSDT").json()["quality"] == "stale"


def test_caches_are_told_the_truth(http, write_flags, make_flag, clock):
    write_flags(make_flag())
    first = http.get("/v1/flags/BTCUSDT")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == f"private, max-age={MAX_CACHE_S}, must-revalidate"
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = http.get("/v1/flags/BTCUSDT", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    clock.run(minutes=68, seconds=57)
    near = http.get("/v1/flags/BTCUSDT")
    assert near.headers["cache-control"] == "private, max-age=3, must-revalidate"
    clock.run(seconds=3)
    stale = http.get("/v1/flags/BTCUSDT", headers={"If-None-Match": etag})
    assert stale.status_code == 200
    assert stale.headers["etag"] != etag
    assert stale.headers["cache-control"] == "private, no-cache"


def test_the_list_may_be_cached_as_long_as_its_shortest_flag(http, write_flags, make_flag, noon):
    write_flags(make_flag("A"), make_flag("B", valid_until=noon + timedelta(seconds=62)))
    assert http.get("/v1/flags").headers["cache-control"].startswith("private, max-age=2")


def test_health_counts(http, write_flags, make_flag, clock, noon):
    write_flags(make_flag("A"), make_flag("B", valid_until=noon + timedelta(minutes=2)))
    clock.run(minutes=2)
    health = Health.model_validate(http.get("/healthz").json())
    assert (health.status, health.fresh, health.stale, health.fault) == ("ok", 1, 1, None)
    assert Health.model_validate(http.get("/readyz").json()).status == "not ready"


def test_openapi_describes_what_is_served(http):
    api = http.get("/openapi.json").json()
    routes = {(m.upper(), path) for path, ways in api["paths"].items() for m in ways}
    assert routes == {*SCOPES, *OPEN} - {("GET", "/v1/ws"), ("GET", "/openapi.json")}
    assert set(api["paths"]["/v1/flags/{symbol}"]["get"]["responses"]) >= {"200", "304", "404"}
    assert set(api["paths"]["/v1/flags"]["get"]["responses"]) >= {"200", "304", "503"}
    assert http.get("/docs").status_code == http.get("/redoc").status_code == 404
    assert "sides" in api["components"]["schemas"]["FlagAnswer"]["properties"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(http, method):
    assert http.request(method, "/v1/flags").status_code == 405


def test_it_answers_while_the_file_changes(http, write_flags, make_flag, noon):
    for n in range(60):
        write_flags(make_flag(as_of=noon - timedelta(seconds=60 - n)))
        answer = http.get("/v1/flags/BTCUSDT")
        assert flag_from_dict(answer.json()).as_of == noon - timedelta(seconds=60 - n)
