"""freqtrade's real RemotePairList against a server on loopback that fails in every way it can."""

import json
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import uvicorn
from fastapi import FastAPI
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.plugins.pairlistmanager import PairListManager
from freqtrade.resolvers import ExchangeResolver
from live_flags import make_flag, make_flags
from market import PAIRS, configuration
from runs import EXAMPLES

from liqwarn.serving.pairlist import pairlist, pairlist_router

JSON = "application/json"


class Served:
    """What the server says now."""

    status, kind, body, delay_s = 200, JSON, b"", 0.0
    asked = 0

    def flags(self, flags):
        body = json.dumps(pairlist(flags, datetime.now(UTC))).encode()
        self.say(body)

    def say(self, body, *, status=200, kind=JSON, delay_s=0.0):
        self.status, self.kind, self.body, self.delay_s = status, kind, body, delay_s


@pytest.fixture
def server():
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.asked += 1
            time.sleep(served.delay_s)
            self.send_response(served.status)
            self.send_header("Content-Type", served.kind)
            self.send_header("Content-Length", str(len(served.body)))
            self.end_headers()
            self.wfile.write(served.body)

        def log_message(self, *args):
            pass

    served.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    served.flags(make_flags())
    yield served
    served.http.shutdown()
    served.http.server_close()
    thread.join(5)


@pytest.fixture
def lists(server, monkeypatch, tmp_path):
    """The shipped example, asking our server; `more` changes it."""
    monkeypatch.setattr("freqtrade.exchange.exchange.Exchange.check_time_offset", lambda self: 0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def make(**more):
        (shipped,) = json.loads((EXAMPLES / "remote_pairlist.json").read_bytes())["pairlists"]
        host, port = server.http.server_address
        settings = {**shipped, "read_timeout": 0.5, **more}
        settings["pairlist_url"] = f"http://{host}:{port}/v1/freqtrade/pairlist"
        config = configuration(
            tmp_path, EXAMPLES, "Crossing", runmode=RunMode.DRY_RUN, pairlists=[settings]
        )
        exchange = ExchangeResolver.load_exchange(config, load_leverage_tiers=True)
        return PairListManager(exchange, config, DataProvider(config, exchange))

    return make


def look(manager, *, later=True):
    """What may be traded, once the time between two questions has passed."""
    if later:
        manager._pairlist_handlers[0]._pair_cache.clear()
    manager.refresh_pairlist()
    return sorted(manager.whitelist)


def stop(server):
    server.http.shutdown()
    server.http.server_close()


FAULTS = {
    "server down": stop,
    "500, html": lambda s: s.say(b"<h1>oops</h1>", status=500, kind="text/html"),
    "500, json": lambda s: s.say(b'{"detail": "oops"}', status=500),
    "503, list": lambda s: s.say(b'["BTC/USDT:USDT"]', status=503),
    "garbage": lambda s: s.say(b'{"pairs": ["BTC/US'),
    "no json": lambda s: s.say(b"BTC/USDT:USDT", kind="text/plain"),
    "nothing": lambda s: s.say(b""),
    "no pairs": lambda s: s.say(b"{}"),
    "a bad period": lambda s: s.say(b'{"pairs": ["BTC/USDT:USDT"], "refresh_period": "soon"}'),
    "too slow": lambda s: s.say(s.body, delay_s=1.0),
    "flags stale": lambda s: s.flags(make_flags(valid_minutes=-1)),
    "flags strict": lambda s: s.flags(make_flags("T3")),
    "no flags": lambda s: s.flags([]),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_whatever_fails_the_list_is_empty_and_never_the_old_one(lists, server, fault):
    manager = lists()
    assert look(manager) == sorted(PAIRS)
    fault(server)
    assert look(manager) == []
    assert look(manager) == []


def test_a_pair_leaves_when_its_flag_turns_and_comes_back(lists, server):
    manager = lists()
    assert look(manager) == sorted(PAIRS)
    server.flags([make_flag("BTCUSDT", "T4"), make_flag("ETHUSDT")])
    assert look(manager) == ["ETH/USDT:USDT"]
    server.flags(make_flags("T1"))
    assert look(manager) == sorted(PAIRS)


def test_after_a_fault_it_recovers(lists, server):
    manager = lists()
    look(manager)
    server.say(b"", status=500)
    assert look(manager) == []
    server.flags(make_flags())
    assert look(manager) == sorted(PAIRS)


def test_a_symbol_that_is_a_pattern_lists_nothing(lists, server):
    manager = lists()
    look(manager)
    server.flags([make_flag(".*USDT"), make_flag("B|EUSDT")])
    assert look(manager) == []


def test_until_the_period_is_over_the_list_is_the_last_one(lists, server):
    """The price of asking every five seconds: so long a denied pair may still be listed."""
    manager = lists()
    assert look(manager) == sorted(PAIRS)
    stop(server)
    assert look(manager, later=False) == sorted(PAIRS)
    assert manager._pairlist_handlers[0]._refresh_period == 5


def test_without_a_first_list_the_bot_does_not_start_trading(lists, server):
    server.say(b"<h1>oops</h1>", status=500, kind="text/html")
    manager = lists()
    with pytest.raises(OperationalException, match="not of type JSON"):
        manager.refresh_pairlist()


def test_the_other_settings_are_why_the_example_says_what_it_says(lists, server):
    """With freqtrade's default the old list lives on: it fails open."""
    manager = lists(keep_pairlist_on_failure=True)
    assert look(manager) == sorted(PAIRS)
    FAULTS["500, html"](server)
    assert look(manager) == sorted(PAIRS)


@contextmanager
def route_of(flags):
    """liqwarn's own route, served by uvicorn."""
    app = FastAPI()
    app.include_router(pairlist_router(lambda: flags, lambda: datetime.now(UTC)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(5)


def test_with_liqwarns_own_route(lists):
    flags = [make_flag("BTCUSDT", "T4"), make_flag("ETHUSDT", "T2")]
    with route_of(flags) as (host, port):
        manager = lists()
        handler = manager._pairlist_handlers[0]
        handler._pairlist_url = handler._pairlist_url.replace(
            handler._pairlist_url.split("/")[2], f"{host}:{port}"
        )
        assert look(manager) == ["ETH/USDT:USDT"]
        flags[:] = make_flags("T1")
        assert look(manager) == sorted(PAIRS)
        flags[:] = make_flags(valid_minutes=-1)
        assert look(manager) == []
    assert look(manager) == []
