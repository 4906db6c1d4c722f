"""Checksum files, in the form of ``sha256sum``."""

import re
from typing import Final

from liqwarn.errors import DataError

__all__ = ["parse_checksum"]

_LINE: Final = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(\S+)")
_SHOWN: Final = 60


def parse_checksum(text: str, name: str) -> str:
    """The SHA-256 that a checksum file states of a file, in lower-case hex.

    Parameters
    ----------
    text : str
        Content of the checksum file.
    name : str
        File it must speak of.

    Raises
    ------
    DataError
        When it is no such line, of another file, or an error page.

    Examples
    --------
    >>> parse_checksum("AB" * 32 + "  a.zip", "a.zip")[:6]
    'ababab'
    """
    stripped = text.strip()
    if stripped.startswith("<"):
        raise DataError(f"{name}: its CHECKSUM is a page of HTML or XML, expected a SHA-256")
    found = _LINE.fullmatch(stripped)
    if found is None:
        shown = stripped[:_SHOWN]
        raise DataError(f"{name}: its CHECKSUM says {shown!r}, expected '<SHA-256>  {name}'")
    if found[2].rsplit("/", 1)[-1] != name:
        raise DataError(f"{name}: its CHECKSUM speaks of {found[2][:_SHOWN]!r}")
    return found[1].lower()
