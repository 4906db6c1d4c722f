"""How far a transfer is: files, bytes, speed and the time left, on standard error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from liqwarn.cli.console import say
from liqwarn.sources.tally import FetchState, OnFetch

__all__ = ["Pace", "transfer"]

_ERR: Final = Console(stderr=True)
_LINE_EVERY_S: Final = 10.0
_BAR_EVERY_S: Final = 0.1


class Pace:
    """Speed and time left of a transfer, by its files.

    The sizes of files to come are unknown, so what is left is told by how fast files are settled.

    Parameters
    ----------
    clock : callable
        Seconds that only go up.

    Examples
    --------
    >>> seconds = iter([0.0, 10.0])
    >>> pace = Pace(lambda: next(seconds))
    >>> pace.text(FetchState(done=20, total=100, size=5_000_000))
    '5.0 MB, 500.0 kB/s, 0:00:40 left'
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()

    def text(self, state: FetchState) -> str:
        """Bytes, speed and time left."""
        spent = max(self._clock() - self._began, 1e-9)
        told = f"{_amount(state.size)}, {_amount(state.size / spent)}/s"
        if not state.done:
            return told
        left = int(spent / state.done * (state.total - state.done))
        return f"{told}, {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"


def _amount(size: float) -> str:
    """Bytes for people."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


@contextmanager
def transfer(title: str) -> Iterator[OnFetch]:
    """A bar on a terminal, a line every ten seconds and at the end elsewhere."""
    with (_bar if _ERR.is_terminal else _lines)(title) as shown:
        yield shown


@contextmanager
def _lines(title: str) -> Iterator[OnFetch]:
    pace, told = Pace(), time.monotonic()
    newest: list[FetchState] = []

    def line(state: FetchState) -> None:
        nonlocal told
        newest[:] = [state]
        if time.monotonic() - told >= _LINE_EVERY_S:
            told = time.monotonic()
            say(f"{title}: {state.done} of {state.total} files, {pace.text(state)}")

    yield line
    if newest:
        say(f"{title}: {newest[0].done} of {newest[0].total}")


@contextmanager
def _bar(title: str) -> Iterator[OnFetch]:
    pace, shown_at = Pace(), 0.0
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=_ERR) as shown:
        task = shown.add_task("", total=None)

        def bar(state: FetchState) -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at >= _BAR_EVERY_S or state.done == state.total:
                shown_at = time.monotonic()
                told = pace.text(state)
                shown.update(task, completed=state.done, total=state.total, description=told)

        yield bar
