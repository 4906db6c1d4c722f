"""One file of an archive with checksums, kept in a folder as the provider has it now.

The zip is put in its place whole, then its ``.CHECKSUM`` beside it. What is in place is believed
only as far as its SHA-256 goes, so a run that was killed anywhere leaves nothing to repair: a zip
that is whole is not fetched again, and anything else is not there.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from liqwarn.durable import replace_file, sha256_of, write_bytes
from liqwarn.errors import DataError, StoreError
from liqwarn.sources.checksums import parse_checksum
from liqwarn.sources.web import Download, Web
from liqwarn.sources.zip_files import check_zip

__all__ = ["CHECKSUM", "MAX_ZIP", "Keeper", "Kept"]

CHECKSUM: Final = ".CHECKSUM"
MAX_ZIP: Final = 1 << 27
"""Largest zip that is taken; a month of one-minute candles is about 2 MB."""

_ROUNDS: Final = 2

Kept = tuple[Literal["fetched", "replaced", "held", "missing", "withdrawn"], int]
"""How a file ended, and the bytes that came."""


class _ChangedError(Exception):
    """What came is not what the checksum of a moment ago states."""


class Keeper:
    """Keeps files of a server below a folder.

    Parameters
    ----------
    web : Web
    folder : Path
    on_bytes : callable
        Told the size of each piece that comes.
    ask_again : bool
        Ask whether files that are here were replaced; without it they are checked against the
        checksum beside them.
    """

    def __init__(
        self, web: Web, folder: Path, *, on_bytes: Callable[[int], None], ask_again: bool
    ) -> None:
        self._web = web
        self._folder = folder
        self._on_bytes = on_bytes
        self._ask_again = ask_again

    def holds(self, path: str) -> bool:
        """Whether a file is here and is what the checksum beside it states."""
        target = self._folder / path
        beside = _beside(target)
        if not (target.is_file() and beside.is_file()):
            return False
        try:
            stated = parse_checksum(beside.read_text(errors="replace"), target.name)
        except DataError:
            return False
        return sha256_of(target) == stated

    def keep(self, path: str) -> Kept:
        """Make the file here what the provider has now.

        Raises
        ------
        DataError
            When what the provider has cannot be used. A file that is here stays as it is.
        StoreError
            When nothing can be written here.
        SourceError
            When the provider does not answer.
        """
        target = self._folder / path
        if not self._ask_again and self.holds(path):
            return "held", 0
        try:
            return self._keep(path, target)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            hint = "; make room and run again, what is whole stays" if full else ""
            raise StoreError(f"{target}: cannot be written ({error.strerror}){hint}") from error

    def _keep(self, path: str, target: Path) -> Kept:
        here = sha256_of(target) if target.is_file() else None
        for attempt in range(_ROUNDS):
            text = self._web.text(path + CHECKSUM)
            if text is None:
                return self._without_checksum(path, here)
            stated = parse_checksum(text, target.name)
            if here == stated:
                self._state(target, text)
                return "held", 0
            try:
                size = self._fetch(path, target, stated)
            except _ChangedError as error:
                if attempt + 1 < _ROUNDS:  # it may have been replaced between the two questions
                    continue
                raise DataError(f"{target.name}: {error}") from error
            self._state(target, text)
            return ("fetched" if here is None else "replaced"), size
        raise AssertionError("every round ends")

    def _without_checksum(self, path: str, here: str | None) -> Kept:
        if self._web.exists(path):
            raise DataError(f"{path}: has no CHECKSUM beside it, so it cannot be verified")
        return ("missing" if here is None else "withdrawn"), 0

    def _fetch(self, path: str, target: Path, stated: str) -> int:
        """Put the file in its place, once it was verified; its size."""
        came: list[Download] = []

        def fill(temporary: Path) -> None:
            found = self._web.download(path, temporary, limit=MAX_ZIP, on_bytes=self._on_bytes)
            if found is None:
                raise DataError(f"{path}: has a CHECKSUM and is not there itself")
            if found.sha256 != stated:
                raise _ChangedError(_differs(temporary, found, stated))
            check_zip(temporary, target.name)
            came.append(found)

        replace_file(target, fill)
        return came[0].size

    def _state(self, target: Path, text: str) -> None:
        """Put the provider's checksum beside a file that it is true of."""
        beside, content = _beside(target), text.encode()
        if not beside.is_file() or beside.read_bytes() != content:
            write_bytes(beside, content)


def _beside(target: Path) -> Path:
    return target.with_name(target.name + CHECKSUM)


def _differs(temporary: Path, found: Download, stated: str) -> str:
    """Why what came is not believed, in words."""
    with temporary.open("rb") as stream:
        start = stream.read(64).lstrip()
    if start.startswith(b"<"):
        return f"found a page of HTML or XML of {found.size} bytes, expected a zip"
    return (
        f"the SHA-256 of what came is {found.sha256[:12]}… ({found.size} bytes), "
        f"its CHECKSUM states {stated[:12]}…"
    )
