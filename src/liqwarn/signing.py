"""Ed25519 signatures of flags, boards and model bundles: who wrote these bytes.

A hash says that bytes are whole; a signature says that they are ours. Keys are PEM files. Private
ones are never printed and never read from a file that others may read. A reader is given a folder
of public keys, so that a new key can be trusted before the old one is dropped.
"""

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from liqwarn.errors import ConfigError

__all__ = [
    "SigningKey",
    "VerifyKey",
    "generate_key",
    "load_signing_key",
    "load_verify_keys",
    "save_signing_key",
    "save_verify_key",
    "sign_document",
    "verify_document",
]

_PUBLIC: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_LARGEST: Final = 1 << 20  # bytes of a key file; anything longer is another file


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """The public half of a key.

    Attributes
    ----------
    raw : bytes
        32 bytes.
    key_id : str
        First 16 hex digits of the SHA-256 of `raw`.

    Raises
    ------
    ConfigError
        When `raw` is no public key.
    """

    raw: bytes
    key_id: str = field(init=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            key = Ed25519PublicKey.from_public_bytes(self.raw)
        except ValueError as error:
            raise ConfigError(f"public key has {len(self.raw)} bytes, expected 32") from error
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "key_id", sha256(self.raw).hexdigest()[:16])

    def verify(self, content: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's of `content`.

        Examples
        --------
        >>> key = generate_key()
        >>> signature = key.sign(b"tier 3")
        >>> key.public.verify(b"tier 3", signature), key.public.verify(b"tier 0", signature)
        (True, False)
        """
        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """The private half of a key: whoever has it can speak as us.

    Attributes
    ----------
    public : VerifyKey
    key_id : str
        Of `public`.
    """

    __slots__ = ("_private", "key_id", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = VerifyKey(private.public_key().public_bytes_raw())
        self.key_id = self.public.key_id

    def sign(self, content: bytes) -> bytes:
        """The 64 bytes that say this key vouches for `content`."""
        return self._private.sign(content)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not copied or pickled")


def generate_key() -> SigningKey:
    """A new key from the system's random bytes."""
    return SigningKey(Ed25519PrivateKey.generate())


def save_signing_key(key: SigningKey, path: Path) -> None:
    """Write a private key as PEM that its owner alone may read.

    Raises
    ------
    ConfigError
        When there is a file already: a lost key cannot be made again.
    """
    content = key._private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"private key {path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def load_signing_key(path: Path) -> SigningKey:
    """Read a private key.

    Raises
    ------
    ConfigError
        When others than its owner may read the file, or it holds no Ed25519 key.
    """
    content, mode = _read(path)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"private key {path} has mode {mode:04o}, expected 0600: others may read it"
        )
    try:
        private = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path} holds no private key that can be read without password") from (
            error
        )
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigError(f"private key {path} is of another kind, expected Ed25519")
    return SigningKey(private)


def save_verify_key(key: VerifyKey, path: Path) -> None:
    """Write a public key as PEM, whole or not at all."""
    content = key._key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def load_verify_keys(path: Path) -> tuple[VerifyKey, ...]:
    """Read the public keys to trust: a PEM file with one or several, or a folder of ``*.pem``.

    Raises
    ------
    ConfigError
        When there is none, or a file holds anything else.
    """
    files = sorted(path.glob("*.pem")) if path.is_dir() else [path]
    keys = {key.key_id: key for file in files for key in _public_keys(file)}
    if not keys:
        raise ConfigError(f"{path} holds no public key, expected at least one *.pem")
    return tuple(keys.values())


def _public_keys(path: Path) -> list[VerifyKey]:
    content, _ = _read(path)
    blocks = _PUBLIC.findall(content)
    if not blocks or _PUBLIC.sub(b"", content).strip():
        raise ConfigError(f"{path} holds something else than public keys in PEM")
    return [_public_key(block, path) for block in blocks]


def _public_key(block: bytes, path: Path) -> VerifyKey:
    try:
        key = serialization.load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path} holds a public key that cannot be read") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"public key {path} is of another kind, expected Ed25519")
    return VerifyKey(key.public_bytes_raw())


def _read(path: Path) -> tuple[bytes, int]:
    """Bytes of a key file, and the mode of the very file they were read from."""
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            return stream.read(_LARGEST), mode
    except OSError as error:
        raise ConfigError(f"key {path} cannot be read: {error.strerror}") from error


def sign_document(document: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
    """The document with its signature under ``"signature"``; an older one is replaced.

    Examples
    --------
    >>> key = generate_key()
    >>> signed = sign_document({"symbol": "BTCUSDT", "tier": 3}, key)
    >>> verify_document(signed, [key.public]) is None
    True
    >>> verify_document(signed | {"tier": 0}, [key.public])
    'signature does not match'
    """
    plain = _without_signature(document)
    signature = base64.b64encode(key.sign(_signed_bytes(plain))).decode()
    return plain | {"signature": {"key": key.key_id, "ed25519": signature}}


def verify_document(document: Mapping[str, Any], keys: Sequence[VerifyKey]) -> str | None:
    """None when one of `keys` signed these very values, else why not; never raises."""
    found = document.get("signature")
    if found is None:
        return "unsigned"
    try:
        key_id, signature = found["key"], base64.b64decode(found["ed25519"], validate=True)
        written = {"key": key_id, "ed25519": base64.b64encode(signature).decode()}
        if found != written:  # the same bits in other letters, or something besides them
            return "unreadable signature: not as it is written"
        content = _signed_bytes(_without_signature(document))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        return f"unreadable signature: {type(error).__name__}"
    known = [key for key in keys if key.key_id == key_id]
    if not known:
        return f"unknown key {str(key_id)[:16]!r}"
    return None if known[0].verify(content, signature) else "signature does not match"


def _without_signature(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "signature"}


def _signed_bytes(plain: dict[str, Any]) -> bytes:
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
