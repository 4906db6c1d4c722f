import signal
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from filelock import FileLock

from liqwarn.data import store as store_module
from liqwarn.data.manifest import MANIFEST, Origin
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.store import AppendCount, Store
from liqwarn.errors import ConflictError, StoreError

KEY = SeriesKey(panel="p", source="s", symbol="BTCUSDT")
NEW_YEAR = 1_704_067_200
ORIGIN = Origin(file="jan.csv", sha256="00", first_at=datetime(2024, 1, 1, tzinfo=UTC))


def records(n, *, first=0, close=1.0, key=KEY):
    event = NEW_YEAR + 3_600 * (first + np.arange(n))
    values = {"close": np.full(n, close)}
    return Records(key=key, event=event, known=event, values=values, row=np.arange(1, n + 1))


def test_appending_twice_changes_not_a_byte(store):
    assert store.append([records(48)], origin=ORIGIN) == AppendCount(
        new=48, unchanged=0, replaced=0
    )
    before = (store.root / MANIFEST).read_bytes()
    content = store.sha256

    again = store.append([records(48)], origin=ORIGIN)

    assert again == AppendCount(new=0, unchanged=48, replaced=0)
    assert (store.root / MANIFEST).read_bytes() == before
    assert store.sha256 == content


def test_only_what_is_new_is_written(store):
    store.append([records(48)], origin=ORIGIN)

    count = store.append([records(50)], origin=ORIGIN)

    assert count == AppendCount(new=2, unchanged=48, replaced=0)
    assert [part.rows for part in store.snapshot().manifest.of(KEY)] == [48, 2]


def test_a_conflict_names_everything_and_writes_nothing(store):
    store.append([records(3)], origin=ORIGIN)
    before = store.sha256
    other = Origin(file="feb.csv", sha256="11", first_at=ORIGIN.first_at)
    batch = [
        records(5, key=SeriesKey(panel="p", source="s", symbol="ETHUSDT")),
        records(3, close=2.0),
    ]

    with pytest.raises(ConflictError) as caught:
        store.append(batch, origin=other)

    assert str(caught.value) == (
        "feb.csv row 1 field 'close' of BTCUSDT at 2024-01-01T00:00:00Z: found 2.0, the store has "
        "1.0 from jan.csv (3 cells differ); ingest with replace to correct it"
    )
    assert store.sha256 == before


def test_replacing_keeps_the_old_value_in_the_history(store):
    store.append([records(3)], origin=ORIGIN)

    count = store.append([records(3, close=2.0)], origin=ORIGIN, replace=True)

    assert count == AppendCount(new=0, unchanged=0, replaced=3)
    assert store.read(KEY).values["close"].tolist() == [2.0] * 3
    assert [part.values["close"][0] for part in store.snapshot().history(KEY)] == [1.0, 2.0]


def test_parts_lie_in_hive_folders_a_year_each(store):
    store.append([records(48, first=-24)], origin=ORIGIN)

    assert [part.path for part in store.snapshot().manifest.of(KEY)] == [
        "panel=p/source=s/symbol=BTCUSDT/year=2023/part-00000.parquet",
        "panel=p/source=s/symbol=BTCUSDT/year=2024/part-00000.parquet",
    ]
    assert store.keys() == (KEY,)
    assert store.snapshot().manifest.origins == (ORIGIN,)


def test_the_same_rows_give_the_same_hash_whenever_they_come(tmp_path):
    later = Origin(file="jan.csv", sha256="00", first_at=datetime(2025, 1, 1, tzinfo=UTC))
    one, two = Store(tmp_path / "1"), Store(tmp_path / "2")
    one.append([records(48)], origin=ORIGIN)
    two.append([records(48)], origin=later)

    assert one.sha256 == two.sha256


def test_verify_names_every_damaged_part(store):
    store.append([records(48, first=-24)], origin=ORIGIN)
    assert store.verify() == 2
    first, second = (store.root / part.path for part in store.snapshot().manifest.of(KEY))
    first.unlink()
    content = bytearray(second.read_bytes())
    content[len(content) // 2] ^= 4
    second.write_bytes(content)

    with pytest.raises(StoreError) as caught:
        store.verify()

    assert "year=2023/part-00000.parquet: missing" in str(caught.value)
    assert "year=2024/part-00000.parquet: its SHA-256" in str(caught.value)


def test_leftovers_of_a_killed_writer_are_ignored_and_removed(store):
    store.append([records(3)], origin=ORIGIN)
    folder = (store.root / store.snapshot().manifest.of(KEY)[0].path).parent
    (folder / "part-00001.parquet").write_bytes(b"never acknowledged")
    (folder / ".part-00001.parquet.x.tmp").write_bytes(b"torn")

    assert store.verify() == 1
    assert len(store.read(KEY)) == 3

    store.append([records(2, first=10)], origin=ORIGIN)

    assert store.verify() == 2
    assert len(store.read(KEY)) == 5
    assert sorted(p.name for p in folder.iterdir()) == ["part-00000.parquet", "part-00001.parquet"]


def test_a_second_writer_waits_and_then_says_so(store, monkeypatch):
    monkeypatch.setattr(store_module, "_LOCK_SECONDS", 0.05)
    store.root.mkdir()
    with (
        FileLock(store.root / ".lock"),
        pytest.raises(StoreError, match="another writer holds the lock"),
    ):
        store.append([records(3)], origin=ORIGIN)


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "file" / "store").append([records(1)], origin=ORIGIN)


KILLER = """
import os, random, signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from liqwarn.data.manifest import Origin
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.store import Store

def write(root, batch, acknowledge):
    store, key = Store(root), SeriesKey(panel="p", source="s", symbol="BTCUSDT")
    origin = Origin(file="live.csv", sha256="00", first_at=datetime(2024, 1, 1, tzinfo=UTC))
    while True:
        event = 1_704_067_200 + 3_600 * (50 * batch + np.arange(50))
        values = {"close": np.sin(event.astype(float))}
        records = Records(key=key, event=event, known=event, values=values, row=event)
        store.append([records], origin=origin)
        os.write(acknowledge, bytes([1]))
        batch += 1

random.seed(11)
batch = 0
for _ in sys.stdin:  # one line asks for one kill
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        write(Path(sys.argv[1]), batch, writer)
    os.close(writer)
    acknowledged = os.read(reader, 1)
    time.sleep(random.uniform(0.0, 0.02))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    while block := os.read(reader, 65_536):
        acknowledged += block
    os.close(reader)
    batch += len(acknowledged)
    print(batch, os.WTERMSIG(status), flush=True)
"""


def test_fifteen_kills_tear_nothing_and_lose_nothing_acknowledged(tmp_path):
    store = Store(tmp_path / "store")
    command = [sys.executable, "-c", KILLER, str(store.root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        for _ in range(15):
            process.stdin.write("kill one\n")
            process.stdin.flush()
            acknowledged, by = map(int, process.stdout.readline().split())

            assert by == signal.SIGKILL
            store.verify()
            rows = store.read(KEY)
            assert len(rows) in (50 * acknowledged, 50 * (acknowledged + 1))
            assert np.array_equal(rows.values.get("close", []), np.sin(rows.event.astype(float)))
        process.stdin.close()
    assert acknowledged > 15


def test_parts_without_a_manifest_are_a_damaged_store(store):
    store.append([records(3)], origin=ORIGIN)
    (store.root / MANIFEST).unlink()

    with pytest.raises(StoreError, match="missing, though there are parts"):
        store.verify()
    with pytest.raises(StoreError, match="missing, though there are parts"):
        store.append([records(3)], origin=ORIGIN)
