"""A doubt about a provider file, in words, and how sure it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Doubt", "Level", "listed", "spell"]

Level = Literal["wrong", "doubt", "note"]

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing a person should look at.

    Attributes
    ----------
    level : {"wrong", "doubt", "note"}
        ``wrong`` is sure: the ingest refuses it, or the data contradict the panel. A ``doubt`` may
        have a good reason. A ``note`` says what is left out.
    kind : str
        The same word for the same doubt, as ``docs/panels.md`` lists them.
    text : str
        What was found and what to do.
    """

    level: Level
    kind: str
    text: str


def spell(seconds: float) -> str:
    """A span of time as a panel writes it.

    >>> spell(3_600), spell(5_400), spell(-300), spell(0), spell(5_650_853)
    ('1h', '90min', '-5min', '0s', '65.4d')
    """
    whole = round(seconds)
    for size, name in _UNITS:
        if whole and whole % size == 0:
            return f"{whole // size}{name}"
    if abs(whole) >= 2 * _UNITS[0][0]:
        return f"{whole / _UNITS[0][0]:.1f}d"
    return f"{whole}s"


def listed(names: Iterable[object], most: int = 8) -> str:
    """Names in a row, the rest counted.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    found = [str(name) for name in names]
    rest = len(found) - most
    return ", ".join(found[:most]) + (f" and {rest} more" if rest > 0 else "")
