"""A live node with nautilus' own sandbox exchange, fed by the real client."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from market import PERPETUAL, SYMBOL, ScriptedGuarded, guard_config
from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.factory import SandboxLiveExecClientFactory
from nautilus_trader.common.actor import Actor
from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import TraderId

from liqwarn.board import BoardWriter
from liqwarn.board.clocks import SYSTEM_CLOCKS
from liqwarn.decisions import (
    FLAGS_SCHEMA,
    Flag,
    ModelStamp,
    PolicyStamp,
    Restriction,
    Tier,
    TradingState,
    flag_to_dict,
    iso_utc,
)
from liqwarn.signing import generate_key, save_verify_key, sign_document
from liqwarn_nautilus import LiqwarnActor, LiqwarnActorConfig, mount_risk_control
from liqwarn_nautilus.default_limits import DEFAULT_LIMITS, limits_of
from liqwarn_nautilus.gate_feed import LiqwarnGateFeed, LiqwarnGateFeedConfig

STAMP = "0" * 64
NODE_WAIT_S = 10.0


def risk_flag(tier, sequence, *, halted=False, life=timedelta(minutes=10)):
    """A flag of now, both sides at one tier."""
    now = datetime.now(tz=UTC).replace(microsecond=0)
    state = "HALTED" if halted else "ACTIVE" if tier < 3 else "REDUCING"
    side = Restriction(
        tier=Tier(tier),
        state=TradingState(state),
        limits=limits_of(tier, tier, state, DEFAULT_LIMITS),
        probability={1: 0.01, 4: 0.02, 24: 0.05},
        reasons=("For a test.",),
    )
    return Flag(
        symbol=SYMBOL,
        as_of=now - timedelta(seconds=1),
        issued_at=now,
        valid_until=now + life,
        sequence=sequence,
        quality="ok",
        sides={"long": side, "short": side},
        model=ModelStamp(version="1", sha256=STAMP),
        policy=PolicyStamp(version="1.0.0", sha256=STAMP),
        data_sha256=STAMP,
        completeness=1.0,
    )


class Quotes(Actor):
    """A quote every 50 ms: what a data client would bring."""

    def on_start(self):
        self.clock.set_timer("quotes", timedelta(milliseconds=50), callback=self.quote)
        self.quote(None)

    def on_stop(self):
        self.clock.cancel_timer("quotes")

    def quote(self, _event):
        now = self.clock.timestamp_ns()
        prices = PERPETUAL.make_price(60_000), PERPETUAL.make_price(60_001)
        sizes = PERPETUAL.make_qty(500), PERPETUAL.make_qty(500)
        tick = QuoteTick(PERPETUAL.id, *prices, *sizes, now, now)
        self.msgbus.send("DataEngine.process", tick)


class LiveTrader(ScriptedGuarded):
    """Without a data client there is nothing to subscribe to."""

    script: ClassVar = {}

    def begin(self):
        pass


def new_node(loop, source, keys, api_key_file=None):
    """A node with sandbox, feed, actor and a guarded trader."""
    sandbox = SandboxExecutionClientConfig(
        venue="BINANCE", starting_balances=["50000000 USDT"], account_type="MARGIN"
    )
    node = TradingNode(
        config=TradingNodeConfig(
            trader_id=TraderId("TESTER-001"),
            logging=LoggingConfig(log_level="ERROR"),
            exec_clients={"BINANCE": sandbox},
            timeout_disconnection=0.2,
            timeout_post_stop=0.1,
        ),
        loop=loop,
    )
    node.cache.add_instrument(PERPETUAL)
    symbols = {str(PERPETUAL.id): SYMBOL}
    feed = LiqwarnGateFeedConfig(
        source=source,
        symbols=[SYMBOL],
        keys=None if keys is None else str(keys),
        api_key_file=api_key_file,
        poll_interval_s=0.1,
    )
    actor = LiqwarnActor(LiqwarnActorConfig(symbols=symbols, watch_interval_s=0.1))
    trader = LiveTrader(guard_config())
    trader.prepare(PERPETUAL)
    for component in (Quotes(), LiqwarnGateFeed(feed), actor):
        node.trader.add_actor(component)
    node.trader.add_strategy(trader)
    node.add_exec_client_factory("BINANCE", SandboxLiveExecClientFactory)
    node.build()
    mount_risk_control(node.kernel)
    return node, trader


async def until(true):
    """Wait for something to come true, or fail."""
    async with asyncio.timeout(NODE_WAIT_S):
        while not true():
            await asyncio.sleep(0.02)


async def drill(node, trader, publish):
    """Calm, in; reduce-only, in denied and out passes; calm again, until nobody writes."""

    def state():
        return node.kernel.risk_engine.trading_state.name

    running = asyncio.create_task(node.run_async())
    try:
        publish(risk_flag(0, 1))
        await until(lambda: state() == "ACTIVE" and trader.may_open(PERPETUAL.id, "long", 1)[0])
        trader.buy(2)
        await until(lambda: trader.held() == 2)

        publish(risk_flag(4, 2))
        await until(lambda: state() == "REDUCING")
        trader.buy(1)
        await until(lambda: trader.denied_entries == 1)
        trader.sell(2)
        await until(lambda: trader.held() == 0)

        publish(risk_flag(0, 1))  # lower than seen before
        await asyncio.sleep(0.8)
        assert state() == "REDUCING"
        publish(risk_flag(0, 3, life=timedelta(seconds=4)))
        await until(lambda: state() == "ACTIVE")
        await until(lambda: state() == "REDUCING")  # nobody writes any more
    finally:
        await node.stop_async()
        await asyncio.wait([running], timeout=NODE_WAIT_S)
    assert trader.denied_exits == 0


def play(source, publish, keys=None):
    """A node of its own for a drill; its end closes the loop."""
    loop = asyncio.new_event_loop()
    node, trader = new_node(loop, source, keys)
    try:
        loop.run_until_complete(drill(node, trader, publish))
    finally:
        node.dispose()


def document(row, flag):
    """A published set of one flag."""
    return json.dumps(
        {
            "schema": FLAGS_SCHEMA,
            "generated_at": iso_utc(flag.issued_at),
            "market": "test",
            "flags": [row],
        }
    ).encode()


def test_a_node_obeys_signed_flags_of_a_file(tmp_path):
    key = generate_key()
    save_verify_key(key.public, tmp_path / "public.pem")
    path = tmp_path / "flags.json"

    def publish(flag):
        new = tmp_path / "new.json"
        new.write_bytes(document(sign_document(flag_to_dict(flag), key), flag))
        new.replace(path)

    play(f"file:{path}", publish, tmp_path / "public.pem")


def test_a_node_obeys_a_flag_board(tmp_path):
    path = tmp_path / "flags.board"
    writer = BoardWriter.create(path, [SYMBOL])

    def publish(flag):
        ahead = int((flag.valid_until - datetime.now(tz=UTC)).total_seconds() * 1e9)
        writer.write(flag, deadline_ns=SYSTEM_CLOCKS.boot_ns() + ahead)

    play(f"board:{path}", publish)
    writer.close()


def test_a_node_obeys_flags_over_http():
    body = {}

    class Flags(BaseHTTPRequestHandler):
        def do_GET(self):
            content = body.get("flags")
            good = self.path == "/v1/flags" and content is not None
            self.send_response(200 if good else 404)
            self.end_headers()
            self.wfile.write(content if good else b"")

        def log_message(self, *_):
            pass

    def publish(flag):
        body["flags"] = document(flag_to_dict(flag), flag)

    with ThreadingHTTPServer(("127.0.0.1", 0), Flags) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            play(f"http://127.0.0.1:{server.server_port}", publish)
        finally:
            server.shutdown()
            thread.join()
