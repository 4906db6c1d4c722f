"""One closed month of a panel as a file: whole and its own, or not there.

::

    liqwarn.feature_month/1   what it is, one line
    64 letters                SHA-256 of all that follows, one line
    one line of JSON          the month's key; name, type and shape of each array
    arrays                    one after the other, little-endian, C order

What does not fit is not an error: the month is computed anew.
"""

import math
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from liqwarn.durable import replace_file

__all__ = ["read_month", "write_month"]

_MAGIC: Final = b"liqwarn.feature_month/1\n"
_DIGEST: Final = 64
Arrays = Mapping[str, NDArray[Any]]


def write_month(path: Path, key: str, arrays: Arrays) -> None:
    """Put a month's arrays at `path`, whole.

    Parameters
    ----------
    key : str
        Hash of everything they depend on.
    arrays : mapping of name to ndarray of float64 or uint8
    """
    little = {
        name: np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("<")) for name, a in arrays.items()
    }
    told = [[name, array.dtype.str, list(array.shape)] for name, array in little.items()]
    line = orjson.dumps({"key": key, "arrays": told}, option=orjson.OPT_APPEND_NEWLINE)
    parts = [line, *(array.tobytes() for array in little.values())]
    digest = sha256()
    for part in parts:
        digest.update(part)
    head = _MAGIC + f"{digest.hexdigest()}\n".encode()

    def fill(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            for part in (head, *parts):
                stream.write(part)

    replace_file(path, fill)


def read_month(path: Path, key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of a month; None when there are none of that key, or the file is damaged."""
    start = len(_MAGIC) + _DIGEST + 1
    try:
        with path.open("rb") as stream:
            head, line = stream.read(start), stream.readline()
            if not head.startswith(_MAGIC) or f'"key":"{key}"'.encode() not in line:
                return None
            body = stream.read()
    except OSError:
        return None
    digest = sha256(line)
    digest.update(body)
    if head != _MAGIC + f"{digest.hexdigest()}\n".encode():
        return None
    header = orjson.loads(line)
    return dict(_arrays(header["arrays"], body)) if header["key"] == key else None


def _arrays(told: list[list[Any]], body: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    at = 0
    for name, kind, shape in told:
        count = math.prod(shape)
        array = np.frombuffer(body, dtype=np.dtype(kind), count=count, offset=at).reshape(shape)
        at += array.nbytes
        yield name, array
