"""The latest scoring's flags, read from a file and read again when the file changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson

from liqwarn.decisions import FLAGS_SCHEMA, Flag, flag_from_dict, moment_from_iso
from liqwarn.errors import LiqwarnError, PolicyError

__all__ = ["EPOCH", "FlagFile", "FlagSet", "Reading", "parse_flags"]

EPOCH: Final = datetime.fromtimestamp(0, tz=UTC)
"""When something that was never written was written."""

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSet:
    """All flags of one scoring.

    Attributes
    ----------
    generated_at : datetime
        When the scoring wrote them.
    market : str
        ``real`` or ``simulated``.
    flags : mapping of symbol to Flag
    """

    generated_at: datetime
    market: str
    flags: Mapping[str, Flag]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of the file now.

    Attributes
    ----------
    latest : FlagSet or None
        The last content that could be read whole; None before the first.
    modified : datetime
        When that content was written, by the file system's clock.
    fault : str or None
        Why the file as it is now cannot be read; `latest` is then an earlier content.
    """

    latest: FlagSet | None
    modified: datetime
    fault: str | None


class FlagFile:
    """A ``.json`` file of flags, or the ``flags.json`` in a folder; parsed once per change.

    A change is a new modification time, size or inode: writers replace the file, or rewrite it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path if path.suffix == ".json" else path / "flags.json"
        self._stamp: _Stamp | None = None
        self._reading = Reading(latest=None, modified=EPOCH, fault="not read yet")

    def read(self) -> Reading:
        """The file's content, or the last good one and what is wrong now."""
        try:
            stat = self._path.stat()
        except OSError as error:
            return self._failed(None, error.strerror or type(error).__name__)
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp != self._stamp:
            self._load(stamp)
        return self._reading

    def _load(self, stamp: _Stamp) -> None:
        try:
            latest = parse_flags(self._path.read_bytes())
        except OSError as error:
            self._failed(None, error.strerror or type(error).__name__)
        except LiqwarnError as error:
            self._failed(stamp, str(error))
        else:
            self._stamp = stamp
            modified = datetime.fromtimestamp(stamp[0] / 1e9, tz=UTC)
            self._reading = Reading(latest=latest, modified=modified, fault=None)

    def _failed(self, stamp: _Stamp | None, why: str) -> Reading:
        self._stamp = stamp
        fault = f"{self._path.name}: {why}"
        before = self._reading
        self._reading = Reading(latest=before.latest, modified=before.modified, fault=fault)
        return self._reading


def parse_flags(content: bytes) -> FlagSet:
    """Read a file of flags whole, or not at all.

    Raises
    ------
    PolicyError
        When it is torn, of another schema, or one of its flags is unreadable.

    Examples
    --------
    >>> parse_flags(b'{"schema": "liqwarn.flags/1", "generated_at": "2024-08-05T06:01:00Z", '
    ...             b'"market": "real", "flags": []}').market
    'real'
    """
    try:
        raw = orjson.loads(content)
    except ValueError as error:
        raise PolicyError(f"not JSON, or torn: {error}") from error
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if schema != FLAGS_SCHEMA:
        raise PolicyError(f"schema is {schema!r}, expected {FLAGS_SCHEMA!r}")
    try:
        return FlagSet(
            generated_at=moment_from_iso(raw["generated_at"], "generated_at"),
            market=_market(raw["market"]),
            flags=MappingProxyType(_by_symbol(raw["flags"])),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"unreadable: {type(error).__name__} {error}") from error


def _by_symbol(rows: list[Mapping[str, Any]]) -> dict[str, Flag]:
    flags = [flag_from_dict(row) for row in rows]
    by_symbol = {flag.symbol: flag for flag in flags}
    if len(by_symbol) != len(flags):
        raise PolicyError(f"{len(flags)} flags of {len(by_symbol)} symbols, expected one each")
    return by_symbol


def _market(found: object) -> str:
    if found not in ("real", "simulated"):
        raise PolicyError(f"market is {found!r}, expected real or simulated")
    return str(found)
