"""The gate's table of a run: each rule, what it asks for, and what was found on each side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from liqwarn.models.gate import (
    EDGE,
    ENOUGH,
    ENOUGH_COMPARED,
    LEVELS,
    RULES,
    SLOPES,
    TIED,
    TOO_GOOD,
    Difference,
    LeftOut,
    Sample,
    SideEvidence,
)
from liqwarn.reports.formats import DASH, number, percent

__all__ = ["GateRow", "evidence_of", "gate_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """A rule and what it found.

    Attributes
    ----------
    rule, asks : str
    found : tuple of str
        A side each, in the order of the evidence.
    faults : tuple of bool
        Whether the rule refuses it.
    """

    rule: str
    asks: str
    found: tuple[str, ...]
    faults: tuple[bool, ...]


def gate_rows(evidence: Sequence[Mapping[str, Any]]) -> list[GateRow]:
    """The table of a ``judged`` line of the journal; empty without evidence.

    >>> gate_rows([])
    []
    """
    sides = [evidence_of(raw) for raw in evidence]
    if not sides:
        return []
    told = [list(_figures(one)) for one in sides]
    rows = [
        GateRow(
            rule=rule,
            asks=asks,
            found=tuple(figures[k][2] for figures in told),
            faults=tuple(any(RULES[rule](one)) for one in sides),
        )
        for k, (rule, asks, _) in enumerate(told[0])
    ]
    gains = tuple(_gain(one) for one in sides)
    asks = f"the interval above 0 on {ENOUGH_COMPARED}, on a side at least"
    return [*rows, GateRow(rule="gain", asks=asks, found=gains, faults=(False,) * len(sides))]


def _figures(one: SideEvidence) -> Iterator[tuple[str, str, str]]:
    """Rule, what it asks for, and the figure, in the order of the rules."""
    yield "sample", f"{ENOUGH} at least", str(one.sample)
    yield "finite", "every score", f"{one.not_finite} are not"
    yield "constant", f"less than {100 * TIED:.0f} % of a fold alike", percent(one.tied_frac)
    yield "inverted", "ROC-AUC 0.5 at least", number(one.roc_auc)
    yield "too near", f"ROC-AUC before onsets {TOO_GOOD} at most", number(one.nearest_roc_auc)
    yield "too sharp", f"ROC-AUC at the edge {EDGE} at most", number(one.edge_roc_auc)
    yield "over HAR", "PR-AUC over HAR, the interval above 0", str(one.versus_har)
    yield "Brier", "Brier skill against HAR above 0", number(one.brier_skill_vs_har, 4)
    yield "slope", f"calibration slope {SLOPES[0]} to {SLOPES[1]}", number(one.calibration_slope)
    yield "level", f"mean forecast over rate {LEVELS[0]} to {LEVELS[1]}", number(one.level_ratio)
    yield "champion", "not worse than it beyond the interval", _compared(one)
    yield "symbols", "worse than it in none", ", ".join(one.worse_symbols) or "none"


def _compared(one: SideEvidence) -> str:
    return DASH if one.versus_champion is None else f"{one.versus_champion} on {one.compared}"


def _gain(one: SideEvidence) -> str:
    if one.left_out is None:
        return _compared(one)
    return f"{_compared(one)}; without {one.left_out.symbol} {one.left_out.rest}"


def evidence_of(raw: Mapping[str, Any]) -> SideEvidence:
    """Evidence as the journal keeps it, where null stands for what was not measured."""
    given: dict[str, Any] = {name: nan if value is None else value for name, value in raw.items()}
    given |= {name: Sample(**raw[name]) for name in ("sample", "compared")}
    given["versus_har"] = _difference(raw["versus_har"])
    against, left = raw["versus_champion"], raw["left_out"]
    given["versus_champion"] = None if against is None else _difference(against)
    given["left_out"] = (
        None if left is None else LeftOut(symbol=left["symbol"], rest=_difference(left["rest"]))
    )
    given["worse_symbols"] = tuple(raw["worse_symbols"])
    return SideEvidence(**given)


def _difference(raw: Mapping[str, Any]) -> Difference:
    return Difference(**{name: nan if value is None else value for name, value in raw.items()})
