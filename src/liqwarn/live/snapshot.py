"""Everything the live engine remembers, as one file's bytes, and back bit for bit.

::

    liqwarn.live/2            what it is, one line
    one line of JSON          whose it is
    the parts                 tape, ranks, legs, quality, and one map state a symbol: each a line of
                              JSON with its name and size, and its bytes
    32 bytes                  SHA-256 of all that came before

No pickle. A part is written by whom it belongs to; the positions of the breaker and what the maps
need beside their states are in the first line. Hundreds of symbols have hundreds of megabytes of
maps, so parts are made, written and read one at a time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from typing import Any, BinaryIO, Final

import numpy as np
import orjson

from liqwarn.data.panel import Panel
from liqwarn.data.quality import LiveQuality
from liqwarn.errors import LiqwarnError, StoreError
from liqwarn.liquidation.cohort_map import MapState
from liqwarn.liquidation.kernel import BINS, LANES
from liqwarn.liquidation.kernel_pages import PAGE
from liqwarn.liquidation.ledger import Ledger
from liqwarn.liquidation.live_maps import LiveMaps, SymbolTerms
from liqwarn.live.engine import Memory
from liqwarn.live.tape import Tape
from liqwarn.models.events import EventConfig
from liqwarn.models.live_legs import LegsState
from liqwarn.models.score_memory import ScoreMemory
from liqwarn.models.state_bytes import pack_arrays, unpack_arrays
from liqwarn.policy.audit_record import position_from_dict, position_to_dict

__all__ = ["SCHEMA", "pack_memory", "unpack_memory"]

SCHEMA: Final = "liqwarn.live/2"
_MAGIC: Final = f"{SCHEMA}\n".encode()
_DIGEST: Final = 32
_SEEN: Final = "liqwarn.seen/1"
_MAP: Final = "liqwarn.live_map/2"
_CHUNK: Final = 1 << 20


def pack_memory(memory: Memory, panel: Panel, *, panel_sha256: str) -> Iterator[bytes]:
    """What an engine remembers after its newest bar: bytes to be written one after the other.

    The engine must not take a bar before the last of them is made.
    """
    header = {
        "panel": panel.name,
        "panel_sha256": panel_sha256,
        "symbols": panel.symbol_names,
        "number": memory.tape.number,
        "maps": memory.maps.to_document(),
        "positions": [position_to_dict(one) for one in memory.positions.values()],
    }
    digest = sha256()
    for piece in chain((_MAGIC, _line(header)), _pieces(memory, panel.symbol_names)):
        digest.update(piece)
        yield piece
    yield digest.digest()


def unpack_memory(
    file: BinaryIO, panel: Panel, terms: SymbolTerms, *, panel_sha256: str
) -> tuple[Memory, datetime]:
    """The memory that :func:`pack_memory` was given, and the close of its newest bar.

    Parameters
    ----------
    file : binary file
        Read twice from its start: nothing is made of it before its hash is known to be right.

    Raises
    ------
    StoreError
        When the bytes are cut or damaged, or of another panel or version. Start from the history
        then.
    OSError
        When it cannot be read.
    """
    _check_whole(file)
    file.seek(len(_MAGIC))
    header: Mapping[str, Any] = orjson.loads(file.readline())
    expected = {"panel": panel.name, "panel_sha256": panel_sha256}
    found = {name: header.get(name) for name in expected}
    if found != expected:
        raise StoreError(f"snapshot is of {found}, expected {expected}")
    try:
        positions = [position_from_dict(raw) for raw in header["positions"]]
        tape = Tape.from_bytes(_part(file, "tape"))
        ranks = ScoreMemory.from_bytes(_part(file, "ranks"), panel.bar)
        legs = LegsState.from_bytes(_part(file, "legs"), EventConfig.for_bar(panel.bar))
        _, seen = unpack_arrays(_SEEN, _part(file, "quality"))
        states = (_unpack_map(_part(file, f"map {symbol}")) for symbol in panel.symbol_names)
        memory = Memory(
            tape=tape,
            maps=LiveMaps.from_document(header["maps"], terms, states),
            quality=LiveQuality(panel, seen),
            legs=legs,
            ranks=ranks,
            positions={(p.symbol, p.side): p for p in positions},
        )
    except StoreError:
        raise
    except (LiqwarnError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"snapshot is unreadable: {error!r}") from error
    return memory, datetime.fromtimestamp(memory.tape.number * panel.bar_s, tz=UTC)


def _pieces(memory: Memory, symbols: tuple[str, ...]) -> Iterator[bytes]:
    yield from _framed("tape", memory.tape.to_bytes())
    yield from _framed("ranks", memory.ranks.to_bytes())
    yield from _framed("legs", memory.legs.to_bytes())
    yield from _framed("quality", pack_arrays(_SEEN, {}, memory.quality.seen))
    for symbol in symbols:
        yield from _framed(f"map {symbol}", _pack_map(memory.maps.state(symbol)))


def _framed(name: str, part: bytes) -> tuple[bytes, bytes]:
    return _line({"part": name, "bytes": len(part)}), part


def _line(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _part(file: BinaryIO, name: str) -> bytes:
    told = orjson.loads(file.readline())
    if told["part"] != name:
        raise StoreError(f"snapshot has part '{told['part']}', expected '{name}'")
    return file.read(told["bytes"])


def _check_whole(file: BinaryIO) -> None:
    """Whether the file is a snapshot, as it was written."""
    begins = file.read(len(_MAGIC))
    if begins != _MAGIC:
        raise StoreError(f"snapshot begins with {begins!r}, expected {_MAGIC!r}")
    digest, held = sha256(begins), b""
    while chunk := file.read(_CHUNK):
        held += chunk
        digest.update(held[:-_DIGEST])
        held = held[-_DIGEST:]
    if held != digest.digest():
        raise StoreError("snapshot does not match its SHA-256: it was cut or damaged")


def _pack_map(state: MapState) -> bytes:
    """One symbol's maps: only the pages of bins that hold anything, and nothing deflated.

    A tenth of the time that :func:`liqwarn.liquidation.snapshot.to_bytes` takes for as many bytes.
    """
    pages = state.mass.reshape(-1, PAGE)
    held = np.flatnonzero(pages.any(axis=1)).astype(np.int64)
    header = {"n_maps": len(state.mass), "steps": state.steps, "ledger": asdict(state.ledger)}
    prices = np.array([state.close, state.stock])
    arrays = {"prices": prices, "lanes": state.lanes, "held": held, "pages": pages[held]}
    return pack_arrays(_MAP, header, arrays)


def _unpack_map(data: bytes) -> MapState:
    header, arrays = unpack_arrays(_MAP, data)
    mass = np.zeros((header["n_maps"], LANES, BINS))
    mass.reshape(-1, PAGE)[arrays["held"]] = arrays["pages"]
    close, stock = arrays["prices"].tolist()
    return MapState(
        mass=mass,
        lanes=arrays["lanes"],
        close=close,
        stock=stock,
        steps=header["steps"],
        ledger=Ledger(**header["ledger"]),
    )
