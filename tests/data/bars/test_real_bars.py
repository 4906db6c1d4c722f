"""Real history, bar by bar through messages, assembler and journal, gives the batch's frame."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.bars.assembler import Assembler
from liqwarn.data.bars.codec import decode_message, encode_message
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.replay_feed import ReplayFeed
from liqwarn.data.ingest import ingest
from liqwarn.data.store import Store

PANEL = Path(__file__).parents[3] / "conf" / "panels" / "hyperliquid_1h.yaml"
N_BARS = 72


@pytest.fixture(scope="module")
def built(real_data, tmp_path_factory):
    """A panel and three days of its frame."""
    panel = load_panel(PANEL)
    store = Store(tmp_path_factory.mktemp("store"))
    ingest(panel, real_data, store, now=datetime(2025, 7, 1, tzinfo=UTC))
    start = datetime(2025, 6, 1, tzinfo=UTC)
    return panel, market_frame(store, panel, start=start).between(0, N_BARS)


@pytest.mark.parametrize("joined", [True, False])
def test_the_wire_and_the_journal_keep_every_bit_of_a_real_panel(built, tmp_path, moment, joined):
    panel, frame = built
    feed = ReplayFeed(frame)
    assembler = Assembler(panel, first=frame.times[0], patience=timedelta(seconds=9), joined=joined)
    with Journal.open(tmp_path / "journal", panel) as journal:
        while not (got := feed.poll(0.0)).ended:
            for message in got.messages:
                told = decode_message(encode_message(message))
                journal.append(assembler.take(told, moment(message.time, 1)))
            feed.taken()
        found = journal.frame()

    assert found.symbols == frame.symbols
    assert found.times.tobytes() == frame.times.tobytes()
    for name, plane in frame.fields.items():
        assert found.fields[name].tobytes() == plane.tobytes(), name
    for name, plane in frame.ages.items():
        assert found.ages[name].tobytes() == plane.tobytes(), name
    assert assembler.counts["accepted"] == N_BARS * len(panel.symbol_names)
    assert assembler.refusals == {}
