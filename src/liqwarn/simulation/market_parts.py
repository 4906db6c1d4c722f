"""A scenario's overrides of the market's parts: ``{"venue": {"engine": "partial"}}``."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from reprlib import repr as short
from typing import Any, Final, get_type_hints

from liqwarn.errors import ConfigError
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.plain_values import nearest_of, values_of

__all__ = ["parts_of"]

_PARTS: Final = {
    name: hint
    for name, hint in get_type_hints(MarketConfig).items()
    if isinstance(hint, type) and is_dataclass(hint)
}


def parts_of(market: object, faults: list[str]) -> dict[str, Any]:
    """The overridden parts of a :class:`MarketConfig`, by name.

    Parameters
    ----------
    market : mapping
        Values by part and field, as in a file.
    faults : list of str
        Extended by unknown parts and fields, wrong types, and what makes no market.

    Examples
    --------
    >>> faults = []
    >>> parts_of({"venue": {"engine": "partial"}}, faults)["venue"].engine
    'partial'
    >>> parts_of({"venu": {}, "cross": {"shar": 0.3}}, faults), faults
    ({}, ["market.venu: unknown part, did you mean 'venue'?",
          "market.cross.shar: unknown key, did you mean 'share'?"])
    """
    if not isinstance(market, Mapping):
        faults.append(f"market: found {short(market)}, expected parts with keys and values")
        return {}
    before = len(faults)
    parts: dict[str, Any] = {}
    for name, raw in market.items():
        if name not in _PARTS:
            faults.append(f"market.{name}: unknown part, {nearest_of(str(name), _PARTS)}")
            continue
        found = values_of(_PARTS[name], raw, f"market.{name}", faults)
        parts[name] = _PARTS[name](**found)
    if len(faults) > before:
        return {}
    try:
        MarketConfig(**parts)
    except ConfigError as error:
        told = str(error).removeprefix("simulated market: ")
        faults += [f"market: {fault}" for fault in told.split("; ")]
    return parts
