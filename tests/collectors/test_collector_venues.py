"""The four venues through the whole collector: their sockets and pages in their own formats."""

import asyncio
import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.happening_codec import decode_happenings
from liqwarn.collectors.happenings import Liquidation
from liqwarn.collectors.venues import VENUES

HERE = Path(__file__)
_FAKE = runpy.run_path(str(HERE.with_name("fake_venue.py")))
_GIVEN = runpy.run_path(str(HERE.with_name("collect_given.py")))
FakeVenue, frame = _FAKE["FakeVenue"], _FAKE["frame"]
FastClocks, collecting, taped, until, wanted = (
    _GIVEN[name] for name in ("FastClocks", "collecting", "taped", "until", "wanted")
)
FRAMES = {
    "binance": "binance_given.py",
    "bybit": "bybit_frames.py",
    "hyperliquid": "hyperliquid_frames.py",
    "okx": "okx_given.py",
}
KINDS = frozenset({"liquidation", "mark", "open_interest", "funding", "depth", "candle"})


def connection_of(server, line):
    """The connection on which a line was asked for."""
    for connection in server.connections:
        if line.path.lstrip("/") == connection.path.lstrip("/") and all(
            greeting in connection.received for greeting in line.greetings
        ):
            return connection
    return None


def liquidations_of(venue, heard):
    """What a fresh reader makes of lines and frames."""
    reader = venue.reader(("BTCUSDT", "ETHUSDT"))
    found = []
    for line, content in heard:
        found += [one for one in reader.read(line, content).happenings if type(one) is Liquidation]
    return found


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_what_a_venue_says_is_read_again_from_the_tape(tmp_path, name):
    venue = VENUES[name]
    session = runpy.run_path(str(HERE.with_name(FRAMES[name])))["session"]()
    symbols, kinds = ("BTCUSDT", "ETHUSDT"), KINDS & venue.kinds
    lines = {line.name: line for line in venue.lines(symbols, kinds)}
    session = [(line, content) for line, content in session if not line.startswith("trades")]
    replies = dict(session)

    async def play(server):
        for poll in venue.polls(symbols, kinds):
            if poll.name in replies:
                server.pages[poll.path] = (200, replies[poll.name])
        clocks = FastClocks(20.0)
        what = wanted(tmp_path, kinds=kinds, symbols=symbols)
        async with collecting(venue, server, what, clocks) as collector:
            await until(lambda: all(connection_of(server, line) for line in lines.values()))
            sent = 0
            for line, content in session:
                if line in lines:
                    sent += 1
                    server.do(connection_of(server, lines[line]).raw, frame(content))
                    status = collector.status
                    await until(lambda: sum(one.frames for one in status.lines.values()) >= sent)  # noqa: B023
        return collector.status

    with FakeVenue() as server:
        status = asyncio.run(play(server))
    records = taped(tmp_path, name)
    heard = [(r.line, r.content) for r in records if r.what == "frame"]
    found = liquidations_of(venue, heard)
    sampled = {
        type(one).__name__
        for r in records
        if r.what == "happenings"
        for one in decode_happenings(r.content)
    }

    assert {line.opened for line in status.lines.values()} == {1}
    assert found == liquidations_of(venue, session)
    assert found
    assert status.happenings["liquidation"] == len(found)
    assert "Reading" in sampled
    assert not [r for r in records if r.what == "refused"]
