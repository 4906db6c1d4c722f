"""A scenario file, checked whole: every fault is named at once. ``conf/scenarios`` has examples."""

from collections.abc import Iterator, Mapping
from reprlib import repr as short
from typing import Any, Final, TypeVar

from liqwarn.errors import ConfigError
from liqwarn.simulation.config import SIM_SYMBOLS
from liqwarn.simulation.market_parts import parts_of
from liqwarn.simulation.plain_values import Symbols, nearest_of, read, values_of
from liqwarn.simulation.scenario import (
    Scenario,
    Shock,
    StoreStart,
    SyntheticStart,
    faults_among,
    unknown_symbols,
)
from liqwarn.simulation.scenario_shocks import SHOCK_KINDS

__all__ = ["SCHEMA", "parse_scenario"]

T = TypeVar("T")

SCHEMA: Final = "liqwarn.scenario/1"
"""What the key ``schema`` of a scenario file says."""

_STARTS: Final[dict[str, type[SyntheticStart | StoreStart]]] = {
    "synthetic": SyntheticStart,
    "store": StoreStart,
}


def parse_scenario(raw: Mapping[str, Any]) -> Scenario:
    """Check a scenario whole and freeze it.

    Parameters
    ----------
    raw : mapping
        Content of the YAML file.

    Raises
    ------
    ConfigError
        With all faults, one a line: unknown keys with the nearest known one, wrong types, values
        out of range, steps that do not fit, shocks beyond the horizon or stated twice, symbols
        that a simulated market does not have. Symbols of a store are checked when it is read.

    Examples
    --------
    >>> try:
    ...     parse_scenario({"schema": "liqwarn.scenario/1", "name": "x", "title": "X",
    ...         "description": "A test.", "initial": {"kind": "synthetic"}, "horizon": "24h",
    ...         "shocks": [{"at": "25h", "kind": "price", "move": -0.1},
    ...                    {"at": "0m", "kind": "depth", "too": 0.5, "for": "1h"}]})
    ... except ConfigError as error:
    ...     print(error)
    scenario has 3 faults:
    - shocks[1].too: unknown key, did you mean 'to'?
    - shocks[1].to: required and missing
    - shocks[0].at: found 25h, expected before the horizon, 24h
    """
    faults: list[str] = []
    if raw.get("schema") != SCHEMA:
        faults.append(f"schema: found {short(raw.get('schema'))}, expected {SCHEMA}")
    found = values_of(Scenario, raw, "", faults, also=("schema",))
    if "start" in found:
        found["start"] = _of_kind(found["start"], _STARTS, "initial", faults)
    parts_of(found.get("market", {}), faults)
    shocks = _shocks(found.get("shocks", []), faults)
    faults += faults_among(found, shocks)
    initial = raw.get("initial")
    if isinstance(initial, Mapping) and initial.get("kind") == SyntheticStart.kind:
        faults += _not_simulated(found.get("symbols"), shocks)
    if faults:
        count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        raise ConfigError(f"scenario has {count}:\n" + "\n".join(f"- {f}" for f in faults))
    return Scenario(**found | {"shocks": tuple(shock for _, shock in shocks)})


def _shocks(listed: object, faults: list[str]) -> list[tuple[int, Shock]]:
    """Those shocks that can be read, with their places."""
    if not isinstance(listed, (list, tuple)):
        faults.append(f"shocks: found {short(listed)}, expected a list")
        return []
    read_ones = [
        (place, _of_kind(raw, SHOCK_KINDS, f"shocks[{place}]", faults))
        for place, raw in enumerate(listed)
    ]
    return [(place, shock) for place, shock in read_ones if shock is not None]


def _of_kind(raw: object, kinds: Mapping[str, type[T]], where: str, faults: list[str]) -> T | None:
    """One of several dataclasses, chosen by the key ``kind``."""
    word = raw.get("kind") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or "kind" not in raw:
        faults.append(f"{where}: found {short(raw)}, expected keys and values with a kind")
    elif not isinstance(word, str) or word not in kinds:
        faults.append(f"{where}.kind: found {short(word)}, {nearest_of(str(word), kinds)}")
    else:
        return read(kinds[word], raw, where, faults, also=("kind",))
    return None


def _not_simulated(symbols: Symbols, shocks: list[tuple[int, Shock]]) -> Iterator[str]:
    """Symbols that no simulated market has; those of shocks are among the scenario's own ones."""
    if symbols is None:
        yield from unknown_symbols(shocks, SIM_SYMBOLS)
    for symbol in symbols or ():
        if symbol not in SIM_SYMBOLS:
            yield f"symbols: unknown symbol {symbol}, {nearest_of(symbol, SIM_SYMBOLS)}"
