"""What a ledger holds, as tables; read from its parts, and kept beside them for the next time.

The copy under ``cache/`` only saves time: it is named by the place in the chain it was made at and
by its hashes, made anew from the parts where anything does not fit, and held against them by
``liqwarn ledger verify``.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import pandas as pd

from liqwarn.chained_log import Head
from liqwarn.durable import sha256_of, write_json
from liqwarn.errors import AuditError, StoreError
from liqwarn.live.flag_rows import flag_frame
from liqwarn.pipelines.ledger_log import KINDS, Line, lines_after, part_table
from liqwarn.tables import read_table, write_table

__all__ = ["KEY", "Ledger", "Told", "keep", "load", "rebuilt"]

KEY: Final = ("symbol", "as_of", "side")
Told = tuple[tuple[int, datetime], ...]
_SCHEMA: Final = "liqwarn.ledger-cache/2"
_CACHE: Final = "cache"
_OFTEN: Final = 24
"""Lines of the chain that are read from their parts before the copy is made anew."""
_US: Final = "datetime64[us, UTC]"


def _empty() -> dict[str, pd.DataFrame]:
    flags = flag_frame([]).assign(part=pd.Series(dtype="int64"))
    keys = flags[list(KEY)]
    outcomes = keys.assign(y=flags["p_4h"], settled_at=flags["as_of"], part=flags["part"])
    events = flags[["symbol", "side", "part"]].assign(onset=flags["as_of"])
    return {"flags": flags, "outcomes": outcomes, "events": events}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ledger:
    """The content of a ledger.

    Attributes
    ----------
    tables : mapping of {"flags", "outcomes", "events"} to DataFrame
        In the order they were taken in; ``part`` is the number of the line that brought a row.
    models : mapping of version to tuple of (int, datetime)
        Until when a model's training knew outcomes, and the number of the line that told it; the
        first that was told, and every later one that is told of the same version.
    sources : frozenset of str
        SHA-256 of the files whose flags were taken in.
    head : Head
        The place in the chain it was read up to.
    """

    tables: Mapping[str, pd.DataFrame] = field(default_factory=_empty)
    models: Mapping[str, Told] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    head: Head = field(default_factory=Head)

    @property
    def flags(self) -> pd.DataFrame:
        """Every flag, a row a side."""
        return self.tables["flags"]

    @property
    def outcomes(self) -> pd.DataFrame:
        """Every outcome and every revision of one."""
        return self.tables["outcomes"]

    @property
    def events(self) -> pd.DataFrame:
        """Every onset that fell into the bars flags were issued for."""
        return self.tables["events"]


def load(folder: Path) -> Ledger:
    """Read a ledger up to its head.

    Raises
    ------
    AuditError
        When the chain or a part behind the copy is not what was written.
    """
    kept = _kept(folder)
    try:
        return _with_lines(folder, kept)
    except AuditError:
        if not kept.head.lines:
            raise
        return rebuilt(folder)  # the copy may be of another chain


def rebuilt(folder: Path) -> Ledger:
    """Read a ledger from its parts alone.

    Raises
    ------
    AuditError
        When the chain or any part is not what was written.
    """
    return _with_lines(folder, Ledger())


def keep(folder: Path, ledger: Ledger) -> None:
    """Keep a copy for the next time, now and then."""
    if ledger.head.lines - _kept_head(folder).lines < _OFTEN:
        return
    for kind in KINDS:
        write_table(ledger.tables[kind], folder / _CACHE / f"{kind}.parquet")
    described = {
        "schema": _SCHEMA,
        "head": asdict(ledger.head),
        "files": {kind: sha256_of(folder / _CACHE / f"{kind}.parquet") for kind in KINDS},
        "models": {
            version: [[line, until.isoformat()] for line, until in told]
            for version, told in ledger.models.items()
        },
        "sources": sorted(ledger.sources),
    }
    write_json(folder / _CACHE / "cache.json", described)


def _kept_head(folder: Path) -> Head:
    try:
        return Head(**orjson.loads((folder / _CACHE / "cache.json").read_bytes())["head"])
    except (OSError, ValueError, TypeError, KeyError):
        return Head()


def _kept(folder: Path) -> Ledger:
    """The copy; an empty ledger where it is not whole."""
    try:
        told: dict[str, Any] = orjson.loads((folder / _CACHE / "cache.json").read_bytes())
        paths = {kind: folder / _CACHE / f"{kind}.parquet" for kind in KINDS}
        if told["schema"] != _SCHEMA or any(
            sha256_of(path) != told["files"][kind] for kind, path in paths.items()
        ):
            return Ledger()
        return Ledger(
            tables={kind: read_table(path) for kind, path in paths.items()},
            models={
                version: tuple((int(line), datetime.fromisoformat(until)) for line, until in lines)
                for version, lines in told["models"].items()
            },
            sources=frozenset(told["sources"]),
            head=Head(**told["head"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return Ledger()


def _with_lines(folder: Path, ledger: Ledger) -> Ledger:
    """The ledger with what the chain says behind it."""
    lines = list(lines_after(folder, ledger.head))
    if not lines:
        return ledger
    fresh = {kind: [ledger.tables[kind]] for kind in KINDS}
    for line in lines:
        kind = line.record.get("kind")
        if kind in fresh:
            table = part_table(folder, line.record)
            fresh[str(kind)].append(table.assign(part=line.record["sequence"]))
    return Ledger(
        tables={kind: _joined(parts) for kind, parts in fresh.items()},
        models=_with_models(ledger.models, lines),
        sources=ledger.sources | {s["sha256"] for line in lines for s in _sources(line)},
        head=lines[-1].head,
    )


def _sources(line: Line) -> list[dict[str, str]]:
    found: list[dict[str, str]] = line.record.get("sources", [])
    return found


def _with_models(models: Mapping[str, Told], lines: list[Line]) -> dict[str, Told]:
    found = dict(models)
    for record in (line.record for line in lines):
        if record.get("kind") != "model":
            continue
        try:
            version, until = str(record["version"]), datetime.fromisoformat(record["trained_until"])
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"ledger: line {record['sequence']} is no model: {error!r}") from error
        found[version] = (*found.get(version, ()), (int(record["sequence"]), until))
    return found


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return parts[0]
    table = pd.concat(filled, ignore_index=True)
    for name in ("as_of", "issued_at", "valid_until", "settled_at", "onset"):
        if name in table:
            table[name] = table[name].astype(_US)
    return table
