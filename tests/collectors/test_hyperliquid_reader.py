"""Hyperliquid's frames in their order: what is new, what closes, what is history."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.collectors.hyperliquid import Hyperliquid
from liqwarn.errors import DataError

F = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("hyperliquid_frames.py"))))
T0, POLL = F.T0, f"positions-{F.WATCHED}"


def fresh():
    return Hyperliquid(watched=(F.WATCHED,)).reader(["BTCUSDT"])


@pytest.fixture
def reader():
    return fresh()


def edited(frame, change):
    found = json.loads(frame)
    change(found)
    return json.dumps(found).encode()


def test_a_context_has_the_time_of_the_last_book_on_its_line(reader):
    assert reader.read("market-1", F.context()).happenings == ()
    reader.read("market-1", F.book(at=T0 + 777))
    told = reader.read("market-1", F.context()).happenings

    assert {reading.time_ms for reading in told} == {T0 + 777}
    assert reader.read("market-2", F.context()).happenings == ()


def test_the_clock_of_a_line_begins_anew_when_it_is_opened(reader):
    reader.read("market-1", F.book())
    reader.opened("market-1")

    assert reader.read("market-1", F.context()).happenings == ()


def test_the_clock_tells_no_depth_of_a_coin_that_was_not_asked_for():
    reader = Hyperliquid().reader(["ETHUSDT"])

    assert reader.read("market-1", F.book()).happenings == ()
    assert reader.read("market-1", F.context("ETH")).happenings
    assert reader.passed_over == 0


def test_a_late_book_says_nothing_and_one_of_long_ago_begins_anew(reader):
    reader.read("market-1", F.book(at=T0 + 100_000))

    assert reader.read("market-1", F.book(at=T0 + 50_000)).happenings == ()
    assert "before" in reader.read("market-1", F.book(at=T0)).gap
    assert reader.read("market-1", F.book(at=T0 + 1)).happenings


def test_a_minute_is_closed_when_the_next_begins(reader):
    first = [
        reader.read("market-1", F.candle(start=start, c=close, h="109")).happenings
        for start, close in ((T0, "101"), (T0, "102"), (T0 + 60_000, "103"), (T0 + 60_000, "104"))
    ]
    late = reader.read("market-1", F.candle(start=T0)).happenings
    after = reader.read("market-1", F.candle(start=T0 + 180_000)).happenings

    assert [len(told) for told in first] == [0, 0, 1, 0]
    assert (first[2][0].time_ms, first[2][0].close) == (T0 + 60_000, 102.0)
    assert late == ()
    assert [(c.symbol, c.time_ms, c.close) for c in after] == [("BTCUSDT", T0 + 120_000, 104.0)]


def test_a_minute_that_was_cut_by_a_lost_line_is_not_told(reader):
    reader.read("market-1", F.candle())
    reader.opened("market-1")

    assert reader.read("market-1", F.candle(start=T0 + 60_000)).happenings == ()


def test_candles_may_come_as_a_list(reader):
    def listed(found):
        found["data"] = [found["data"]]

    reader.read("market-1", edited(F.candle(), listed))

    assert reader.read("market-1", edited(F.candle(start=T0 + 60_000), listed)).happenings


def test_trades_are_told_once_though_the_venue_repeats_them(reader):
    first = reader.read("trades-1", F.trades(1, 2))
    reader.opened("trades-1")
    again = reader.read("trades-1", F.trades(2, 3))

    assert [trade.key for trade in first.happenings] == [f"{T0 + 100}-1", f"{T0 + 100}-2"]
    assert [trade.key for trade in again.happenings] == [f"{T0 + 100}-3"]
    assert first.keep


def test_fills_from_before_the_recording_are_history(reader):
    heard = reader.read("fills", F.fills(F.fill(1), repeats=True))

    assert heard.happenings == ()
    assert heard.keep


def test_what_came_while_nobody_listened_is_told_from_the_repetition(reader):
    reader.read("fills", F.fills(F.fill(1, time=T0), repeats=True))
    reader.read("fills", F.fills(F.fill(2, time=T0 + 1_000)))
    reader.opened("fills")
    rows = [F.fill(n, time=T0 + at) for n, at in ((3, 5_000), (2, 1_000), (1, 0), (9, -5_000))]
    heard = reader.read("fills", F.fills(*rows, repeats=True))

    assert [told.time_ms for told in heard.happenings] == [T0 + 5_000]


def test_one_trade_seen_from_both_accounts_is_one_liquidation():
    other = "0x" + "cd" * 20
    reader = Hyperliquid(liquidators=(F.VAULT, other)).reader(["BTCUSDT"])
    own = F.fill(5, side="A", victim=other)
    told = [
        reader.read("fills", F.fills(F.fill(5, victim=other))).happenings,
        reader.read("fills", F.fills(own, user=other)).happenings,
        reader.read("fills", F.fills(own, own, user=other)).happenings,
    ]

    assert [len(happenings) for happenings in told] == [1, 0, 0]


def test_ordinary_fills_of_a_vault_are_not_kept(reader):
    unwound = F.fill(3, victim=None, words="Close Long", side="A")

    assert not reader.read("fills", F.fills(unwound)).keep


def test_fills_of_an_account_that_is_not_followed_are_counted(reader):
    heard = reader.read("fills", F.fills(F.fill(1), user=F.VICTIM))

    assert (heard.happenings, reader.passed_over) == ((), 1)


def test_positions_are_whose_poll_it_is(reader):
    heard = reader.read(POLL, F.state(F.position()))

    assert [(p.owner, p.size) for p in heard.happenings] == [(F.WATCHED, -1.5)]
    assert (heard.topic, heard.keep) == (POLL, True)
    gone = reader.read(POLL, F.state(at=T0 + 61_000)).happenings
    assert [(p.size, p.time_ms) for p in gone] == [(0.0, T0 + 61_000)]


def test_a_late_reply_says_nothing(reader):
    reader.read(POLL, F.state(F.position(), at=T0 + 61_000))

    assert reader.read(POLL, F.state()).happenings == ()


def test_a_tape_tells_the_fills_of_whoever_was_followed():
    frame = F.fills(F.fill(1), user="0x" + "5" * 40)

    assert len(Hyperliquid(anybody=True).reader(["BTCUSDT"]).read("fills", frame).happenings) == 1
    assert Hyperliquid().reader(["BTCUSDT"]).read("fills", frame).happenings == ()


def test_the_venues_own_words(reader):
    why = 'Invalid subscription {"type":"candle","coin":"NOPE"}'

    assert reader.read("market-1", b"Websocket connection established.").refused == ""
    assert reader.read("market-1", b'{"channel":"pong"}').refused == ""
    assert "Invalid subscription" in reader.read("market-1", F.frame("error", why)).refused
    refused = reader.read("market-1", F.frame("error", why)).refused_topics
    assert refused == ("candle:NOPE",)
    for vague in ("Too many subscriptions", "Invalid {", 'Invalid {"type":"candle"'):
        assert reader.read("market-1", F.frame("error", vague)).refused_topics == ()
    again = F.frame("error", "Already subscribed: trades")
    assert reader.read("market-1", again).refused == ""


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("trades-1", F.trades(1, coin="DOGE")),
        ("market-1", F.context("DOGE")),
        ("market-1", F.candle(coin="DOGE")),
        ("books-3-1", F.book(coin="DOGE")),
    ],
)
def test_a_coin_that_was_not_asked_for_is_counted(reader, line, frame):
    assert reader.read(line, frame).happenings == ()
    assert reader.passed_over == 1


@pytest.mark.parametrize("frame", range(len(F.session())))
def test_fields_that_are_new_are_ignored(frame):
    def widen(found):
        found["news"] = {"a": [1]}
        inside = found.get("data", found)
        for row in inside if isinstance(inside, list) else [inside]:
            row["more"] = "x"

    plain, wider = fresh(), fresh()
    for n, (line, content) in enumerate(F.session()[: frame + 1]):
        given = edited(content, widen) if n == frame else content
        expected, found = plain.read(line, content), wider.read(line, given)
        assert repr(found) == repr(expected)


def rename(where, old, new):
    def change(found):
        row = found["data"]
        for step in where:
            row = row[step]
        row[new] = row.pop(old)

    return change


DRIFT = {
    "side of a trade": (F.trades(1), rename([0], "side", "S"), "field 'side': missing"),
    "price of a trade": (F.trades(1), rename([0], "px", "price"), "field 'px': missing"),
    "number of a trade": (F.trades(1), rename([0], "tid", "id"), "field 'tid': missing"),
    "time of a trade": (F.trades(1), rename([0], "time", "ts"), "field 'time': missing"),
    "mark": (F.context(), rename(["ctx"], "markPx", "mark"), "field 'markPx': missing"),
    "oracle": (F.context(), rename(["ctx"], "oraclePx", "oracle"), "'oraclePx': missing"),
    "funding": (F.context(), rename(["ctx"], "funding", "rate"), "field 'funding': missing"),
    "interest": (F.context(), rename(["ctx"], "openInterest", "oi"), "'openInterest': missing"),
    "context": (F.context(), rename([], "ctx", "context"), "field 'ctx': found null"),
    "levels": (F.book(), rename([], "levels", "sides"), "field 'levels': found null"),
    "size of a level": (F.book(), rename(["levels", 0, 3], "sz", "q"), "field 'sz': missing"),
    "close": (F.candle(), rename([], "c", "close"), "field 'c': missing"),
    "user": (F.fills(F.fill(1)), rename([], "user", "account"), "field 'user': missing"),
    "fills": (F.fills(F.fill(1)), rename([], "fills", "trades"), "'fills': found null"),
    "liquidation": (
        F.fills(F.fill(1)),
        rename(["fills", 0], "liquidation", "liq"),
        "'liquidation': missing",
    ),
}


@pytest.mark.parametrize("name", DRIFT)
def test_a_needed_field_that_is_renamed_refuses_the_frame(reader, name):
    frame, change, why = DRIFT[name]
    reader.read("market-1", F.book(at=T0))

    with pytest.raises(DataError, match=why):
        reader.read("market-1", edited(frame, change))


WRONG = {
    "a rate in percent": (F.context(funding="1.25"), "a rate of -0.1 to 0.1"),
    "mark and oracle of two coins": (F.context(markPx="3.5"), "mark and oracle"),
    "a number without quotes": (F.context(markPx=63560.0), "a number as text"),
    "open interest below 0": (F.context(openInterest="-1"), "above 0"),
    "seconds": (F.book(at=T0 // 1_000), "milliseconds of 2010"),
    "microseconds": (F.trades(1, at=T0 * 1_000), "milliseconds of 2010"),
    "a trade of no side": (F.trades(1, side="buy"), "expected B, A"),
    "one side of a book": (
        F.frame("l2Book", {"coin": "BTC", "time": T0, "levels": [[]]}),
        "found 1 sides",
    ),
    "trades of two coins": (
        edited(F.trades(1, 2), lambda f: f["data"][0].update(coin="ETH")),
        "expected one",
    ),
    "another channel": (F.frame("liquidations", []), "expected trades, activeAssetCtx"),
    "no channel": (b'{"code":500}', "field 'channel': missing"),
    "no list": (F.frame("trades", {}), "expected a list"),
    "no candle": (F.frame("candle", []), "expected those of one coin"),
    "a page": (b"<html>busy</html>", "expected JSON"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_refuses_the_frame(reader, name):
    frame, why = WRONG[name]

    with pytest.raises(DataError, match=why):
        reader.read("market-1", frame)


@pytest.mark.parametrize("reply", [b"null", b"[]", b'{"error":"busy"}', b"<html>429</html>", b""])
def test_a_reply_that_is_no_state_is_refused(reader, reply):
    with pytest.raises(DataError, match=POLL):
        reader.read(POLL, reply)


def test_the_same_frames_say_the_same():
    first, again = fresh(), fresh()

    told = [repr(first.read(line, frame)) for line, frame in F.session()]
    assert [repr(again.read(line, frame)) for line, frame in F.session()] == told


def test_the_frames_of_the_tape_alone_say_the_same_again(reader):
    unwound = F.fill(90, victim=None, words="Close Long", side="A", time=T0 + 9_000)
    missed = [F.fill(n, time=T0 + at) for n, at in ((92, 9_500), (91, 8_000), (71, 700))]
    more = [("fills", F.fills(unwound)), None, ("fills", F.fills(*missed, repeats=True))]
    kept, told = [], []
    for step in [*F.session(), *more]:
        if step is None:
            reader.opened("fills")
            continue
        heard = reader.read(*step)
        if heard.keep:
            kept.append(step)
            told.append(repr(heard.happenings))
    again = fresh()

    assert [repr(again.read(*step).happenings) for step in kept] == told
    assert told[-1].count("Liquidation(") == 2


def test_books_of_coins_that_nobody_asked_for_are_not_remembered(reader):
    for n in range(50):
        reader.read("books-3-1", F.book(coin=f"X{n}"))

    assert reader.passed_over == 50
    assert not reader._lines["books-3-1"].times
