"""The file of API keys: changed whole under a lock, read again by the server when it changes."""

import os
import stat
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import orjson
from filelock import FileLock

from liqwarn.decisions import iso_utc, moment_from_iso
from liqwarn.durable import replace_file
from liqwarn.errors import ConfigError, LiqwarnError
from liqwarn.serving.keys import SCOPE_NAMES, ApiKey, KeySet, Secret
from liqwarn.serving.logs import get_logger
from liqwarn.serving.scopes import Scope

__all__ = ["KEYS_SCHEMA", "KeyRing", "change_keys", "read_keys"]

KEYS_SCHEMA: Final = "liqwarn.keys/1"
_LOCK_S: Final = 10.0
_OTHERS: Final = 0o077

_LOG = get_logger("keys")

T = TypeVar("T")
_Stamp = tuple[int, int, int, int]


class KeyRing:
    """The keys in force: those of the file as it was last readable.

    A file that is torn, unreadable or open to other users changes nothing: the last good keys stay
    in force and `fault` says why. Before the first good reading there are no keys, and so nobody is
    let in.

    Raises
    ------
    ConfigError
        When the file cannot be read at the start.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fault: str | None = None
        self._keys = read_keys(path)
        self._stamp: _Stamp | None = None

    @property
    def fault(self) -> str | None:
        """Why the file as it is now is not in force; None when it is."""
        return self._fault

    def current(self) -> KeySet:
        """The keys in force; one ``stat`` when the file has not changed."""
        try:
            stamp = _stamp(self._path)
        except OSError as error:
            self._failed(f"{self._path}: cannot be read: {error.strerror}", None)
            return self._keys
        if stamp != self._stamp:
            self._load(stamp)
        return self._keys

    def _load(self, stamp: _Stamp) -> None:
        try:
            self._keys = read_keys(self._path)
        except ConfigError as error:
            passing = isinstance(error.__cause__, OSError)
            self._failed(str(error), None if passing else stamp)
        else:
            self._stamp, self._fault = stamp, None
            _LOG.info("keys read", keys=len(self._keys.keys))

    def _failed(self, fault: str, stamp: _Stamp | None) -> None:
        if fault != self._fault:
            _LOG.error("keys not read, the last good ones stay", fault=fault)
        self._stamp, self._fault = stamp, fault


def _stamp(path: Path) -> _Stamp:
    found = os.stat(path)  # noqa: PTH116  once a request: half the time of Path.stat
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)


def read_keys(path: Path) -> KeySet:
    """The keys of a file, whole or not at all.

    Raises
    ------
    ConfigError
        When it cannot be read, other users may read or write it, or it is not a file of keys.
    """
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            content = stream.read()
    except OSError as error:
        how = "; liqwarn keys add makes it" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(f"{path}: cannot be read: {error.strerror}{how}") from error
    if mode & _OTHERS:
        raise ConfigError(
            f"{path}: mode is {mode:04o}, expected 0600: others may read or change it"
        )
    return _parsed(content, path)


def _parsed(content: bytes, path: Path) -> KeySet:
    try:
        raw = orjson.loads(content)
        if raw["schema"] != KEYS_SCHEMA:
            raise ConfigError(f"schema is {raw['schema']!r}, expected {KEYS_SCHEMA!r}")
        return KeySet(_key(row) for row in raw["keys"])
    except (AttributeError, KeyError, LiqwarnError, TypeError, ValueError) as error:
        why = f"{type(error).__name__} {error}"
        raise ConfigError(f"{path}: not a whole file of keys: {why}") from error


def change_keys(path: Path, change: Callable[[KeySet], tuple[KeySet, T]]) -> T:
    """Replace the file with what `change` makes of its keys, and return what else it gives.

    The file is made when it is missing, with mode 0600, and keeps its owner: root may change the
    keys of a server that runs as another user. Two changes at once wait for each other.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=_LOCK_S):
        before = read_keys(path) if path.exists() else KeySet()
        after, given = change(before)
        body = {"schema": KEYS_SCHEMA, "keys": [_to_dict(key) for key in after.keys.values()]}
        content = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        owner = (path if path.exists() else path.parent).stat()
        replace_file(path, lambda part: _fill(part, content, owner), mode=0o600)
    return given


def _fill(part: Path, content: bytes, owner: os.stat_result) -> None:
    part.write_bytes(content)
    if os.geteuid() == 0:
        os.chown(part, owner.st_uid, owner.st_gid)


def _to_dict(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": [scope for scope in SCOPE_NAMES if scope in key.scopes],
        "created_at": iso_utc(key.created_at),
        "expires_at": _iso(key.expires_at),
        "disabled_at": _iso(key.disabled_at),
        "secrets": [
            {
                "salt": secret.salt,
                "sha256": secret.sha256,
                "created_at": iso_utc(secret.created_at),
                "valid_until": _iso(secret.valid_until),
            }
            for secret in key.secrets
        ],
    }


def _key(raw: Mapping[str, Any]) -> ApiKey:
    unknown = set(raw["scopes"]) - set(SCOPE_NAMES)
    if unknown:
        raise ConfigError(
            f"scopes {sorted(unknown)} are unknown, expected of {', '.join(SCOPE_NAMES)}"
        )
    return ApiKey(
        id=_text(raw["id"]),
        name=_text(raw["name"]),
        scopes=frozenset(cast("list[Scope]", raw["scopes"])),
        created_at=moment_from_iso(raw["created_at"], "created_at"),
        expires_at=_moment(raw, "expires_at"),
        disabled_at=_moment(raw, "disabled_at"),
        secrets=tuple(_secret(row) for row in raw["secrets"]),
    )


def _secret(raw: Mapping[str, Any]) -> Secret:
    bytes.fromhex(raw["salt"]), bytes.fromhex(raw["sha256"])
    return Secret(
        salt=raw["salt"],
        sha256=raw["sha256"],
        created_at=moment_from_iso(raw["created_at"], "created_at"),
        valid_until=_moment(raw, "valid_until"),
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso_utc(moment)


def _moment(raw: Mapping[str, Any], name: str) -> datetime | None:
    return None if raw[name] is None else moment_from_iso(raw[name], name)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value
