"""Closed segments of the tape: compressed into files that are whole or not there."""

import gzip
import zlib
from pathlib import Path
from typing import Final

from liqwarn.collectors.tape_segment import (
    Segment,
    TapeFault,
    mark_of,
    placed_records,
    segments_of,
)
from liqwarn.durable import write_bytes
from liqwarn.errors import StoreError

__all__ = ["LARGEST_SEGMENT", "compress_closed", "fault_of", "segment_bytes"]

LARGEST_SEGMENT: Final = 1 << 28
"""Most bytes of a segment, decompressed."""

_LEVEL: Final = 6


def segment_bytes(path: Path) -> bytes:
    """The bytes of a segment: its header and records.

    Raises
    ------
    StoreError
        When it cannot be read, is larger than any segment, or is compressed and damaged.
    """
    try:
        if path.suffix != ".gz" and path.exists():
            content = path.read_bytes()
        else:  # it may have been compressed since its name was seen
            with gzip.open(path if path.suffix == ".gz" else f"{path}.gz") as stream:
                content = stream.read(LARGEST_SEGMENT + 1)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise StoreError(f"{path}: damaged, expected a whole segment ({error})") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > LARGEST_SEGMENT:
        raise StoreError(f"{path}: more than {LARGEST_SEGMENT} bytes, expected a segment of a tape")
    return content


def compress_closed(folder: Path, venue: str, *, before: int) -> int:
    """Compress the closed segments of numbers below `before`, and say how many.

    One that is not whole is left as it is, for its readers to name.

    Raises
    ------
    OSError
        When the disk is full or fails; nothing is lost, and it can be called again.
    """
    done = 0
    for segment in segments_of(folder, venue):
        plain = segment.path.with_name(segment.path.name.removesuffix(".gz"))
        if not segment.closed:
            if segment.number >= before or fault_of(segment, venue) is not None:
                continue
            packed = gzip.compress(plain.read_bytes(), compresslevel=_LEVEL, mtime=0)
            write_bytes(plain.with_name(f"{plain.name}.gz"), packed)
            done += 1
        plain.unlink(missing_ok=True)
    return done


def fault_of(segment: Segment, venue: str) -> str | None:
    """What is wrong with a closed segment; None when it is as it was written.

    Raises
    ------
    StoreError
        When its bytes cannot be had.
    """
    path = segment.path
    content = segment_bytes(path)
    try:
        mark, start = mark_of(content, path, venue=venue, number=segment.number)
    except StoreError as error:
        return str(error)
    count, ended = 0, False
    for placed in placed_records(content, path, mark=mark, start=start):
        if isinstance(placed, TapeFault):
            return placed.to_text()
        if ended:
            return f"{path}: records behind its end"
        if placed.record is None:
            ended = True
            if placed.count != count:
                return f"{path}: {count} records, expected {placed.count}"
        count += 1
    return None if ended else f"{path}: no end, expected one behind {count} records"
