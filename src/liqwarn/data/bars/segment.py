"""One file of the journal: a header, then one record a closed bar, each sealed and chained.

All numbers are little-endian.

::

    header   8   magic "LQWBARS1"
             4   length of the JSON
            32   SHA-256 of the JSON
             …   JSON: panel, bar_s, symbols, fields, ages, first, previous
    record   4   length of the payload
            32   SHA-256 of the payload: the record's seal
             …   payload:  8  number of the record, from 0 over the whole journal
                           8  close of the bar, seconds since the epoch
                          32  seal of the record before; 32 zero bytes for the very first
                           …  float64: each field, then each age, of all symbols

The seal of a record covers that of the one before, so one seal vouches for everything before it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from struct import Struct
from typing import Final

import numpy as np
import orjson

from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.errors import FrameError, StoreError
from liqwarn.frames import FloatArray

__all__ = ["GENESIS", "Header", "Record", "Segment", "decode", "encode_header", "encode_record"]

GENESIS: Final = bytes(32)
"""Seal before the first record."""

_MAGIC: Final = b"LQWBARS1"
_FRAME: Final = Struct("<I32s")
_RECORD: Final = Struct("<Qq32s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every record of a segment has in common.

    Attributes
    ----------
    panel : str
    bar_s : int
    symbols, fields, ages : tuple of str
        Axes of the numbers of a record.
    first : int
        Number of the segment's first record.
    previous : str
        Seal of the record before it, in hex.
    """

    panel: str
    bar_s: int
    symbols: tuple[str, ...]
    fields: tuple[str, ...]
    ages: tuple[str, ...]
    first: int
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record that was read and found whole; `end` is the byte after it."""

    number: int
    seal: bytes
    end: int
    column: BarColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What a segment's bytes hold.

    Attributes
    ----------
    header : Header or None
        None when not even the header is whole.
    records : tuple of Record
        Those before the first fault.
    fault : str or None
        What is wrong after them.
    header_end : int
        The byte after the header; 0 without one.
    """

    header: Header | None
    records: tuple[Record, ...]
    fault: str | None
    header_end: int = 0

    @property
    def next_number(self) -> int:
        """Number of the record after the last whole one."""
        first = 0 if self.header is None else self.header.first
        return first + len(self.records)


def encode_header(header: Header) -> bytes:
    """Bytes that open a segment."""
    content = orjson.dumps(asdict(header))
    return _MAGIC + _FRAME.pack(len(content), sha256(content).digest()) + content


def encode_record(
    column: BarColumn, header: Header, number: int, previous: bytes
) -> tuple[bytes, bytes]:
    """Bytes of a record, and its seal."""
    parts = [column.fields[name] for name in header.fields]
    parts += [column.ages[name] for name in header.ages]
    numbers = np.concatenate(parts).astype("<f8", copy=False).tobytes()
    payload = _RECORD.pack(number, close_seconds(column.time), previous) + numbers
    seal = sha256(payload).digest()
    return _FRAME.pack(len(payload), seal) + payload, seal


def decode(content: bytes) -> Segment:
    """Everything of a segment up to its first fault; never a number that is not sealed.

    >>> decode(b"LQWBARS1").fault
    'the header is cut short'
    """
    try:
        header, at = _header(content)
    except StoreError as error:
        return Segment(header=None, records=(), fault=str(error))
    records: list[Record] = []
    try:
        for record in _records(content, header, at):
            records.append(record)  # noqa: PERF402 - those before a fault are kept
    except StoreError as error:
        return Segment(header=header, records=tuple(records), fault=str(error), header_end=at)
    return Segment(header=header, records=tuple(records), fault=None, header_end=at)


def _header(content: bytes) -> tuple[Header, int]:
    if content[: len(_MAGIC)] != _MAGIC:
        raise StoreError(f"found {content[: len(_MAGIC)]!r}, expected the magic {_MAGIC!r}")
    text, end = _framed(content, len(_MAGIC), "the header")
    try:
        told = orjson.loads(text)
        header = Header(
            panel=told["panel"],
            bar_s=told["bar_s"],
            symbols=tuple(told["symbols"]),
            fields=tuple(told["fields"]),
            ages=tuple(told["ages"]),
            first=told["first"],
            previous=told["previous"],
        )
    except (TypeError, KeyError, ValueError) as error:
        raise StoreError(f"the header is of another format, {error}") from error
    return header, end


def _framed(content: bytes, at: int, what: str) -> tuple[bytes, int]:
    start = at + _FRAME.size
    if start > len(content):
        raise StoreError(f"{what} is cut short")
    length, seal = _FRAME.unpack_from(content, at)
    payload = content[start : start + length]
    if len(payload) != length:
        raise StoreError(f"{what} is cut short, or its length was changed")
    if sha256(payload).digest() != seal:
        raise StoreError(f"{what} was changed: its SHA-256 does not match")
    return payload, start + length


def _records(content: bytes, header: Header, at: int) -> Iterator[Record]:
    number, previous = header.first, bytes.fromhex(header.previous)
    time: int | None = None
    while at < len(content):
        payload, at = _framed(content, at, f"record {number}")
        if len(payload) < _RECORD.size:
            raise StoreError(f"record {number} holds {len(payload)} bytes")
        found, close, before = _RECORD.unpack_from(payload)
        if (found, before) != (number, previous):
            raise StoreError(f"record {found} does not follow record {number - 1}")
        if time is not None and close != time + header.bar_s:
            raise StoreError(f"record {number}: closes {close - time} s after the one before")
        number, previous, time = number + 1, sha256(payload).digest(), close
        column = _column(payload[_RECORD.size :], header, close)
        yield Record(number=found, seal=previous, end=at, column=column)


def _column(numbers: bytes, header: Header, close: int) -> BarColumn:
    shape = (len(header.fields) + len(header.ages), len(header.symbols))
    if len(numbers) != 8 * shape[0] * shape[1]:
        raise StoreError(
            f"a record holds {len(numbers)} bytes of numbers, expected {shape} float64"
        )
    planes: FloatArray = np.frombuffer(numbers, dtype="<f8").astype(np.float64).reshape(shape)
    planes.flags.writeable = False
    n_fields = len(header.fields)
    try:
        return BarColumn(
            time=np.datetime64(close, "s"),
            symbols=header.symbols,
            fields=dict(zip(header.fields, planes[:n_fields], strict=True)),
            ages=dict(zip(header.ages, planes[n_fields:], strict=True)),
            bar_s=header.bar_s,
        )
    except FrameError as error:
        raise StoreError(f"a record does not fit, {error}") from error
