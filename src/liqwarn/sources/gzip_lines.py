"""Whole lines of a gzipped text, piece by piece, in bounded memory."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from liqwarn.errors import DataError

__all__ = ["line_blocks"]

_PIECE: Final = 1 << 22


def line_blocks(path: Path, name: str, *, most: int, piece: int = _PIECE) -> Iterator[bytes]:
    """The text in blocks that end with a line's end; the last one may lack it.

    Parameters
    ----------
    path : Path
    name : str
        What to call it in a message.
    most : int
        Bytes it may unpack to.
    piece : int
        Bytes of a block, about; no line may be longer.

    Raises
    ------
    DataError
        When it is no gzip, cut short, damaged, unpacks to more, or has a line without an end.
    """
    rest = b""
    for block in _unpacked(path, name, most, piece):
        end = block.rfind(b"\n") + 1
        if end == 0:
            rest += block
            if len(rest) > piece:
                raise DataError(f"{name}: a line of more than {piece} bytes, expected a table")
            continue
        yield rest + block[:end]
        rest = block[end:]
    if rest:
        yield rest


def _unpacked(path: Path, name: str, most: int, piece: int) -> Iterator[bytes]:
    size = 0
    try:
        with gzip.open(path, "rb") as stream:
            while block := stream.read(piece):
                size += len(block)
                if size > most:
                    raise DataError(f"{name}: unpacks to more than {most} bytes")
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        with path.open("rb") as stream:
            page = stream.read(64).lstrip().startswith(b"<")
        found = "a page of HTML or XML" if page else "a damaged gzip or one cut short"
        raise DataError(f"{name}: found {found}, expected a gzip ({error})") from error
