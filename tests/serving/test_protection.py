"""All that stands in front of the application, together, on a real socket."""

import asyncio
import io
import os
import threading
import time
from datetime import timedelta

import httpx
import pytest
import websockets
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from liqwarn.serving.key_file import KeyRing, change_keys
from liqwarn.serving.keys import KeySet, rotated
from liqwarn.serving.logs import logs_to
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.protection import ProtectionRules, listen_options, protect, tell_refusals
from liqwarn.serving.rate_limit import Rate
from liqwarn.serving.request_limits import RequestSizes
from liqwarn.serving.route_scopes import served_routes

BEAT_S = 0.02
ROTATIONS = 200 if os.environ.get("LIQWARN_FAULTS") == "full" else 10


async def flags(request):
    return JSONResponse({"flags": []})


async def score(request):
    return JSONResponse({"bytes": len(await request.body())})


async def beats(request):
    async def events():
        while True:
            yield b": beat\n\n"
            await asyncio.sleep(BEAT_S)

    return StreamingResponse(events(), media_type="text/event-stream")


async def beats_ws(socket):
    await socket.accept()
    while True:
        await socket.send_text("beat")
        await asyncio.sleep(BEAT_S)


ROUTES = [
    Route("/healthz", flags),
    Route("/v1/flags", flags),
    Route("/v1/score", score, methods=["POST"]),
    Route("/v1/stream", beats),
    WebSocketRoute("/v1/ws", beats_ws),
]
RULES = ProtectionRules(
    calls=Rate(per_s=1e6, burst=10**6),
    failures=Rate(per_s=0.1, burst=5),
    streams=2,
    sizes=RequestSizes(body_bytes=1000),
)


@pytest.fixture
def start(key_file, clock, refusals, serve_on_loopback):
    def start(*, ring=True, rules=RULES, on_refusal=lambda *told: refusals.append(told)):
        app = protect(
            Starlette(routes=ROUTES),
            ring=KeyRing(key_file.path) if ring else None,
            routes=served_routes(),
            clock=clock,
            on_refusal=on_refusal,
            rules=rules,
        )
        return serve_on_loopback(app, **listen_options())

    return start


def client(url, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=10)


def turn(key_file, clock, grace):
    """Rotate the one key, as the command does; gives the new token."""

    def change(keys):
        (key,) = keys.keys.values()
        after, token = rotated(key, now=clock.wall(), until=clock.wall() + grace)
        return KeySet([after]), token

    return change_keys(key_file.path, change)


def disable(key_file, clock):
    def change(keys):
        (key,) = keys.keys.values()
        object.__setattr__(key, "disabled_at", clock.wall())
        return KeySet([key]), None

    change_keys(key_file.path, change)


def test_each_refusal_in_its_place(key_file, start, refusals):
    token = key_file(scopes=("score",))
    url = start()
    with client(url) as stranger, client(url, token) as known:
        assert stranger.get("/healthz").status_code == 200
        assert stranger.get("/v1/flags").status_code == 401
        assert known.get("/v1/flags").status_code == 403
        assert known.post("/v1/score", content=b"x" * 1000).json() == {"bytes": 1000}
        assert known.post("/v1/score", content=b"x" * 1001).status_code == 413
        assert known.post("/v1/score", content=iter([b"x" * 600] * 2)).status_code == 413
        assert known.post("/v1/score", headers={"X": "a" * 20_000}).status_code == 431
        assert [stranger.get("/v1/flags").status_code for _ in range(5)] == [401] * 4 + [429]
        assert "server" not in stranger.get("/healthz").headers
    reasons = [reason for reason, _ in refusals]
    assert reasons == ["missing", "scope", "body", "body", "headers", *["missing"] * 4, "failures"]


def test_the_body_is_not_read_for_a_stranger(key_file, start):
    key_file()
    url = start()
    with client(url) as stranger:
        assert stranger.post("/v1/score", content=b"x" * 10_000_000).status_code == 401


def test_without_keys_nobody_is_asked(start):
    with client(start(ring=False)) as anyone:
        assert anyone.get("/v1/flags").status_code == 200
        assert anyone.post("/v1/score", content=b"x" * 1001).status_code == 413


def test_a_rotation_refuses_nobody(key_file, clock, start, refusals):
    tokens = [key_file()]
    url = start()
    statuses, stop = [], threading.Event()

    def keep_asking():
        with client(url) as caller:
            while not stop.is_set():
                headers = {"Authorization": f"Bearer {tokens[-1]}"}
                statuses.append(caller.get("/v1/flags", headers=headers).status_code)

    callers = [threading.Thread(target=keep_asking) for _ in range(4)]
    for caller in callers:
        caller.start()
    for _ in range(ROTATIONS):
        before = len(statuses)
        fresh = turn(key_file, clock, timedelta(minutes=5))
        while len(statuses) < before + 10:
            time.sleep(0.001)
        tokens.append(fresh)
    stop.set()
    for caller in callers:
        caller.join()

    print(f"{ROTATIONS} rotations, {len(statuses)} requests")
    assert len(statuses) > 100
    assert set(statuses) == {200}
    assert refusals == []


def test_streams_of_a_key_are_counted_and_end_when_it_is_disabled(key_file, clock, start, refusals):
    token = key_file()
    url = start()
    with client(url, token) as one, one.stream("GET", "/v1/stream") as first:
        lines = first.iter_lines()
        assert next(lines) == ": beat"
        with client(url, token) as two, two.stream("GET", "/v1/stream"):
            third = one.get("/v1/stream")
            assert (third.status_code, third.headers["retry-after"]) == (429, "5")
        disable(key_file, clock)

        assert len(list(lines)) < 1000

    assert refusals == [("streams", token.split("_")[1]), ("revoked", token.split("_")[1])]


def test_a_websocket_needs_a_key_and_ends_with_it(key_file, clock, start):
    token = key_file()
    url = start().replace("http", "ws") + "/v1/ws"

    async def talk():
        with pytest.raises(InvalidStatus, match="401"):
            await websockets.connect(url, proxy=None)
        headers = {"Authorization": f"Bearer {token}"}
        async with websockets.connect(url, additional_headers=headers, proxy=None) as line:
            assert await line.recv() == "beat"
            disable(key_file, clock)
            with pytest.raises(ConnectionClosedError, match="1008"):
                [beat async for beat in line]

    asyncio.run(talk())


def test_nobody_is_believed_about_an_address_without_a_proxy():
    assert listen_options()["proxy_headers"] is False
    assert listen_options()["forwarded_allow_ips"] == []
    assert listen_options(behind_tls_proxy=True)["forwarded_allow_ips"] == ["127.0.0.1", "::1"]


def test_a_thousand_requests_leave_no_secret_in_the_logs(key_file, clock, start):
    tokens = [key_file(f"k{n}") for n in range(5)]
    stream, metrics = io.BytesIO(), ServingMetrics(clock)
    with logs_to(stream, clock=clock, level="debug"):
        url = start(on_refusal=tell_refusals(metrics))
        with client(url) as caller:
            for n in range(1_000):
                token = tokens[n % 5]
                given = token if n % 3 else f"{token[:-8]}AAAAAAAA"
                path = f"/v1/flags?key={token}" if n % 7 == 0 else "/v1/flags"
                caller.get(path, headers={"Authorization": f"Bearer {given}"})
                clock.run(seconds=1)

    written = stream.getvalue().decode()
    refused = metrics.registry.get_sample_value(
        "liqwarn_http_refusals_total", {"reason": "unknown"}
    )
    assert '"event":"request refused","reason":"unknown"' in written
    assert refused > 100
    assert [token for token in tokens if token.split("_", 2)[2][:20] in written] == []
