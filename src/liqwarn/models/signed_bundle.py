"""Signing a model bundle, and reading one only if every byte of it is signed.

``bundle.json`` names every file below the folder with its size and SHA-256, and is itself signed
with Ed25519 (:mod:`liqwarn.signing`). What is verified is what is loaded: the files are read once,
into memory, and the model is made of those bytes, never of the disk again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from liqwarn.durable import write_bytes
from liqwarn.errors import ModelError
from liqwarn.models.bundle import MODEL, POLICY, TRAINING
from liqwarn.models.bundle_tree import open_tree, read_entry, tree_sizes
from liqwarn.models.model_files import MANIFEST, read_tree
from liqwarn.signing import SigningKey, VerifyKey, sign_document, verify_document

__all__ = [
    "BUNDLE",
    "SCHEMA",
    "BundleId",
    "VerifiedBundle",
    "read_bundle",
    "read_unsigned",
    "sign_bundle",
    "verify_bundle",
]

D = TypeVar("D", bound="dict[str, Any] | None")

BUNDLE: Final = "bundle.json"
SCHEMA: Final = "liqwarn.bundle/1"
_LARGEST: Final = 1 << 20
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleId:
    """Which bundle, and who vouches for it.

    Attributes
    ----------
    version : str
        As named when it was signed.
    sha256 : str
        Of all files: of what ``bundle.json`` says without its signature, so that the same files
        signed with another key are the same bundle.
    model_sha256 : str
        Of the model's manifest, as in every flag.
    key : str or None
        Id of the key that signed it; None when nobody did.
    files, size : int
        Number of files, and their bytes.
    """

    version: str
    sha256: str
    model_sha256: str
    key: str | None
    files: int
    size: int

    def to_dict(self) -> dict[str, object]:
        """The same as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedBundle:
    """The bytes of a bundle, checked.

    Attributes
    ----------
    id : BundleId
    files : mapping of path to bytes
        Without ``bundle.json``.
    """

    id: BundleId
    files: Mapping[str, bytes] = field(repr=False)


def sign_bundle(
    folder: Path, key: SigningKey, *, version: str | None = None, policy: bytes | None = None
) -> BundleId:
    """Sign what is in a folder, in place; an older signature is replaced.

    Parameters
    ----------
    version : str or None
        What flags call this model; None for the name of the folder.
    policy : bytes or None
        The policy file to release the model with; None keeps the one that is there, if any.

    Raises
    ------
    ModelError
        When the folder is no whole bundle, has anything else in it, or has no probes.
    """
    name = folder.name if version is None else version
    if not _VERSION.fullmatch(name):
        raise ModelError(f"bundle version is {name!r}, expected letters, digits, '.', '_', '-'")
    if policy is not None:
        write_bytes(folder / POLICY, policy)
    _, files = _tree(folder, lambda _: None)
    content = _content(files, name)
    if f"{TRAINING}/probes.json" not in files:
        raise ModelError(
            f"bundle {folder} has no probes to ask the loaded model with: it was made by an "
            "earlier version of liqwarn; train it again"
        )
    write_bytes(folder / BUNDLE, _encoded(sign_document(content, key)))
    return _id(content, files, key.key_id)


def verify_bundle(folder: Path, keys: Sequence[VerifyKey]) -> BundleId:
    """Whether every byte of a bundle is signed by one of `keys`; nothing of it is parsed or run.

    Raises
    ------
    ModelError
        Saying what is wrong: no signature, an unknown key, a changed, missing or added file.
    """
    return read_bundle(folder, keys).id


def read_bundle(folder: Path, keys: Sequence[VerifyKey]) -> VerifiedBundle:
    """The same, with the bytes that were verified.

    Raises
    ------
    ModelError
        As :func:`verify_bundle`.
    """

    def checked(manifest: bytes | None) -> dict[str, Any]:
        """The manifest is believed before any other file is read."""
        if manifest is None:
            raise ModelError(f"bundle {folder} is unsigned: it has no {BUNDLE}")
        document = _document(manifest, folder)
        why = verify_document(document, keys)
        if why is not None:
            raise ModelError(f"bundle {folder} is not to be trusted: {why}")
        return document

    document, files = _tree(folder, checked)
    return _believed(document, files, folder, key=str(document["signature"]["key"]))


def read_unsigned(folder: Path) -> VerifiedBundle:
    """A bundle that nobody vouches for, as whole as its own hashes can tell.

    Only for a caller that was told so by a human. A manifest that is there must still be true.

    Raises
    ------
    ModelError
        When the folder is no whole bundle or has anything else in it.
    """

    def checked(manifest: bytes | None) -> dict[str, Any] | None:
        return None if manifest is None else _document(manifest, folder)

    document, files = _tree(folder, checked)
    if document is None:
        document = _content(files, re.sub(r"[^A-Za-z0-9._ -]", "_", folder.name)[:64] or "_")
    return _believed(document, files, folder, key=None)


def _tree(folder: Path, check: Callable[[bytes | None], D]) -> tuple[D, dict[str, bytes]]:
    """What `check` makes of the manifest, then all other files; each is read once."""
    with open_tree(folder) as root:
        sizes = tree_sizes(root, folder)
        length = sizes.pop(BUNDLE, None)
        if length is not None and length > _LARGEST:
            raise ModelError(f"bundle {folder} has a {BUNDLE} of {length:,} bytes, too large")
        document = check(None if length is None else read_entry(root, BUNDLE, length, folder))
        if document is not None:
            _same_names(document["files"], sizes, folder)
        return document, {n: read_entry(root, n, size, folder) for n, size in sizes.items()}


def _same_names(expected: Mapping[str, Any], sizes: Mapping[str, int], folder: Path) -> None:
    for told, names in (
        ("lacks", sorted(set(expected) - set(sizes))),
        ("has besides what is signed", sorted(set(sizes) - set(expected))),
    ):
        if names:
            raise ModelError(f"bundle {folder} {told}: {', '.join(map(repr, names[:5]))}")
    for name, size in sizes.items():
        if expected[name]["bytes"] != size:
            raise ModelError(
                f"bundle {folder} has {name} with {size:,} bytes, "
                f"expected {expected[name]['bytes']:,}"
            )


def _content(files: Mapping[str, bytes], version: str) -> dict[str, Any]:
    """What a manifest of these files says, once they are seen to be a bundle."""
    parts = (read_tree(files, part) for part in (MODEL, TRAINING))
    inside = {
        f"{part}/{name}"
        for part, (found, _) in zip((MODEL, TRAINING), parts, strict=True)
        for name in (*found, MANIFEST)
    }
    other = sorted(set(files) - inside - {POLICY})
    if other:
        raise ModelError(f"bundle has files that are no part of it: {', '.join(other[:5])}")
    hashes = {
        name: {"bytes": len(files[name]), "sha256": sha256(files[name]).hexdigest()}
        for name in sorted(files)
    }
    return {"schema": SCHEMA, "version": version, "files": hashes}


def _document(manifest: bytes, folder: Path) -> dict[str, Any]:
    """A manifest in the shape it must have, byte for byte."""
    try:
        document: dict[str, Any] = orjson.loads(manifest)
        if document["schema"] != SCHEMA:
            raise ModelError(
                f"bundle {folder} has schema {document['schema']!r}, expected {SCHEMA!r}"
            )
        files, version = document["files"], document["version"]
        shaped = bool(_VERSION.fullmatch(version)) and all(
            set(told) == {"bytes", "sha256"} for told in files.values()
        )
        shaped &= set(document) <= {"schema", "version", "files", "signature"}
        shaped &= _encoded(document) == manifest
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"bundle {folder} has an unreadable {BUNDLE}: {error!r}") from error
    if not shaped:
        raise ModelError(f"bundle {folder} has a {BUNDLE} that is not as liqwarn writes it")
    return document


def _believed(
    document: dict[str, Any], files: dict[str, bytes], folder: Path, *, key: str | None
) -> VerifiedBundle:
    """The files, if they are the ones their manifest names."""
    for name, held in files.items():
        found, expected = sha256(held).hexdigest(), document["files"][name]["sha256"]
        if found != expected:
            raise ModelError(
                f"bundle {folder} has {name} with SHA-256 {found[:12]}…, expected "
                f"{str(expected)[:12]}…: it was changed after it was signed"
            )
    content = {name: value for name, value in document.items() if name != "signature"}
    return VerifiedBundle(id=_id(content, files, key), files=files)


def _id(content: dict[str, Any], files: Mapping[str, bytes], key: str | None) -> BundleId:
    model = f"{MODEL}/{MANIFEST}"
    if model not in files:
        raise ModelError(f"bundle lacks {model}")
    return BundleId(
        version=content["version"],
        sha256=sha256(_encoded(content)).hexdigest(),
        model_sha256=sha256(files[model]).hexdigest(),
        key=key,
        files=len(files),
        size=sum(map(len, files.values())),
    )


def _encoded(document: Mapping[str, Any]) -> bytes:
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document, option=options)
