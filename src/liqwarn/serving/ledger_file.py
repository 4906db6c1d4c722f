"""The account of a panel's ledger, read from its file and again when that is replaced."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, Final

import orjson

from liqwarn.decisions import moment_from_iso
from liqwarn.errors import LiqwarnError, StoreError
from liqwarn.reports.ledger_rows import SCHEMA

__all__ = ["LedgerFile", "LedgerReading"]

_LARGEST: Final = 64 * 1024 * 1024
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReading:
    """What is known of the account now.

    Attributes
    ----------
    account : mapping or None
        The file's content; None when it is missing or cannot be read.
    settled_at : datetime or None
        When the ledger was settled; None without an account.
    fault : str or None
        Why there is no account.
    faults : int
        How often a file that was looked at for the first time could not be read.
    """

    account: Mapping[str, Any] | None = None
    settled_at: datetime | None = None
    fault: str | None = None
    faults: int = 0


class LedgerFile:
    """``account.json`` of one panel; parsed once a change, of time, size or inode.

    Parameters
    ----------
    path : Path
        It need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        self._reading = LedgerReading()

    def read(self) -> LedgerReading:
        """The account now; never raises, and the same object while nothing has changed."""
        try:
            stat = self._path.stat()
        except OSError as error:
            return self._failed(None, error.strerror or type(error).__name__)
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp == self._stamp:
            return self._reading
        try:
            account = _account(self._path, stat)
            settled = moment_from_iso(account["generated_at"], "generated_at")
        except OSError as error:
            return self._failed(None, error.strerror or type(error).__name__)
        except (LiqwarnError, KeyError, TypeError, ValueError) as error:
            return self._failed(stamp, f"{type(error).__name__}: {error}")
        self._stamp = stamp
        faults = self._reading.faults
        self._reading = LedgerReading(account=account, settled_at=settled, faults=faults)
        return self._reading

    def _failed(self, stamp: _Stamp | None, why: str) -> LedgerReading:
        fault, before = f"{self._path.name}: {why}", self._reading
        if before.fault != fault or stamp != self._stamp:
            self._reading = LedgerReading(fault=fault, faults=before.faults + 1)
        self._stamp = stamp
        return self._reading


def _account(path: Path, stat: os.stat_result) -> dict[str, Any]:
    if not (S_ISREG(stat.st_mode) or S_ISDIR(stat.st_mode)):
        raise StoreError("no regular file")  # a pipe never ends, and the metrics wait for it
    content = b""
    if stat.st_size <= _LARGEST:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)  # it may have grown
    size = max(stat.st_size, len(content))
    if size > _LARGEST:
        raise StoreError(f"{size} bytes, expected at most {_LARGEST}")
    found = orjson.loads(content)
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise StoreError(f"schema is {schema!r}, expected {SCHEMA!r}")
    account: dict[str, Any] = found
    return account
