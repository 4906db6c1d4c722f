"""Whether a zip that came over the network is what it should be, before anything opens it."""

import zipfile
import zlib
from pathlib import Path
from typing import Final

from liqwarn.errors import DataError

__all__ = ["MAX_UNPACKED", "check_zip"]

MAX_UNPACKED: Final = 1 << 28
"""Largest table a zip may unpack to; a month of one-minute candles is about 6 MB."""

_PIECE: Final = 1 << 20
_ENCRYPTED: Final = 0x1


def check_zip(path: Path, name: str) -> None:
    """Make sure that a file is a whole zip of exactly one CSV of a sane size.

    Everything in it is unpacked once, bounded, so that its own checksum is verified too.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        What to call it in a message.

    Raises
    ------
    DataError
        When it is a page, cut short, damaged, a bomb, or holds anything else.
    """
    with path.open("rb") as stream:
        start = stream.read(64).lstrip()
    if start.startswith(b"<"):
        raise DataError(f"{name}: found a page of HTML or XML, expected a zip")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_member(archive, _only_member(archive, name), name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise DataError(f"{name}: a damaged zip or one cut short ({error})") from error


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) != 1 or not members[0].filename.lower().endswith(".csv"):
        names = [member.filename[:80] for member in members[:3]]
        raise DataError(f"{name}: holds {len(members)} files {names}, expected one .csv")
    return members[0]


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise DataError(f"{name}: is encrypted, expected a plain zip")
    if member.file_size > MAX_UNPACKED:
        raise DataError(
            f"{name}: unpacks to {member.file_size} bytes, expected at most {MAX_UNPACKED}"
        )
    unpacked = 0
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            unpacked += len(piece)
            if unpacked > MAX_UNPACKED:  # the declared size may lie
                raise DataError(f"{name}: unpacks to more than {MAX_UNPACKED} bytes")
    if unpacked == 0:
        raise DataError(f"{name}: its table is empty")
