"""What is read goes to the store in few writings, whatever comes in between."""

import zipfile

import pytest

from liqwarn.data import batches as module
from liqwarn.errors import ConflictError, DataError

DAY = 86_400
T0 = 1_704_067_200


@pytest.fixture
def daily(data_dir, make_panel, make_source, candles):
    """Write one zipped file a day, and the panel that reads them all."""

    def write(days, *, first=0):
        for n in range(first, first + days):
            table = candles(24, start=T0 + n * DAY, seed=n)
            with zipfile.ZipFile(data_dir / f"BTCUSDT-{n:03d}.zip", "w") as archive:
                archive.writestr(f"{n}.csv", table.to_csv(index=False))
        return make_panel(make_source(file="{symbol}-*.zip", symbol=None))

    return write


def parts(store):
    return [part.rows for part in store.snapshot().manifest.parts.values()]


def test_many_files_become_one_part(daily, load, store):
    summary = load(daily(40))

    assert [file.new for file in summary.files] == [24] * 40
    assert parts(store) == [960]
    assert len(store.snapshot().manifest.origins) == 40


def test_a_full_batch_is_written(daily, load, store, monkeypatch):
    monkeypatch.setattr(module, "_MOST_FILES", 3)

    load(daily(7))

    assert sorted(parts(store)) == [24, 72, 72]


def test_too_many_rows_are_written_before_more_come(daily, load, store, monkeypatch):
    monkeypatch.setattr(module, "_MOST_ROWS", 60)

    load(daily(5))

    assert sorted(parts(store)) == [24, 48, 48]


def test_files_before_a_faulty_one_are_in_the_store(daily, load, store, data_dir):
    panel = daily(3)
    (data_dir / "BTCUSDT-002.zip").write_bytes(b"PK\x03\x04 cut")

    with pytest.raises(DataError, match=r"BTCUSDT-002\.zip: not readable as csv\.zip"):
        load(panel)
    assert parts(store) == [48]


def test_a_file_that_speaks_of_the_same_time_as_the_one_before_it(daily, load, data_dir, store):
    panel = daily(2)
    (data_dir / "BTCUSDT-000b.zip").write_bytes((data_dir / "BTCUSDT-000.zip").read_bytes())

    assert [file.unchanged for file in load(panel).files] == [0, 24, 0]
    assert parts(store) == [24, 24]


def test_a_conflict_between_two_files_names_the_later_one(daily, load, data_dir, candles):
    panel = daily(2)
    with zipfile.ZipFile(data_dir / "BTCUSDT-000b.zip", "w") as archive:
        archive.writestr("b.csv", candles(24, seed=9).to_csv(index=False))

    with pytest.raises(ConflictError, match=r"BTCUSDT-000b\.zip \(klines\): .*row 1 field"):
        load(panel)
