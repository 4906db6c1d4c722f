"""A scenario: where a market starts, how long it runs, and what happens to it when."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final

from liqwarn.errors import ConfigError
from liqwarn.simulation.plain_values import Symbols, duration_text, nearest_of, plain_of
from liqwarn.simulation.scenario_shocks import (
    AdlShock,
    DepthShock,
    FundingShock,
    HaircutShock,
    OutageShock,
    PriceShock,
    Shock,
    UnlockShock,
)
from liqwarn.simulation.scenario_start import StoreStart, SyntheticStart

__all__ = [
    "AdlShock",
    "DepthShock",
    "FundingShock",
    "HaircutShock",
    "OutageShock",
    "PriceShock",
    "Scenario",
    "Shock",
    "StoreStart",
    "SyntheticStart",
    "UnlockShock",
    "faults_among",
    "plain_shock",
    "unknown_symbols",
]

MAX_STEPS: Final = 100_000
"""A day of seconds; what is longer is refused. Bars are kept of as many paths as fit."""

_NAME: Final = re.compile(r"[a-z0-9_]+")
_SECOND, _HOUR = timedelta(seconds=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario, checked whole.

    Attributes
    ----------
    name, title, description : str
        Name of lower-case letters, digits and underscores; what it imitates, from where.
    symbols : tuple of str or None
        Of the initial market; None: all.
    start : SyntheticStart or StoreStart
        Key ``initial``.
    horizon, step, bar : timedelta
        Length, and its division; `step` from 1 s to 1 h divides `bar`, which divides `horizon`.
    market : mapping
        Overrides of parts of :class:`~liqwarn.simulation.config.MarketConfig` by part and field.
    shocks : tuple of Shock
        In any order.

    Raises
    ------
    ConfigError
        Naming every fault, one a line.

    Examples
    --------
    >>> Scenario(name="calm", title="Calm", description="Nothing happens.",
    ...          start=SyntheticStart(), horizon=timedelta(hours=24)).n_steps
    1440
    """

    name: str
    title: str
    description: str
    symbols: Symbols = None
    start: SyntheticStart | StoreStart = field(metadata={"key": "initial"})
    horizon: timedelta
    step: timedelta = timedelta(minutes=1)
    bar: timedelta = timedelta(minutes=15)
    market: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shocks: tuple[Shock, ...] = ()

    def __post_init__(self) -> None:
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        faults = list(faults_among(found, list(enumerate(self.shocks))))
        if faults:
            raise ConfigError("\n".join(faults))

    @property
    def n_steps(self) -> int:
        """Steps in the horizon."""
        return self.horizon // self.step


def faults_among(found: Mapping[str, Any], shocks: list[tuple[int, Shock]]) -> Iterator[str]:
    """What is wrong with the fields of a scenario as a whole.

    Parameters
    ----------
    found : mapping
        Fields of :class:`Scenario`; those that could not be read are missing.
    shocks : list of (int, Shock)
        Shocks with their places in the file.
    """
    if "name" in found and not _NAME.fullmatch(found["name"]):
        yield f"name: found {found['name']!r}, expected lower-case letters, digits and _"
    symbols: Symbols = found.get("symbols")
    if symbols is not None and (not symbols or len(set(symbols)) < len(symbols)):
        yield f"symbols: found {', '.join(symbols)}, expected at least one, each once"
    if {"horizon", "step", "bar"} <= found.keys():
        yield from _axis_faults(found["horizon"], found["step"], found["bar"])
    start, bar = found.get("start"), found.get("bar")
    if isinstance(start, StoreStart) and bar and start.at.timestamp() % bar.total_seconds():
        yield f"initial.at: found {start.at}, expected a multiple of the bar, {duration_text(bar)}"
    if "horizon" in found:
        yield from _timing_faults(shocks, found["horizon"])
    yield from _twins(shocks)
    if symbols is not None:
        yield from unknown_symbols(shocks, symbols)


def unknown_symbols(shocks: Iterable[tuple[int, Shock]], known: Iterable[str]) -> Iterator[str]:
    """Symbols of shocks that the market does not have."""
    names = tuple(known)
    for place, shock in shocks:
        wanted: Symbols = getattr(shock, "symbols", None)
        for symbol in () if wanted is None else wanted:
            if symbol not in names:
                hint = nearest_of(symbol, names)
                yield f"shocks[{place}].symbols: unknown symbol {symbol}, {hint}"


def plain_shock(shock: Shock) -> dict[str, Any]:
    """A shock as plain data, with every default: what a file would say.

    >>> plain_shock(OutageShock(at=timedelta(hours=2), lasts=timedelta(minutes=45)))
    {'kind': 'outage', 'at': '2h', 'for': '45m', 'symbols': 'all'}
    """
    return {"kind": shock.kind} | plain_of(shock)


def _axis_faults(horizon: timedelta, step: timedelta, bar: timedelta) -> Iterator[str]:
    if not _SECOND <= step <= _HOUR or step % _SECOND:
        yield f"step: found {_text(step)}, expected whole seconds, 1s to 1h"
    elif not bar or bar < step or bar % step:
        yield f"bar: found {_text(bar)}, expected a multiple of the step, {_text(step)}"
    elif horizon < bar or horizon % bar:
        yield f"horizon: found {_text(horizon)}, expected a multiple of the bar, {_text(bar)}"
    elif horizon // step > MAX_STEPS:
        yield f"horizon: found {horizon // step:,} steps, expected at most {MAX_STEPS:,}"


def _text(value: timedelta) -> str:
    return duration_text(value) if value >= timedelta(0) and not value % _SECOND else str(value)


def _timing_faults(shocks: list[tuple[int, Shock]], horizon: timedelta) -> Iterator[str]:
    for place, shock in shocks:
        if shock.at >= horizon:
            yield (
                f"shocks[{place}].at: found {duration_text(shock.at)}, "
                f"expected before the horizon, {_text(horizon)}"
            )
        elif shock.ends > horizon:
            yield (
                f"shocks[{place}]: ends {_text(shock.ends)} after the start, "
                f"expected within the horizon, {_text(horizon)}"
            )


def _twins(shocks: list[tuple[int, Shock]]) -> Iterator[str]:
    """A shock stated twice is a slip, not a double shock."""
    for position, (place, shock) in enumerate(shocks):
        for earlier, other in shocks[:position]:
            if other == shock:
                yield f"shocks[{place}]: found a duplicate of shocks[{earlier}], expected one"
                break
