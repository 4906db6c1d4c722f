"""Everything the live engine remembers, as one file's bytes, and back bit for bit.

::

    liqwarn.live/1            what it is, one line
    32 bytes                  SHA-256 of all that follows
    one line of JSON          whose it is, and the name and size of each part
    the parts                 tape, ranks, legs, quality, and one map state a symbol

No pickle. A part is written by whom it belongs to; the positions of the breaker and what the maps
need beside their states are in the JSON.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import numpy as np
import orjson

from liqwarn.data.panel import Panel
from liqwarn.data.quality import LiveQuality
from liqwarn.errors import LiqwarnError, StoreError
from liqwarn.liquidation.cohort_map import MapState
from liqwarn.liquidation.kernel import BINS, LANES
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

SCHEMA: Final = "liqwarn.live/1"
_MAGIC: Final = f"{SCHEMA}\n".encode()
_DIGEST: Final = 32
_SEEN: Final = "liqwarn.seen/1"
_MAP: Final = "liqwarn.live_map/1"
_PAGE: Final = 512


def pack_memory(memory: Memory, panel: Panel, *, panel_sha256: str) -> list[bytes]:
    """What an engine remembers after its newest bar: bytes to be written one after the other."""
    symbols = panel.symbol_names
    parts = {
        "tape": memory.tape.to_bytes(),
        "ranks": memory.ranks.to_bytes(),
        "legs": memory.legs.to_bytes(),
        "quality": pack_arrays(_SEEN, {}, memory.quality.seen),
        **{f"map {symbol}": _pack_map(memory.maps.state(symbol)) for symbol in symbols},
    }
    header = {
        "panel": panel.name,
        "panel_sha256": panel_sha256,
        "symbols": symbols,
        "number": memory.tape.number,
        "maps": memory.maps.to_document(),
        "positions": [position_to_dict(one) for one in memory.positions.values()],
        "parts": [[name, len(part)] for name, part in parts.items()],
    }
    line = orjson.dumps(header, option=orjson.OPT_APPEND_NEWLINE)
    digest = sha256(line)
    for part in parts.values():
        digest.update(part)
    return [_MAGIC + digest.digest(), line, *parts.values()]


def unpack_memory(
    data: bytes, panel: Panel, terms: SymbolTerms, *, panel_sha256: str
) -> tuple[Memory, datetime]:
    """The memory that :func:`pack_memory` was given, and the close of its newest bar.

    Raises
    ------
    StoreError
        When the bytes are cut or damaged, or of another panel or version. Start from the history
        then.
    """
    header, parts = _opened(data)
    expected = {"panel": panel.name, "panel_sha256": panel_sha256}
    found = {name: header.get(name) for name in expected}
    if found != expected:
        raise StoreError(f"snapshot is of {found}, expected {expected}")
    try:
        states = (_unpack_map(parts[f"map {symbol}"]) for symbol in panel.symbol_names)
        positions = [position_from_dict(raw) for raw in header["positions"]]
        _, seen = unpack_arrays(_SEEN, parts["quality"])
        memory = Memory(
            tape=Tape.from_bytes(parts["tape"]),
            maps=LiveMaps.from_document(header["maps"], terms, states),
            quality=LiveQuality(panel, seen),
            legs=LegsState.from_bytes(parts["legs"], EventConfig.for_bar(panel.bar)),
            ranks=ScoreMemory.from_bytes(parts["ranks"], panel.bar),
            positions={(p.symbol, p.side): p for p in positions},
        )
    except StoreError:
        raise
    except (LiqwarnError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"snapshot is unreadable: {error!r}") from error
    return memory, datetime.fromtimestamp(memory.tape.number * panel.bar_s, tz=UTC)


def _opened(data: bytes) -> tuple[Mapping[str, Any], dict[str, bytes]]:
    if not data.startswith(_MAGIC):
        raise StoreError(f"snapshot begins with {data[:16]!r}, expected {_MAGIC!r}")
    start = len(_MAGIC) + _DIGEST
    content = memoryview(data)[start:]
    if sha256(content).digest() != data[len(_MAGIC) : start]:
        raise StoreError("snapshot does not match its SHA-256: it was cut or damaged")
    end = data.index(b"\n", start) + 1
    header: dict[str, Any] = orjson.loads(content[: end - start])
    body = content[end - start :]
    ends = np.cumsum([size for _, size in header["parts"]]).tolist()
    begins = [0, *ends[:-1]]
    names = [name for name, _ in header["parts"]]
    spans = zip(names, begins, ends, strict=True)
    return header, {name: bytes(body[begin:end]) for name, begin, end in spans}


def _pack_map(state: MapState) -> bytes:
    """One symbol's maps: only the pages of bins that hold anything, and nothing deflated.

    A tenth of the time that :func:`liqwarn.liquidation.snapshot.to_bytes` takes for as many bytes.
    """
    pages = state.mass.reshape(-1, _PAGE)
    held = np.flatnonzero(pages.any(axis=1)).astype(np.int64)
    header = {"n_maps": len(state.mass), "steps": state.steps, "ledger": asdict(state.ledger)}
    prices = np.array([state.close, state.stock])
    arrays = {"prices": prices, "lanes": state.lanes, "held": held, "pages": pages[held]}
    return pack_arrays(_MAP, header, arrays)


def _unpack_map(data: bytes) -> MapState:
    header, arrays = unpack_arrays(_MAP, data)
    mass = np.zeros((header["n_maps"], LANES, BINS))
    mass.reshape(-1, _PAGE)[arrays["held"]] = arrays["pages"]
    close, stock = arrays["prices"].tolist()
    return MapState(
        mass=mass,
        lanes=arrays["lanes"],
        close=close,
        stock=stock,
        steps=header["steps"],
        ledger=Ledger(**header["ledger"]),
    )
