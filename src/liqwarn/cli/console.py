"""What a person sees: progress on standard error, results on standard output."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from liqwarn.pipelines.progress import OnProgress

__all__ = ["emit", "progress", "say", "show"]

_ERR = Console(stderr=True)


def say(text: str) -> None:
    """A line for a person, on standard error, so that standard output stays machine-readable."""
    _ERR.print(text, highlight=False, soft_wrap=True)


def emit(result: Mapping[str, Any], *, as_json: bool, text: str) -> None:
    """The result of a command, as one JSON object or as text."""
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY).decode())
    else:
        typer.echo(text)


@contextmanager
def progress() -> Iterator[OnProgress]:
    """Bars on a terminal, one line a finished stage elsewhere."""
    if _ERR.is_terminal:
        with _bars() as bars:
            yield bars
        return
    finished: set[str] = set()

    def plain(stage: str, done: int, total: int) -> None:
        if done >= total and stage not in finished:
            finished.add(stage)
            say(f"{stage}: {done} of {total}")

    yield plain


@contextmanager
def _bars() -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=_ERR) as shown:
        tasks: dict[str, Any] = {}

        def bar(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=total)
            shown.update(tasks[stage], completed=done, total=total)

        yield bar


def show(table: Table) -> None:
    """A table, on standard output."""
    Console().print(table)
