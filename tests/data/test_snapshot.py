from datetime import UTC, datetime

import numpy as np
import pytest

from liqwarn.data.manifest import Origin
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.snapshot import empty_records

KEY = SeriesKey(panel="p", source="s", symbol="BTCUSDT")
NEW_YEAR = 1_704_067_200
ORIGIN = Origin(file="a.csv", sha256="00", first_at=datetime(2024, 1, 1, tzinfo=UTC))


def records(event, close):
    event = NEW_YEAR + np.asarray(event, dtype=np.int64)
    values = {"close": np.asarray(close, dtype=float)}
    return Records(key=KEY, event=event, known=event, values=values, row=np.arange(event.size))


@pytest.fixture
def snapshot(store):
    store.append([records([-7_200, -3_600, 0, 3_600], [1, 2, 3, 4])], origin=ORIGIN)
    store.append([records([0, 7_200], [9, 5])], origin=ORIGIN, replace=True)
    return store.snapshot()


def test_years_and_writings_are_joined(snapshot):
    found = snapshot.read(KEY)

    assert (found.event - NEW_YEAR).tolist() == [-7_200, -3_600, 0, 3_600, 7_200]
    assert found.values["close"].tolist() == [1, 2, 9, 4, 5]
    assert snapshot.first_event(KEY) == NEW_YEAR - 7_200


def test_a_read_may_be_bounded(snapshot):
    found = snapshot.read(KEY, start=NEW_YEAR - 3_600, end=NEW_YEAR + 3_600)

    assert found.values["close"].tolist() == [2, 9, 4]


def test_the_history_keeps_what_was_replaced(snapshot):
    assert [part.values["close"].tolist() for part in snapshot.history(KEY)] == [
        [1, 2],
        [3, 4],
        [9, 5],
    ]


def test_a_snapshot_does_not_see_what_comes_later(snapshot, store):
    store.append([records([9_999], [6])], origin=ORIGIN)

    assert len(snapshot.read(KEY)) == 5
    assert len(store.read(KEY)) == 6


def test_an_unknown_series_is_empty(snapshot):
    other = SeriesKey(panel="p", source="s", symbol="ETHUSDT")

    assert len(snapshot.read(other)) == len(empty_records(other)) == 0
    assert snapshot.first_event(other) is None
