"""Arrays of a running state as bytes, and back bit for bit: no pickle, nothing to execute.

::

    liqwarn.legs_state/1      what it is, one line
    32 bytes                  SHA-256 of all that follows
    one line of JSON          the header, with the name, type and shape of each array
    the arrays                in that order, little-endian
"""

from collections.abc import Mapping
from hashlib import sha256
from math import prod
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from liqwarn.errors import StoreError

__all__ = ["pack_arrays", "unpack_arrays"]

_DIGEST: Final = 32
_TYPES: Final = ("<f8", "<i8", "|b1")


def pack_arrays(
    schema: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> bytes:
    """A header that JSON can say, and arrays of floats, whole numbers and truth values, as bytes.

    Examples
    --------
    >>> data = pack_arrays("example/1", {"bar": 7}, {"x": np.array([1.0, np.nan])})
    >>> unpack_arrays("example/1", data)
    ({'bar': 7}, {'x': array([ 1., nan])})
    """
    told = [[name, one.dtype.newbyteorder("<").str, one.shape] for name, one in arrays.items()]
    line = orjson.dumps({**header, "arrays": told}, option=orjson.OPT_APPEND_NEWLINE)
    typed = [(one, one.dtype.newbyteorder("<")) for one in arrays.values()]
    parts = [np.ascontiguousarray(one, kind).data for one, kind in typed]
    digest = sha256(line)
    for part in parts:
        digest.update(part)
    return b"".join((f"{schema}\n".encode(), digest.digest(), line, *parts))


def unpack_arrays(schema: str, data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The header and the arrays that :func:`pack_arrays` was given.

    Raises
    ------
    StoreError
        When the bytes are cut short, damaged or of another schema.
    """
    magic = f"{schema}\n".encode()
    if not data.startswith(magic):
        raise StoreError(f"state begins with {data[: len(magic)]!r}, expected {magic!r}")
    start = len(magic) + _DIGEST
    content = memoryview(data)[start:]
    found, expected = sha256(content).digest(), data[len(magic) : start]
    if found != expected:
        raise StoreError(
            f"state is damaged or cut short: the SHA-256 of its {len(content)} bytes of content "
            f"is {found.hex()}, expected {expected.hex()}"
        )
    end = data.index(b"\n", start) + 1
    header: dict[str, Any] = orjson.loads(data[start:end])
    return header, _arrays(header.pop("arrays"), data, end)


def _arrays(told: list[Any], data: bytes, at: int) -> dict[str, NDArray[Any]]:
    arrays = {}
    for name, kind, shape in told:
        if kind not in _TYPES:
            raise StoreError(f"state has an array '{name}' of type {kind}, expected {_TYPES}")
        size = prod(shape)
        flat = np.frombuffer(data, kind, size, at)
        arrays[name] = flat.astype(flat.dtype.newbyteorder("=")).reshape(shape)
        at += size * flat.dtype.itemsize
    return arrays
