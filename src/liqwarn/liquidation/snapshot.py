"""A liquidation map's state as bytes, and back bit for bit.

::

    liqwarn.map_state/1       what it is, one line
    32 bytes                  SHA-256 of all that follows
    deflated                  one line of JSON: sizes, steps, ledger
                              close and open interest, lanes, mass

Numbers are little-endian float64, their first bytes first, then all second ones: the high bytes of
neighbouring bins are alike. The low ones are as good as random and nothing shrinks them, so a
snapshot takes eight to nine bytes for each bin that holds anything, and next to none for others.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any, Final

import numpy as np
import orjson

from liqwarn.errors import StoreError
from liqwarn.liquidation.cohort_map import MapState
from liqwarn.liquidation.kernel import BINS, LANES, STATE_SIZE, STEP
from liqwarn.liquidation.ledger import Ledger

__all__ = ["SCHEMA", "from_bytes", "to_bytes"]

SCHEMA: Final = "liqwarn.map_state/1"
"""What the bytes say they are."""

_MAGIC: Final = f"{SCHEMA}\n".encode()
_DIGEST: Final = 32
_GRID: Final = {"lanes": LANES, "bins": BINS, "state_size": STATE_SIZE, "step": STEP}
_LEVEL: Final = 1  # higher ones take twice as long and save two percent
_LITTLE: Final = np.dtype("<f8")


def to_bytes(state: MapState) -> bytes:
    """A state as bytes; :func:`from_bytes` gives back the same bits.

    Raises
    ------
    StoreError
        When the arrays do not have a state's shapes.

    Examples
    --------
    >>> data = to_bytes(MapState.fresh(24))
    >>> len(data) < 50_000, from_bytes(data).coins.shape
    (True, (24, 2))
    """
    n_maps = len(state.mass)
    for name, shape in _shapes(n_maps).items():
        found = getattr(state, name).shape
        if found != shape:
            raise StoreError(f"map state '{name}' has shape {found}, expected {shape}")
    ledger = asdict(state.ledger)
    header = {"n_maps": n_maps, **_GRID, "steps": state.steps, "ledger": ledger}
    line = orjson.dumps(header, option=orjson.OPT_APPEND_NEWLINE)
    prices = np.array([state.close, state.stock])
    numbers = np.concatenate([prices, state.lanes.reshape(-1), state.mass.reshape(-1)])
    columns = numbers.astype(_LITTLE).view(np.uint8).reshape(-1, 8).T.tobytes()
    content = zlib.compress(line + columns, _LEVEL)
    return _MAGIC + sha256(content).digest() + content


def from_bytes(data: bytes) -> MapState:
    """The state that :func:`to_bytes` was given.

    Raises
    ------
    StoreError
        When the bytes are cut short, damaged, of another schema or of a map on another grid.
    """
    header, body = _header(_content(data))
    shapes = _shapes(header["n_maps"])
    sizes = [2, math.prod(shapes["lanes"]), math.prod(shapes["mass"])]
    if len(body) != 8 * sum(sizes):
        raise StoreError(f"map state holds {len(body)} bytes of numbers, expected {8 * sum(sizes)}")
    rows = np.ascontiguousarray(np.frombuffer(body, np.uint8).reshape(8, -1).T)
    numbers = rows.reshape(-1).view(_LITTLE).astype(np.float64)
    prices, lanes, mass = np.split(numbers, np.cumsum(sizes)[:-1])
    close, stock = prices.tolist()
    return MapState(
        mass=mass.reshape(shapes["mass"]),
        lanes=lanes.reshape(shapes["lanes"]),
        close=close,
        stock=stock,
        steps=header["steps"],
        ledger=Ledger(**header["ledger"]),
    )


def _shapes(n_maps: int) -> dict[str, tuple[int, ...]]:
    return {"mass": (n_maps, LANES, BINS), "lanes": (n_maps, STATE_SIZE)}


def _content(data: bytes) -> bytes:
    """What follows the digest, when the digest is its own."""
    if not data.startswith(_MAGIC):
        found = data[: len(_MAGIC)]
        raise StoreError(f"map state begins with {found!r}, expected {_MAGIC!r}")
    start = len(_MAGIC) + _DIGEST
    if len(data) <= start:
        raise StoreError(f"map state has {len(data)} bytes, expected more than {start}")
    expected, found = data[len(_MAGIC) : start], sha256(data[start:]).digest()
    if found != expected:
        raise StoreError(
            f"map state is damaged or cut short: the SHA-256 of its {len(data) - start} bytes of "
            f"content is {found.hex()}, expected {expected.hex()}"
        )
    try:
        return zlib.decompress(data[start:])
    except zlib.error as error:
        raise StoreError(f"map state is not deflated as expected: {error}") from error


def _header(content: bytes) -> tuple[Mapping[str, Any], bytes]:
    line, _, body = content.partition(b"\n")
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise StoreError(f"map state has no header of JSON, expected one: {error}") from error
    expected = {"n_maps", "steps", "ledger", *_GRID}
    if not isinstance(header, dict) or set(header) != expected:
        found = sorted(header) if isinstance(header, dict) else header
        raise StoreError(f"map state has header {found}, expected {sorted(expected)}")
    for name, value in _GRID.items():
        if header[name] != value:
            raise StoreError(f"map state has {name} {header[name]}, expected {value}")
    _check_counts({name: header[name] for name in ("n_maps", "steps")})
    known = {one.name for one in fields(Ledger)}
    ledger = header["ledger"]
    if not isinstance(ledger, dict) or set(ledger) != known:
        raise StoreError(f"map state has ledger {ledger}, expected counts of {sorted(known)}")
    _check_counts(ledger)
    return header, body


def _check_counts(counts: Mapping[str, Any]) -> None:
    for name, value in counts.items():
        if type(value) is not int or value < 0:
            raise StoreError(f"map state has {name} {value!r}, expected a count")
