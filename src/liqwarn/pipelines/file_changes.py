"""Which files changed since they were last used whole, by size and time of change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["FileChanges"]


class FileChanges:
    """Remembers what files looked like when they were read without a fault.

    A file is looked at before it is read: one that grows meanwhile counts as changed the next
    time.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, int]] = {}

    @contextmanager
    def since_last_time(self) -> Iterator[Callable[[Path], bool]]:
        """A predicate of the files to read; they are remembered when the block ends well."""
        found: dict[Path, tuple[int, int]] = {}

        def changed(path: Path) -> bool:
            stat = path.stat()
            found[path] = (stat.st_size, stat.st_mtime_ns)
            return self._known.get(path) != found[path]

        yield changed
        self._known |= found
