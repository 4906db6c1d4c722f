"""The manifest: what the store holds, written last and atomically, so it is never half true."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from liqwarn.data.records import SeriesKey
from liqwarn.durable import write_bytes
from liqwarn.errors import StoreError

__all__ = ["MANIFEST", "SCHEMA", "Manifest", "Origin", "Part", "load_manifest", "save_manifest"]

SCHEMA: Final = "liqwarn.store/1"
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A provider file: its path below the data folder, its hash, when it first brought rows."""

    file: str
    sha256: str
    first_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One parquet file of the store.

    Attributes
    ----------
    path : str
        Relative to the store, hive style.
    rows, size : int
    sha256 : str
    first, last : int
        Smallest and largest event time in it, seconds UTC.
    """

    path: str
    rows: int
    size: int
    sha256: str
    first: int
    last: int

    @property
    def key(self) -> SeriesKey:
        """Series it belongs to."""
        panel, source, symbol = (p.split("=", 1)[1] for p in self.path.split("/")[:3])
        return SeriesKey(panel=panel, source=source, symbol=symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything the store holds: provider files by their id, and parts by their path."""

    origins: tuple[Origin, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)

    def of(self, key: SeriesKey) -> list[Part]:
        """Parts of one series, oldest writing last year by year."""
        prefix = f"panel={key.panel}/source={key.source}/symbol={key.symbol}/"
        return [part for path, part in self.parts.items() if path.startswith(prefix)]

    @property
    def sha256(self) -> str:
        """Hash of the content, the same for the same rows whenever they were ingested."""
        lines = [f"{part.sha256} {path}" for path, part in sorted(self.parts.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def save_manifest(root: Path, manifest: Manifest) -> None:
    """Write the manifest of a store, with its own hash inside."""
    body = {
        "schema": SCHEMA,
        "origins": [{**asdict(o), "first_at": o.first_at.isoformat()} for o in manifest.origins],
        "parts": [asdict(part) for _, part in sorted(manifest.parts.items())],
    }
    text = json.dumps({"sha256": _hash(body), **body}, indent=1)
    write_bytes(root / MANIFEST, text.encode())


def load_manifest(root: Path) -> Manifest:
    """Read it back; a store without one is empty.

    Raises
    ------
    StoreError
        When it was edited, damaged, or written by something else; or when there are parts but no
        manifest, which is written before the first of them.
    """
    path = root / MANIFEST
    if not path.exists():
        if any(root.glob("panel=*")):
            raise StoreError(f"{path}: missing, though there are parts; it was deleted")
        return Manifest()
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        stated = body.pop("sha256")
        if body["schema"] != SCHEMA:
            raise StoreError(f"{path}: schema is {body['schema']!r}, expected {SCHEMA!r}")
        if stated != _hash(body):
            raise StoreError(f"{path}: its hash does not match its content; it was changed")
        origins = tuple(
            Origin(**{**o, "first_at": datetime.fromisoformat(o["first_at"])})
            for o in body["origins"]
        )
        parts = {part["path"]: Part(**part) for part in body["parts"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: unreadable, {type(error).__name__} {error}") from error
    return Manifest(origins=origins, parts=parts)


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
