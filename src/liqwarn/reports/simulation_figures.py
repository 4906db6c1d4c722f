"""Numbers of the simulation results: a value, its interval, and what to sort it by."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from liqwarn.errors import FrameError
from liqwarn.reports.formats import DASH, finite, interval, percent, signed
from liqwarn.reports.verdicts import Verdict, verdict

__all__ = [
    "Figure",
    "Writer",
    "beside",
    "chance",
    "figure",
    "lower_is_better",
    "moved",
    "need_schema",
    "part_of",
    "setting",
    "significant",
    "times_text",
]

Writer = Callable[[object], str]
"""A number as text, without its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number and its 95 % interval as text; `raw` is the number, for sorting.

    A number that is missing is a dash, and its interval an empty text.
    """

    text: str
    ci: str = ""
    raw: float | None = None


def figure(part: object, write: Writer, key: str = "mean") -> Figure:
    """One statistic of a measured quantity, ``{"mean", "ci", "p95", "p95_ci", ...}``.

    Parameters
    ----------
    part : mapping or None
        The quantity.
    write : callable
        How its values are written.
    key : str
        The statistic; ``mean`` and ``value`` have the interval ``ci``, another one `key` + ``_ci``.

    Examples
    --------
    >>> found = figure({"p95": 2.5e6, "p95_ci": [2e6, 3e6]}, lambda value: f"{value:.1e}", "p95")
    >>> found.text, found.ci, found.raw
    ('2.5e+06', '[2.0e+06, 3.0e+06]', 2500000.0)
    >>> figure(None, str).text
    '–'
    """
    raw = finite(part_of(part).get(key))
    ends = interval(part_of(part).get("ci" if key in ("mean", "value") else f"{key}_ci"))
    if raw is None:
        return Figure(text=DASH)
    shown = "" if ends is None else f"[{write(ends[0])}, {write(ends[1])}]"
    return Figure(text=write(raw), ci=shown, raw=raw)


def beside(found: Figure, unit: str = "") -> str:
    """A figure on one line.

    >>> beside(Figure(text="3.1", ci="[2.9, 3.3]"), " %"), beside(Figure(text="–"), " %")
    ('3.1 % [2.9, 3.3]', '–')
    """
    if found.raw is None and found.text == DASH:
        return DASH
    return f"{found.text}{unit} {found.ci}".rstrip()


def part_of(raw: object) -> Mapping[str, Any]:
    """A mapping as it is, and an empty one for anything else.

    >>> part_of({"mean": 1}), part_of(None)
    ({'mean': 1}, {})
    """
    return raw if isinstance(raw, Mapping) else {}


def moved(value: object) -> str:
    """A price change in percent, one decimal, the sign always shown.

    >>> moved(-12.34), moved(None)
    ('−12.3', '–')
    """
    return signed(value, 1)


def setting(value: object) -> str:
    """A setting as it was given: no zeros are added.

    >>> setting(5.0), setting(0.25), setting(12000), setting(None)
    ('5', '0.25', '12,000', '–')
    """
    found = finite(value)
    return DASH if found is None else f"{found:,.10g}".replace("-", "−")


def times_text(value: object) -> str:
    """A ratio.

    >>> times_text(1.618)
    '1.62×'
    """
    found = finite(value)
    return DASH if found is None else f"{found:,.2f}×"


def significant(value: object, digits: int = 3) -> str:
    """A number of any size with `digits` significant digits.

    >>> significant(0.0012345), significant(-12.345), significant(98765.4), significant(3e-12)
    ('0.00123', '−12.3', '98,765', '3.0e−12')
    """
    found = finite(value)
    if found is None:
        return DASH
    size = math.floor(math.log10(abs(found))) if found else 0
    text = f"{found:.1e}" if size < -6 else f"{found:,.{max(digits - 1 - size, 0)}f}"
    return text.replace("-", "−")


def chance(value: object) -> str:
    """A probability in percent; a tiny one keeps its digits.

    >>> chance(0.1234), chance(0.00001234), chance(0)
    ('12.3 %', '0.00123 %', '0.0 %')
    """
    found = finite(value)
    if found is None or found == 0.0 or abs(found) >= 0.001:
        return percent(found)
    return f"{significant(100 * found)} %"


def lower_is_better(delta: object) -> Verdict:
    """Which side of zero the interval of a difference lies on, when less is better.

    >>> lower_is_better({"mean": -9, "ci": [-12, -5]}), lower_is_better({"mean": 9, "ci": [5, 12]})
    ('better', 'worse')
    >>> lower_is_better({"mean": 1, "ci": [-1, 3]}), lower_is_better(None)
    ('tie', 'not measured')
    """
    ends = interval(part_of(delta).get("ci"))
    return verdict(None if ends is None else {"ci": [-ends[1], -ends[0]]})


def need_schema(document: Mapping[str, Any], expected: str) -> None:
    """Refuse a document of another kind.

    Raises
    ------
    FrameError
        When ``schema`` is not the expected one.
    """
    found = document.get("schema")
    if found != expected:
        raise FrameError(f"document has schema {found!r}, expected '{expected}'")
