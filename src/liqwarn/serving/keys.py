"""API keys: who may ask for what, and the check of a token in constant time.

A token is ``lqw_<id>_<secret>``. The secret is 256 random bits, so one salted SHA-256 keeps it: a
slow hash protects words that people choose, and would only make a flood of wrong tokens dearer for
the server than for its sender.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from liqwarn.errors import ConfigError
from liqwarn.serving.scopes import Scope

__all__ = ["SCOPE_NAMES", "ApiKey", "KeySet", "Refusal", "Secret", "new_key", "rotated"]


SCOPE_NAMES: Final[tuple[Scope, ...]] = ("read", "score", "admin")
"""``read`` flags, ``score`` rows of one's own, ``admin`` everything."""

_TOKEN: Final = re.compile(r"lqw_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SECRET_BYTES: Final = 32
_SALT_BYTES: Final = 16


class Refusal(StrEnum):
    """Why a token is no good: for the log and the metrics, never for the caller."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What is kept of one secret of a key.

    Attributes
    ----------
    salt, sha256 : str
        In hex; the hash is of the salt followed by the secret.
    created_at : datetime
    valid_until : datetime or None
        End of its grace after a rotation; None for the newest.
    """

    salt: str
    sha256: str
    created_at: datetime
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One caller's key; several secrets while it is rotated."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    disabled_at: datetime | None = None
    secrets: tuple[Secret, ...]

    def allows(self, scope: str) -> bool:
        """Whether it opens what needs `scope`; an ``admin`` key opens everything."""
        return scope in self.scopes or "admin" in self.scopes

    def refusal(self, now: datetime) -> Refusal | None:
        """Why none of its secrets is good at `now`; None when they may be."""
        if self.disabled_at is not None:
            return Refusal.DISABLED
        return Refusal.EXPIRED if self.expires_at is not None and now >= self.expires_at else None


class KeySet:
    """All keys at one moment, by their id."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        given = tuple(keys)
        self.keys: Mapping[str, ApiKey] = MappingProxyType({key.id: key for key in given})
        if len(self.keys) != len(given):
            raise ConfigError(f"{len(given)} keys have {len(self.keys)} ids, expected one each")

    def check(self, token: str, now: datetime) -> ApiKey | Refusal:
        """The key a token opens, or why it opens none.

        A token of an unknown id costs the same hash and comparison as one of a known id, and every
        secret of the key is compared, so the time taken tells nothing about a secret.

        Examples
        --------
        >>> from datetime import UTC
        >>> now = datetime(2026, 1, 1, tzinfo=UTC)
        >>> key, token = new_key("desk", ("read",), now=now)
        >>> KeySet([key]).check(token, now).name
        'desk'
        >>> KeySet([key]).check(token[:-1] + "~", now)
        <Refusal.MALFORMED: 'malformed'>
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            return Refusal.MALFORMED
        key = self.keys.get(match[1])
        candidates = key.secrets if key else (_NOBODY,)
        known, alive = False, False
        for secret in candidates:
            same = hmac.compare_digest(_hash(secret.salt, match[2]), secret.sha256)
            known |= same
            alive |= same and (secret.valid_until is None or now < secret.valid_until)
        if key is None or not known:
            return Refusal.UNKNOWN
        return key.refusal(now) or (key if alive else Refusal.EXPIRED)


def new_key(
    name: str,
    scopes: Iterable[str],
    *,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its token, which is nowhere kept.

    Raises
    ------
    ConfigError
        When it has no name, no scope or an unknown one, or is expired from the start.
    """
    wanted = set(scopes)
    if not name.strip() or not name.isprintable():
        raise ConfigError(f"name of a key is {name!r}, expected printable text")
    if not wanted or wanted - set(SCOPE_NAMES):
        raise ConfigError(f"scopes are {sorted(wanted)}, expected some of {', '.join(SCOPE_NAMES)}")
    if expires_at is not None and expires_at <= now:
        raise ConfigError(
            f"key expires at {expires_at.isoformat()}, expected a later time than now"
        )
    key_id = secrets.token_hex(6)
    secret, text = _new_secret(now)
    key = ApiKey(
        id=key_id,
        name=name,
        scopes=frozenset(scope for scope in SCOPE_NAMES if scope in wanted),
        created_at=now,
        expires_at=expires_at,
        secrets=(secret,),
    )
    return key, f"lqw_{key_id}_{text}"


def rotated(key: ApiKey, *, now: datetime, until: datetime) -> tuple[ApiKey, str]:
    """The key with a new secret, good at once, and its new token; older ones end at `until`.

    A secret that ends before `until` is not prolonged, and one that has ended is dropped.

    Raises
    ------
    ConfigError
        When the key is disabled or expired: a new secret would open nothing.
    """
    why = key.refusal(now)
    if why is not None:
        raise ConfigError(f"key {key.id} is {why}, expected one in use")
    kept = tuple(
        replace(secret, valid_until=min(secret.valid_until or until, until))
        for secret in key.secrets
        if secret.valid_until is None or secret.valid_until > now
    )
    secret, text = _new_secret(now)
    return replace(key, secrets=(*kept, secret)), f"lqw_{key.id}_{text}"


def _new_secret(now: datetime) -> tuple[Secret, str]:
    text, salt = secrets.token_urlsafe(_SECRET_BYTES), secrets.token_hex(_SALT_BYTES)
    return Secret(salt=salt, sha256=_hash(salt, text), created_at=now), text


def _hash(salt: str, secret: str) -> str:
    return sha256(bytes.fromhex(salt) + secret.encode()).hexdigest()


_NOBODY: Final = Secret(
    salt="00" * _SALT_BYTES,
    sha256="0" * 64,
    created_at=datetime.min,  # noqa: DTZ901  never read
)
