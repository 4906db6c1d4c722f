"""Hash of the code that something kept was computed by: a changed line is another hash."""

from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import liqwarn

__all__ = ["source_sha256"]


def source_sha256(names: Iterable[str], libraries: Iterable[str], root: Path | None = None) -> str:
    """Hash of some of the package's files and folders, and of versions of libraries.

    Parameters
    ----------
    names : iterable of str
        Modules and packages below `root`, such as ``models`` and ``frames.py``.
    libraries : iterable of str
        Distributions whose version counts.
    root : Path or None
        None for the package itself.

    Examples
    --------
    >>> source_sha256(["frames.py"], ["numpy"]) == source_sha256(["frames.py"], ["numpy"])
    True
    >>> source_sha256(["frames.py"], ["numpy"]) == source_sha256(["errors.py"], ["numpy"])
    False
    """
    top = Path(liqwarn.__file__).parent if root is None else root
    told = " ".join(f"{name} {version(name)}" for name in libraries)
    digest = sha256(told.encode())
    for name in names:
        path = top / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            content = file.read_bytes()
            head = f"\n{file.relative_to(top).as_posix()} {len(content)}\n"
            digest.update(head.encode() + content)
    return digest.hexdigest()
