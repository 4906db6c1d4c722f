"""Files that are stored together leave the same rows as files stored one by one."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.manifest import Origin
from liqwarn.data.pending import FileRecords, Pending
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.store import Store
from liqwarn.errors import ConflictError

KEYS = [SeriesKey(panel="p", source="s", symbol=name) for name in ("BTCUSDT", "ETHUSDT")]
NEW_YEAR = 1_704_067_200
NOW = datetime(2025, 1, 1, tzinfo=UTC)


def file(number, rows, *, value=1.0, fields=("close",)):
    """A day of hours around the end of a year; `rows` says which of its hours are there."""
    event = NEW_YEAR + 3_600 * (24 * (number - 2) + np.array(sorted(rows), dtype=np.int64))
    batch = [
        Records(
            key=key,
            event=event,
            known=event,
            values={name: np.full(event.size, value) for name in fields},
            row=np.arange(1, event.size + 1),
        )
        for key in KEYS
    ]
    origin = Origin(file=f"{number}.csv", sha256=f"{number:02d}", first_at=NOW)
    return FileRecords(batch=batch, origin=origin)


def told(store):
    """Every series of a store, with the name of each row's file."""
    snapshot = store.snapshot()
    found = {}
    for key in sorted(store.keys()):
        records, origin = snapshot.read_with_origin(key)
        names = [snapshot.manifest.origins[i].file for i in origin]
        values = {name: column.tolist() for name, column in sorted(records.values.items())}
        found[key] = (records.event.tolist(), names, str(values))
    return found


HOURS = st.sets(st.integers(0, 23), max_size=6)


@settings(max_examples=25, deadline=None)
@given(days=st.lists(HOURS, min_size=1, max_size=5), split=st.integers(0, 5))
def test_together_or_one_by_one_is_the_same(days, split):
    files = [file(n, rows) for n, rows in enumerate(days)]
    with tempfile.TemporaryDirectory() as folder:
        alone, together = Store(Path(folder, "alone")), Store(Path(folder, "together"))
        counts = [alone.append(f.batch, origin=f.origin) for f in files]

        first = together.append_files(files[:split])
        assert first + together.append_files(files[split:]) == counts
        assert told(together) == told(alone)
        assert [c.unchanged for c in together.append_files(files)] == [2 * len(d) for d in days]


def test_a_conflict_keeps_the_files_before_it(store):
    store.append(file(1, {0}, value=5.0).batch, origin=file(1, {0}).origin)
    files = [file(0, {0, 1}), file(1, {0, 1}, value=6.0), file(2, {0})]

    with pytest.raises(ConflictError, match=r"1\.csv row 1 field 'close'.* 5\.0 from 1\.csv"):
        store.append_files(files)
    assert [len(records) for records in map(store.read, KEYS)] == [3, 3]

    assert [c.replaced for c in store.append_files(files, replace=True)] == [0, 2, 0]
    assert store.read(KEYS[0]).values["close"].tolist() == [1.0, 1.0, 6.0, 6.0, 1.0]


def test_fields_that_only_some_files_give_are_missing_in_the_others(store):
    store.append_files([file(0, {0}), file(1, {0}, fields=("close", "volume"))])

    np.testing.assert_array_equal(store.read(KEYS[0]).values["volume"], [np.nan, 1.0])


def test_a_file_that_brings_nothing_is_no_origin(store):
    store.append_files([file(0, {0})])

    pending = Pending(store.snapshot(), [file(0, {0}), file(1, set())])

    for one in (file(0, {0}), file(1, set())):
        pending.take(one, pending.changes(one))
    assert pending.fresh() == []
    assert [origin.file for origin in pending.origins] == ["0.csv"]
