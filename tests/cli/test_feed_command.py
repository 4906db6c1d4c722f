"""feed: refuses what it cannot do, sends to a real socket, ends when told."""

import threading
from datetime import UTC, datetime

import numpy as np
import pytest

from liqwarn.cli.feed_command import target_of
from liqwarn.data.bars.socket_feed import SocketFeed
from liqwarn.errors import ConfigError


@pytest.mark.parametrize("text", ["", "unix:", "tcp:9000", "tcp:host:", "tcp:host:x", "udp:h:1"])
def test_a_target_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match="expected unix:PATH or tcp:HOST:PORT"):
        target_of(text)


def test_without_data_it_is_refused(run, given):
    told = run("feed", "--panel", given / "panel.yaml", "--to", "unix:a.sock")

    assert "--data is missing" in told.refusal


@pytest.fixture
def loop(tmp_path):
    """A live loop's feed that takes whatever comes."""
    at, got, stop = tmp_path / "b.sock", [], threading.Event()
    feed = SocketFeed(at)

    def poll():
        while not stop.is_set():
            got.extend(feed.poll(0.01).messages)
            feed.taken()

    thread = threading.Thread(target=poll)
    thread.start()
    yield at, got
    stop.set()
    thread.join()
    feed.close()


def test_bars_go_to_the_loop_and_a_refresh_that_fails_is_told(run, given, tmp_path, loop):
    at, got = loop

    told = run(
        "feed", "--panel", given / "panel.yaml", "--data", given / "files",
        "--store", tmp_path / "s", "--to", f"unix:{at}", "--patience-s", "1", "--every-s", "0.5",
        "--back", "2", "--bars", "2", "--refresh", "false",
    )  # fmt: skip

    assert told.code == 0
    assert "--refresh ended with 1" in told.err
    assert [message.symbol for message in got] == ["BTCUSDT", "DOGEUSDT"] * 2
    assert "4 sent, 4 of them without a core field" in told.err
    hours = np.datetime64(datetime.now(UTC).replace(tzinfo=None), "s") - got[-1].time
    assert np.timedelta64(0, "s") <= hours < np.timedelta64(2, "h")
