"""A folder of files that is read only if every byte is the one written.

A cut LightGBM text kills the process that parses it, and one changed character can move predictions
in silence; so hashes are checked before anything is parsed. Nothing in the folder is a pickle.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from liqwarn.durable import write_bytes
from liqwarn.errors import ModelError, OutdatedModelError

__all__ = ["MANIFEST", "OUTDATED", "SCHEMA", "read_folder", "read_tree", "write_folder"]

MANIFEST: Final = "manifest.json"
SCHEMA: Final = "liqwarn.model/2"
OUTDATED: Final = ("liqwarn.model/1",)
"""Schemas of earlier versions, which cannot be read any more."""


def write_folder(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write files, then the manifest that names their hashes; returns the manifest's SHA-256."""
    for name, content in files.items():
        write_bytes(folder / name, content)
    manifest = _encoded({name: sha256(files[name]).hexdigest() for name in sorted(files)})
    write_bytes(folder / MANIFEST, manifest)
    return sha256(manifest).hexdigest()


def _encoded(hashes: Mapping[str, str]) -> bytes:
    content = {"schema": SCHEMA, "files": hashes}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_folder(folder: Path) -> tuple[dict[str, bytes], str]:
    """The files of a folder, and the SHA-256 of its manifest.

    Raises
    ------
    ModelError
        When the manifest or a file it names is missing, or holds other bytes than were written.
    """
    return _checked(lambda name: _read(folder / name), folder)


def read_tree(tree: Mapping[str, bytes], folder: Path) -> tuple[dict[str, bytes], str]:
    """The same of a folder that is in memory already, ``"model/features.json"`` to its bytes.

    Parameters
    ----------
    tree : mapping of path to bytes
        Of the folder above, by paths with ``/``.
    folder : Path
        Relative to that one.

    Raises
    ------
    ModelError
        As :func:`read_folder`.
    """

    def read(name: str) -> bytes:
        path = (folder / name).as_posix()
        if path not in tree:
            raise ModelError(f"cannot read model file {path}: it is not in the bundle")
        return tree[path]

    return _checked(read, folder)


def _checked(read: Callable[[str], bytes], folder: Path) -> tuple[dict[str, bytes], str]:
    manifest = read(MANIFEST)
    files: dict[str, bytes] = {}
    for name, expected in _hashes(manifest, folder).items():
        content = read(name)
        found = sha256(content).hexdigest()
        if found != expected:
            raise ModelError(
                f"model file {folder / name} has SHA-256 {found[:12]}…, expected {expected[:12]}…: "
                "it was changed or cut after it was written"
            )
        files[name] = content
    return files, sha256(manifest).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read model file {path}: {error.strerror}") from error


def _hashes(manifest: bytes, folder: Path) -> dict[str, str]:
    try:
        content: Any = orjson.loads(manifest)
        if content["schema"] != SCHEMA:
            found = f"model {folder} has schema {content['schema']!r}, expected {SCHEMA!r}"
            if content["schema"] in OUTDATED:
                raise OutdatedModelError(
                    f"{found}: it was made by an earlier version of liqwarn; train it again"
                )
            raise ModelError(found)
        hashes = {str(name): str(value) for name, value in content["files"].items()}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"model manifest {folder / MANIFEST} is unreadable: {error}") from error
    outside = [name for name in hashes if Path(name).name != name or "\0" in name]
    if outside:
        raise ModelError(f"model manifest {folder / MANIFEST} names files outside of it: {outside}")
    if _encoded(hashes) != manifest:
        raise ModelError(f"model manifest {folder / MANIFEST} was changed after it was written")
    return hashes
