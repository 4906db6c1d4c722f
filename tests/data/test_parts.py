import hashlib

import numpy as np
import pyarrow.parquet as pq
import pytest

from liqwarn.data.manifest import Part
from liqwarn.data.parts import decode, encode, read_part
from liqwarn.data.records import Records, SeriesKey
from liqwarn.errors import StoreError

KEY = SeriesKey(panel="p", source="s", symbol="BTCUSDT")
PATH = "panel=p/source=s/symbol=BTCUSDT/year=2024/part-00000.parquet"


@pytest.fixture
def records():
    event = 1_704_067_200 + 3_600 * np.arange(2_000)
    rng = np.random.default_rng(3)
    values = {"close": rng.normal(4e4, 1e3, event.size), "volume": rng.uniform(0, 9, event.size)}
    values["volume"][::7] = np.nan
    return Records(key=KEY, event=event, known=event + 60, values=values, row=np.arange(event.size))


@pytest.fixture
def part(records, tmp_path):
    content = encode(records, np.zeros(len(records), dtype=np.int64))
    path = tmp_path / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return Part(path=PATH, rows=len(records), size=len(content), first=0, last=0,
                sha256=hashlib.sha256(content).hexdigest())  # fmt: skip


def test_records_survive_the_way_there_and_back(records):
    origin = np.arange(len(records)) % 3

    found, sources = decode(encode(records, origin), KEY)

    assert found.event.tolist() == records.event.tolist()
    assert found.known.tolist() == records.known.tolist()
    assert sources.tolist() == origin.tolist()
    for name, column in records.values.items():
        assert found.values[name].tobytes() == column.tobytes()


def test_the_same_records_give_the_same_bytes(records):
    none = np.zeros(len(records), dtype=np.int64)

    assert encode(records, none) == encode(records, none)


def test_other_tools_read_times_and_the_hive_folders(part, tmp_path):
    table = pq.read_table(tmp_path, columns=["event_time", "known_at", "close", "symbol"])

    assert str(table.schema.field("event_time").type) == "timestamp[ms, tz=UTC]"
    assert table.column("event_time")[0].as_py().isoformat() == "2024-01-01T00:00:00+00:00"
    assert str(table.column("symbol")[0]) == "BTCUSDT"


def test_a_whole_part_is_read(part, tmp_path, records):
    assert len(read_part(tmp_path, part)[0]) == len(records)


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.99])
def test_a_part_cut_short_is_named(part, tmp_path, kept):
    path = tmp_path / PATH
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])

    with pytest.raises(StoreError, match=r"part-00000.parquet: \d+ bytes, the manifest says"):
        read_part(tmp_path, part)


def test_every_flipped_bit_is_found(part, tmp_path):
    path = tmp_path / PATH
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(5)
    for _ in range(60):
        at, bit = int(rng.integers(len(content))), 1 << int(rng.integers(8))
        content[at] ^= bit
        path.write_bytes(content)
        with pytest.raises(StoreError, match=r"part-00000.parquet: its SHA-256"):
            read_part(tmp_path, part)
        content[at] ^= bit


def test_pages_carry_their_own_checksums_too(part, tmp_path):
    content = bytearray((tmp_path / PATH).read_bytes())
    content[len(content) // 2] ^= 1

    with pytest.raises(OSError, match=r"(?i)crc|checksum|corrupt"):
        decode(bytes(content), KEY)


def test_a_missing_part_is_named(part, tmp_path):
    (tmp_path / PATH).unlink()

    with pytest.raises(StoreError, match=r"part-00000.parquet: missing or unreadable"):
        read_part(tmp_path, part)


def test_a_file_of_another_kind_is_no_part(tmp_path):
    content = b"not parquet at all"
    path = tmp_path / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    part = Part(path=PATH, rows=1, size=len(content), first=0, last=0,
                sha256=hashlib.sha256(content).hexdigest())  # fmt: skip

    with pytest.raises(StoreError, match="not a part of this store"):
        read_part(tmp_path, part)
