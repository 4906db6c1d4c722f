"""Where results go, checked before anything is computed."""

from collections.abc import Iterator
from pathlib import Path

__all__ = ["faults_of_out"]


def faults_of_out(out: Path) -> Iterator[str]:
    """Why a folder could not be written: it, or something above it, is a file.

    >>> list(faults_of_out(Path("runs/new")))
    []
    """
    for part in (out, *out.parents):
        if part.exists():
            if not part.is_dir():
                yield f"out is {out}, but {part} is a file, expected a folder"
            return
