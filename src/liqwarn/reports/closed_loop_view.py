"""The circuit breaker in closed loop: every arm beside every metric, and where it hurts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.reports.formats import compact, finite, interval, number, percent, signed
from liqwarn.reports.scenario_view import Tile
from liqwarn.reports.simulation_figures import (
    Figure,
    Writer,
    beside,
    figure,
    lower_is_better,
    part_of,
    setting,
    significant,
)
from liqwarn.reports.verdicts import Verdict

__all__ = [
    "ARMS",
    "KINDS",
    "METRICS",
    "AgainstRow",
    "ArmRow",
    "Mark",
    "MetricPanel",
    "TierShare",
    "Versus",
    "against_rows",
    "arm_rows",
    "closed_loop_tiles",
    "metric_panels",
    "metric_title",
    "tier_shares",
    "worse_count",
]

ARMS: Final[Mapping[str, str]] = {
    "none": "no breaker",
    "breaker": "breaker",
    "price_line": "price line",
    "vol_target": "volatility target",
}
"""The arms in the order they are shown."""

KINDS: Final[Mapping[str, str]] = {
    "plain": "agents do not anticipate",
    "anticipation": "agents anticipate the line",
}
"""Both markets in which every arm is measured."""

METRICS: Final[Mapping[str, tuple[str, str]]] = {
    "cascade_size": ("Cascade size", ""),
    "liquidated_usd": ("Liquidated", "USD"),
    "trough": ("Trough", ""),
    "recovery": ("Recovery", "h"),
    "time_restricted": ("Time restricted", "% of time"),
    "cost": ("Cost to the obedient", ""),
}
"""Metrics: name and unit; without a unit here, the definition in the document says it.

Of every metric less is better.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRow:
    """One arm's figures, in the order of :data:`METRICS`."""

    name: str
    ours: bool
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """The breaker's difference from another arm on one metric."""

    figure: Figure
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstRow:
    """The breaker against one arm, in the order of :data:`METRICS`."""

    name: str
    differences: tuple[Versus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One arm in a panel; positions are percent of its width."""

    name: str
    kind: str
    ours: bool
    dot: float | None
    low: float | None
    width: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPanel:
    """All arms on one metric, from zero."""

    title: str
    definition: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierShare:
    """Time the breaker spends in one tier, plain and with anticipation."""

    tier: str
    number: int
    shares: tuple[Figure, ...]


def metric_title(metric: str) -> str:
    """A metric with its unit.

    >>> metric_title("recovery"), metric_title("trough")
    ('Recovery, h', 'Trough')
    """
    name, unit = METRICS[metric]
    return f"{name}, {unit}" if unit else name


def arm_rows(document: Mapping[str, Any], kind: str) -> tuple[ArmRow, ...]:
    """Every arm of one kind of market."""
    return tuple(
        ArmRow(
            name=name,
            ours=arm == "breaker",
            figures=tuple(figure(_arm(document, arm, kind).get(m), _writer(m)) for m in METRICS),
        )
        for arm, name in ARMS.items()
    )


def against_rows(document: Mapping[str, Any], kind: str) -> tuple[AgainstRow, ...]:
    """The breaker's differences in percent from every other arm, with what may be said of them."""
    against = part_of(document.get("against"))
    return tuple(
        AgainstRow(
            name=name,
            differences=tuple(
                _versus(part_of(part_of(against.get(arm)).get(kind)).get(m)) for m in METRICS
            ),
        )
        for arm, name in ARMS.items()
        if arm != "breaker"
    )


def worse_count(document: Mapping[str, Any]) -> int:
    """In how many differences the breaker is worse, its interval wholly on the wrong side."""
    return sum(
        versus.verdict == "worse"
        for kind in KINDS
        for row in against_rows(document, kind)
        for versus in row.differences
    )


def metric_panels(document: Mapping[str, Any]) -> tuple[MetricPanel, ...]:
    """Every metric with all arms, plain and with anticipation, on one axis from zero."""
    definitions = part_of(document.get("definitions"))
    return tuple(
        MetricPanel(
            title=metric_title(metric),
            definition=str(definitions.get(metric) or ""),
            marks=_marks(document, metric),
        )
        for metric in METRICS
    )


def tier_shares(document: Mapping[str, Any]) -> tuple[TierShare, ...]:
    """Time in each tier; empty when it was not recorded."""
    spent = [part_of(_arm(document, "breaker", kind).get("time_in_tier")) for kind in KINDS]
    tiers = sorted({str(tier) for part in spent for tier in part})
    return tuple(
        TierShare(
            tier=tier,
            number=int(tier[1:]) if tier[1:] in set("012345") else 0,
            shares=tuple(_fraction(part.get(tier)) for part in spent),
        )
        for tier in tiers
    )


def closed_loop_tiles(document: Mapping[str, Any]) -> tuple[Tile, ...]:
    """The headline figures."""
    plain = part_of(part_of(part_of(document.get("against")).get("none")).get("plain"))
    score = part_of(document.get("score"))
    restricted = figure(
        _arm(document, "breaker", "plain").get("time_restricted"), _writer("time_restricted")
    )
    return (
        _difference_tile("Cascade size against no breaker", plain.get("cascade_size")),
        _difference_tile("Liquidated against no breaker", plain.get("liquidated_usd")),
        Tile(
            name="Time restricted",
            value=restricted.text if restricted.raw is None else f"{restricted.text} %",
            note=restricted.ci,
        ),
        *(
            Tile(name=f"ROC-AUC of the {side} score", value=shown.text, note=shown.ci)
            for side in ("long", "short")
            if (shown := figure(score.get(f"auc_{side}"), number))
        ),
        Tile(
            name="Share that obeys, φ",
            value=percent(document.get("phi"), 0),
            note=f"delay {setting(document.get('delay_min'))} min",
        ),
        Tile(
            name="Seeds",
            value=number(document.get("seeds"), 0),
            note=f"{setting(document.get('days'))} days each",
        ),
        Tile(name="Cascades seen", value=number(document.get("events"), 0)),
    )


def _arm(document: Mapping[str, Any], arm: str, kind: str) -> Mapping[str, Any]:
    return part_of(part_of(part_of(document.get("arms")).get(arm)).get(kind))


def _writer(metric: str) -> Writer:
    return {"liquidated_usd": compact, "time_restricted": _points}.get(metric, significant)


def _points(value: object) -> str:
    """A fraction as percent without the sign of percent."""
    found = finite(value)
    return number(None if found is None else 100 * found, 1)


def _fraction(raw: object) -> Figure:
    return figure(raw if isinstance(raw, Mapping) else {"mean": raw}, percent)


def _versus(delta: object) -> Versus:
    return Versus(
        figure=figure(delta, lambda value: signed(value, 1)), verdict=lower_is_better(delta)
    )


def _difference_tile(name: str, delta: object) -> Tile:
    found = _versus(delta)
    value = found.figure.text if found.figure.raw is None else f"{found.figure.text} %"
    return Tile(name=name, value=value, note=f"{found.figure.ci} {found.verdict}".strip())


def _marks(document: Mapping[str, Any], metric: str) -> tuple[Mark, ...]:
    parts = [
        (arm, kind, part_of(_arm(document, arm, kind).get(metric)))
        for arm in ARMS
        for kind in KINDS
    ]
    values = [abs(v) for *_, p in parts if (v := finite(p.get("mean"))) is not None]
    ends = [abs(v) for *_, p in parts for v in interval(p.get("ci")) or ()]
    top = 1.05 * max([*values, *ends], default=0.0) or 1.0
    return tuple(_mark(arm, kind, part, top, _writer(metric)) for arm, kind, part in parts)


def _mark(arm: str, kind: str, part: Mapping[str, Any], top: float, write: Writer) -> Mark:
    """Sizes are compared: a quantity that is negative is drawn by how large it is."""
    mean, ends = finite(part.get("mean")), interval(part.get("ci"))
    low, high = sorted(map(abs, ends)) if ends is not None else (0.0, 0.0)
    return Mark(
        name=ARMS[arm],
        kind=kind,
        ours=arm == "breaker",
        dot=None if mean is None else 100 * abs(mean) / top,
        low=None if ends is None else 100 * low / top,
        width=None if ends is None else 100 * (high - low) / top,
        text=beside(figure(part, write)),
    )
