from datetime import UTC, datetime

import pandas as pd
import pytest

from liqwarn.errors import StoreError
from liqwarn.models.events import EVENT_COLUMNS
from liqwarn.serving.event_file import EVENT_NUMBERS, EventFile

ROW = {
    "symbol": "BTCUSDT",
    "side": "long",
    "onset": "2024-08-05T01:00:00Z",
    "peak": "2024-08-05T06:00:00Z",
    "end": "2024-08-05T07:00:00Z",
    "move": -0.118,
    "oi_loss": 0.164,
    "long_liq_usd": 2520501.5,
    "short_liq_usd": None,
    "severity": 14.2,
    "flags": "severe;flow_confirmed",
}


@pytest.fixture
def write(tmp_path):
    def write(*changes):
        rows = [{**ROW, **change} for change in changes]
        pd.DataFrame(rows, columns=list(EVENT_COLUMNS)).to_csv(tmp_path / "events.csv", index=False)
        return EventFile(tmp_path)

    return write


def test_an_event_is_what_the_catalogue_says(write):
    [event] = write({}).events(None, None, None, None)
    assert set(event) == set(EVENT_COLUMNS) >= set(EVENT_NUMBERS)
    assert event["onset"] == "2024-08-05T01:00:00.000Z"
    assert (event["move"], event["short_liq_usd"]) == (-0.118, None)
    assert event["flags"] == ["severe", "flow_confirmed"]


def test_they_are_selected_and_in_order_of_onset(write):
    events = write(
        {"onset": "2024-08-07T00:00:00Z"},
        {"symbol": "ETHUSDT", "onset": "2024-08-06T00:00:00Z"},
        {"side": "short", "flags": ""},
    )
    assert [e["onset"][8:10] for e in events.events(None, None, None, None)] == ["05", "06", "07"]
    assert [e["symbol"] for e in events.events("ETHUSDT", None, None, None)] == ["ETHUSDT"]
    assert events.events(None, "short", None, None)[0]["flags"] == []
    sixth, seventh = (datetime(2024, 8, day, tzinfo=UTC) for day in (6, 7))
    assert [e["symbol"] for e in events.events(None, None, sixth, seventh)] == ["ETHUSDT"]


def test_it_is_read_again_when_it_changes(write):
    events = write({})
    assert len(events.events(None, None, None, None)) == 1
    write({}, {})
    assert len(events.events(None, None, None, None)) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "'onset', expected a catalogue"),
        ("symbol,side,onset\nA,up,2024-08-05T01:00:00Z\n", "side is 'up'"),
        ("symbol,side,onset\nA,long,noon\n", "onset is 'noon'"),
        ("symbol,side,onset\nA\n", "expected a catalogue"),
    ],
)
def test_what_is_no_catalogue_is_refused(tmp_path, content, message):
    (tmp_path / "events.csv").write_text(content)
    with pytest.raises(StoreError, match=message):
        EventFile(tmp_path).events(None, None, None, None)


def test_a_missing_catalogue_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match=r"events\.csv: No such file"):
        EventFile(tmp_path / "events.csv").events(None, None, None, None)
