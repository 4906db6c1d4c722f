"""Reading a folder that may have been tampered with: every byte once, nothing but plain files.

No name that a file *says* is ever opened, only names that the folder has, each relative to the open
folder above it and never through a symbolic link. So a path cannot lead outside, and a folder that
is swapped while it is read cannot mix two trees without its hashes saying so.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from liqwarn.errors import ModelError

__all__ = ["LARGEST_FILE", "LARGEST_TREE", "MOST_FILES", "open_tree", "read_entry", "tree_sizes"]

LARGEST_FILE: Final = 64 << 20
"""Bytes."""
LARGEST_TREE: Final = 256 << 20
"""Bytes of all files together."""
MOST_FILES: Final = 512
_DEEPEST: Final = 2
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def open_tree(folder: Path) -> Iterator[int]:
    """The folder as a descriptor, which stays that folder whatever happens to its name.

    Raises
    ------
    ModelError
        When it is no folder, or a symbolic link to one.
    """
    try:
        descriptor = os.open(folder, _FOLDER)
    except OSError as error:
        raise ModelError(
            f"bundle {folder} cannot be opened, expected a folder: {error.strerror}"
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def tree_sizes(root: int, folder: Path) -> dict[str, int]:
    """Sizes of all files below, by their paths with ``/``.

    Parameters
    ----------
    root : int
        From :func:`open_tree`.
    folder : Path
        Its name, for messages.

    Raises
    ------
    ModelError
        When anything but plain files and folders is there, or too much of it.
    """
    sizes: dict[str, int] = {}
    for name, size in _walk(root, "", folder):
        sizes[name] = size
        if len(sizes) > MOST_FILES:
            raise ModelError(f"bundle {folder} has more than {MOST_FILES} files")
        if size > LARGEST_FILE or sum(sizes.values()) > LARGEST_TREE:
            raise ModelError(
                f"bundle {folder} is too large at {name!r} with {size:,} bytes, expected at most "
                f"{LARGEST_FILE:,} in a file and {LARGEST_TREE:,} in all"
            )
    return sizes


def _walk(parent: int, above: str, folder: Path) -> Iterator[tuple[str, int]]:
    with os.scandir(parent) as entries:
        found = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
    for name, status in found:
        path = f"{above}{name}"
        if stat.S_ISREG(status.st_mode):
            yield path, status.st_size
        elif stat.S_ISDIR(status.st_mode):
            if path.count("/") + 1 >= _DEEPEST:
                raise ModelError(f"bundle {folder} has the folder {path!r}, expected none so deep")
            with _opened(parent, name, _FOLDER, folder) as below:
                yield from _walk(below, f"{path}/", folder)
        else:
            kind = "symbolic link" if stat.S_ISLNK(status.st_mode) else "special file"
            raise ModelError(f"bundle {folder} has the {kind} {path!r}, expected plain files")


@contextmanager
def _opened(parent: int, name: str, how: int, folder: Path) -> Iterator[int]:
    try:
        descriptor = os.open(name, how, dir_fd=parent)
    except OSError as error:
        raise ModelError(
            f"bundle {folder} changed while it was read, at {name!r}: {error.strerror}"
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_entry(root: int, name: str, size: int, folder: Path) -> bytes:
    """The bytes of one file that :func:`tree_sizes` listed.

    Raises
    ------
    ModelError
        When it is no plain file of that size any more.
    """
    above, _, last = name.rpartition("/")
    if not above:
        return _read(root, last, size, folder)
    with _opened(root, above, _FOLDER, folder) as parent:
        return _read(parent, last, size, folder)


def _read(parent: int, name: str, size: int, folder: Path) -> bytes:
    with _opened(parent, name, _FILE, folder) as descriptor:
        plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
        content = _bytes(descriptor, size + 1) if plain else b""
    if not plain or len(content) != size:
        raise ModelError(f"bundle {folder} changed while it was read, at {name!r}")
    return content


def _bytes(descriptor: int, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0 and (part := os.read(descriptor, min(most, 1 << 20))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)
