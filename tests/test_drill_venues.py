"""The venues of the drill speak so that the readers understand, and say what they play."""

import json
import sys
from pathlib import Path

import pytest

from liqwarn.collectors.happenings import Candle, Liquidation, Reading
from liqwarn.collectors.venues import VENUES

DRILL = Path(__file__).parents[1] / "examples" / "drill"
BEGIN = 1_790_000_040_000  # a whole bar of two minutes
BAR = 120_000
FIELDS = {
    "open": 100.0, "high": 103.0, "low": 99.0, "close": 102.0, "volume": 50.0,
    "taker_buy_volume": 30.0, "mark": 102.1, "index": 101.9, "open_interest": 5_000.0,
    "funding_rate": 1e-4, "funding_interval_h": 8.0, "funding_rate_2": 2e-4,
    "funding_interval_2_h": 4.0, "bid_depth_usd": 2e6, "ask_depth_usd": 1e6,
    "long_liq_usd": 600_000.0, "short_liq_usd": 30_000.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(DRILL))
    try:
        import played_market  # noqa: PLC0415
        import venue_player  # noqa: PLC0415

        yield played_market, venue_player
    finally:
        sys.path.remove(str(DRILL))
        for name in ("played_market", "venue_player"):
            sys.modules.pop(name, None)


@pytest.fixture
def played(modules):
    bars = {BEGIN + BAR * k: FIELDS for k in range(4)}
    return modules[0].PlayedSymbol(bars, BAR)


def heard(venue, frames):
    """What a fresh reader makes of frames by line."""
    reader = venue.reader(["BTCUSDT"])
    told = []
    for line, frame in frames:
        one = reader.read(line, json.dumps(frame).encode())
        assert not one.refused
        assert not one.gap, one.gap
        told += one.happenings
    return told


def check(told, played, depth=("bid_depth_usd", "ask_depth_usd")):
    orders = [one for one in told if isinstance(one, Liquidation)]
    candles = [one for one in told if isinstance(one, Candle)]
    expected = [o for s in range(BAR // 1_000) for o in played.orders(BEGIN // 1_000 + s)]
    assert [(o.time_ms, o.side, o.price, o.size) for o in orders] == [
        (o.time_ms, o.side, o.price, o.size) for o in expected
    ]
    assert sum(o.usd for o in orders) == pytest.approx(630_000.0, rel=1e-2)
    assert [one.time_ms for one in candles] == [BEGIN + 60_000, BEGIN + 120_000]
    assert min(one.low for one in candles) == pytest.approx(99.0)
    assert max(one.high for one in candles) == pytest.approx(103.0)
    fields = {one.field for one in told if isinstance(one, Reading)}
    assert {"mark", "index", "open_interest", "funding_rate", *depth} <= fields
    last = {one.field: one.value for one in told if isinstance(one, Reading)}
    assert last[depth[0]] == pytest.approx(2e6, rel=0.15)


def test_binance_is_understood(modules, played, monkeypatch):
    venue, moment = modules[1].Binance({"BTCUSDT": played}), [BEGIN]
    monkeypatch.setattr(modules[1], "now_ms", lambda: moment[0])
    asked = VENUES["binance"]
    kinds = asked.kinds
    lines = asked.lines(["BTCUSDT"], kinds)
    frames = [("funding-info", venue.page("/fapi/v1/fundingInfo"))]
    for at_ms in range(BEGIN + 500, BEGIN + BAR + 500, 500):
        moment[0] = at_ms
        if at_ms == BEGIN + 2_000:
            frames += [
                (poll.name, venue.page(poll.path)) for poll in asked.polls(["BTCUSDT"], kinds)
            ]
        for line in lines:
            frames += [(line.name, told) for told in venue.tick(line.path, at_ms)]
    frames += [(line.name, told) for line in lines for told in venue.answer(line.path, {})]

    check(heard(asked, frames), played)


def test_bybit_is_understood(modules, played, monkeypatch):
    venue = modules[1].Bybit({"BTCUSDT": played})
    monkeypatch.setattr(modules[1], "now_ms", lambda: BEGIN)
    asked = VENUES["bybit"]
    lines = asked.lines(["BTCUSDT"], asked.kinds - {"trade"})
    frames = [
        (line.name, told)
        for line in lines
        for said in (*line.greetings, line.ping)
        for told in venue.answer(line.name, json.loads(said))
    ]
    for at_ms in range(BEGIN + 500, BEGIN + BAR + 500, 500):
        for line in lines:
            frames += [(line.name, told) for told in venue.tick(line.name, at_ms)]

    check(heard(asked, frames), played)
