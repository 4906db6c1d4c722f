"""A file of flags, read again when it changes."""

import os
import stat
from pathlib import Path
from typing import Final

from liqwarn.client.polled import Answer
from liqwarn.errors import StoreError

__all__ = ["MAX_CONTENT", "FileFetch"]

MAX_CONTENT: Final = 16 << 20
"""Bytes; a longer file or body is not read."""


class FileFetch:
    """Reads ``flags.json``, or the one in a folder.

    A change is a new modification time, size or inode: writers replace the file, or rewrite it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path if path.suffix == ".json" else path / "flags.json"
        self._stamp: tuple[int, int, int] | None = None
        self.name = f"file:{path}"

    def __call__(self) -> Answer:
        """The content, or that it is as before.

        Raises
        ------
        OSError
            When it is not there or cannot be read.
        StoreError
            When it is no plain file, or too long.
        """
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123  an open one
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_CONTENT:
                raise StoreError(
                    f"{self._path.name} has {found.st_size} bytes, expected a plain file of at "
                    f"most {MAX_CONTENT}"
                )
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp == self._stamp:
                return Answer(content=None)
            content = file.read(MAX_CONTENT)
        self._stamp = stamp
        return Answer(content=content, written_ns=found.st_mtime_ns)

    def forget(self) -> None:
        """Read it whole the next time."""
        self._stamp = None
