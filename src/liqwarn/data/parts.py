"""Records as parquet bytes and back, with checksums on every page."""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from liqwarn.data.manifest import Part
from liqwarn.data.records import IntArray, Records, SeriesKey
from liqwarn.errors import StoreError

__all__ = ["decode", "encode", "read_part"]

_TIME: Final = pa.timestamp("ms", tz="UTC")
_OWN: Final = ("event_time", "known_at", "origin")


def encode(records: Records, origin: IntArray) -> bytes:
    """Parquet bytes of records; the same records always give the same bytes.

    Columns: ``event_time``, ``known_at`` (UTC), ``origin`` (id of the provider file in the
    manifest), then one a field.
    """
    times = {"event_time": records.event, "known_at": records.known}
    columns = {name: pa.array(t * 1_000, pa.int64()).cast(_TIME) for name, t in times.items()}
    columns["origin"] = pa.array(origin, pa.int32())
    for name in sorted(records.values):
        columns[name] = pa.array(records.values[name], pa.float64())
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(columns),
        sink,
        compression="zstd",
        use_dictionary=["origin"],
        column_encoding={
            "event_time": "DELTA_BINARY_PACKED",
            "known_at": "DELTA_BINARY_PACKED",
            **dict.fromkeys(records.values, "BYTE_STREAM_SPLIT"),
        },
        write_page_checksum=True,
        store_schema=False,
    )
    return bytes(sink.getvalue())


def decode(content: bytes, key: SeriesKey) -> tuple[Records, IntArray]:
    """Records and the origin of each row, from :func:`encode`'s bytes."""
    file = pq.ParquetFile(
        pa.BufferReader(content), pre_buffer=False, page_checksum_verification=True
    )
    table = file.read(use_threads=False)  # see readers: Arrow's threads may abort the exit

    def seconds(name: str) -> IntArray:
        column = table.column(name).cast(pa.int64()).to_numpy()
        return np.asarray(column // 1_000, dtype=np.int64)

    fields = [name for name in table.column_names if name not in _OWN]
    records = Records(
        key=key,
        event=seconds("event_time"),
        known=seconds("known_at"),
        values={name: table.column(name).to_numpy() for name in fields},
        row=np.zeros(table.num_rows, dtype=np.int64),
    )
    return records, np.asarray(table.column("origin").to_numpy(), dtype=np.int64)


def read_part(root: Path, part: Part) -> tuple[Records, IntArray]:
    """A part of the store, checked against the manifest before it is believed.

    Raises
    ------
    StoreError
        Naming the file, when it is missing, cut short or changed.
    """
    path = root / part.path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: missing or unreadable ({error.strerror})") from error
    if len(content) != part.size:
        raise StoreError(f"{path}: {len(content)} bytes, the manifest says {part.size}")
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise StoreError(f"{path}: its SHA-256 is not the manifest's; it was changed")
    try:
        return decode(content, part.key)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise StoreError(f"{path}: not a part of this store, {error}") from error
