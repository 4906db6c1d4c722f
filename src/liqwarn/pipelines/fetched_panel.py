"""The panel that a fetch writes beside its files: a template, told what was asked for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from liqwarn.data.mapping import parse_duration

__all__ = ["FetchedPanel", "faults_of_bar"]

_DAY: Final = timedelta(days=1)
_TEMPLATE_INTERVAL: Final = "5m"
_HEADER: Final = """\
# Written by `liqwarn fetch {command}` for the files beside it, from {template}.
# What each source is worth is in docs/fetch.md.
"""


def faults_of_bar(interval: str, bar: str, known: Iterable[str]) -> Iterator[str]:
    """What is wrong with the interval of candles, or with the bar made of them.

    >>> list(faults_of_bar("30m", "1d", ["5m", "30m"]))
    []
    >>> list(faults_of_bar("30m", "45m", ["5m", "30m"]))
    ['interval 30m does not divide the bar 45m']
    """
    if interval not in known:
        yield f"interval is {interval!r}, expected one of {', '.join(known)}"
        return
    try:
        length = parse_duration(bar)
    except ValueError as error:
        yield f"bar: {error}"
        return
    if not length or _DAY % length:
        yield f"bar is {bar}, expected a divisor of a day such as 5m, 1h or 4h"
    elif length % parse_duration(interval):
        yield f"interval {interval} does not divide the bar {bar}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPanel:
    """What a panel is made of.

    Attributes
    ----------
    command : str
        That fetches: ``binance``.
    name, description : str
        The bar is put behind them.
    bar, interval : str
        Of the panel, and of its candles.
    symbols : tuple of str
    candles : str
        In a file's name of a template: that it holds candles of five minutes, such as ``-5m``.
    """

    command: str
    name: str
    description: str
    bar: str
    interval: str
    symbols: tuple[str, ...]
    candles: str

    def text(self, template: Mapping[str, Any], path: Path) -> str:
        """The template, read from a path, with these words."""
        raw = dict(template) | {
            "name": f"{self.name}_{self.bar}",
            "description": f"{self.description}, bars of {self.bar}",
            "bar": self.bar,
            "symbols": list(self.symbols),
        }
        raw["sources"] = [self._source(source) for source in raw["sources"]]
        body = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=100)
        return _HEADER.format(command=self.command, template=path) + body

    def _source(self, source: dict[str, Any]) -> dict[str, Any]:
        """A source; one of candles reads files of the interval."""
        told = str(source["file"])
        if self.candles not in told:
            return source
        file = told.replace(self.candles, self.candles.replace(_TEMPLATE_INTERVAL, self.interval))
        return {**source, "file": file, "time": {**source["time"], "step": self.interval}}
