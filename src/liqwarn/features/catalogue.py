"""The features as a table, and the page of the documentation that is made from it."""

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from liqwarn.features.builder import FAMILIES, all_features, lookback_of
from liqwarn.features.past import MAX_CELLS, MIN_SHARE

__all__ = ["Entry", "describe", "features_markdown"]

_HOUR: Final = timedelta(hours=1)

_ABOUT: Final = f"""\
This page is made by `liqwarn.features.catalogue.features_markdown()`; do not edit it.

A feature reads its inputs on base bars, or on closed bars of 1 h or 8 h anchored to the epoch.
A base bar sees the last of them that has closed.
A panel whose own bars are coarser uses those.

No window is longer than {MAX_CELLS} cells, and a window shorter than a cell gives NaN.
A window is known where {MIN_SHARE:.0%} of its cells are.
A missing input gives NaN.

*History* is how many 1-h bars make a value the same bit for bit as a build over all of history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One feature, in the words of its declaration.

    Attributes
    ----------
    name, family, unit, summary
        As in :class:`~liqwarn.features.feature.Feature`.
    inputs : tuple of str
        Fields it reads.
    resolution : {"base", "1h", "8h"}
        Grid it reads them on.
    lookback_bars : int
        Bars of history that make its last value exact.
    """

    name: str
    family: str
    unit: str
    summary: str
    inputs: tuple[str, ...]
    resolution: str
    lookback_bars: int


def describe(bar: timedelta = _HOUR) -> tuple[Entry, ...]:
    """Every feature, with the history it needs on bars of that length.

    >>> describe()[0].name, describe()[0].inputs
    ('funding_8h', ('funding_rate', 'funding_interval_h'))
    """
    return tuple(
        Entry(
            name=feature.name,
            family=feature.family,
            unit=feature.unit,
            summary=feature.summary,
            inputs=feature.inputs,
            resolution=feature.resolution,
            lookback_bars=lookback_of(feature, bar),
        )
        for feature in all_features()
    )


def features_markdown() -> str:
    """The page ``docs/features.md``; a test keeps the two the same."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    entries = describe()
    yield from ("# Features", "", f"{len(entries)} features in {len(FAMILIES)} families.", _ABOUT)
    for family in FAMILIES:
        about = inspect.getdoc(importlib.import_module(f"liqwarn.features.{family}"))
        yield from ("", f"## {family}", "", about or "", "")
        yield "| feature | what it is | unit | reads | on | history |"
        yield "|---|---|---|---|---|---:|"
        yield from (_row(entry) for entry in entries if entry.family == family)


def _row(entry: Entry) -> str:
    reads = ", ".join(entry.inputs)
    return (
        f"| `{entry.name}` | {entry.summary} | {entry.unit} | {reads} | {entry.resolution} "
        f"| {entry.lookback_bars} |"
    )
