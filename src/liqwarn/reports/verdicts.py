"""What may honestly be said of a result: better, tie or worse, and never more than was measured."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from liqwarn.reports.formats import finite, interval, interval_text, signed

__all__ = [
    "FEW_EVENTS",
    "MODEL_NAMES",
    "Verdict",
    "ablation_verdict",
    "few_events",
    "has_placebo_skill",
    "placebo_verdict",
    "verdict",
    "verdict_sentence",
]

Verdict = Literal["better", "tie", "worse", "not measured"]

FEW_EVENTS: Final = 30
"""Below this many events in the test span, every number comes with a warning."""

MODEL_NAMES: Final[Mapping[str, str]] = {
    "liqwarn": "liqwarn",
    "B0": "B0 hour-of-week climatology",
    "B1": "B1 volatility persistence",
    "B2": "B2 HAR volatility logistic",
    "B3": "B3 funding and OI rule",
    "B4": "B4 last-hour OI and liquidations",
    "B5": "B5 cluster proximity",
    "B6": "B6 logistic on all features",
}
"""The models of every evaluation, in the order they are shown."""


def verdict(delta: Mapping[str, Any] | None) -> Verdict:
    """Which side of zero the paired interval lies on.

    >>> verdict({"mean": 0.02, "ci": [0.01, 0.03]}), verdict({"mean": 0.02, "ci": [-0.01, 0.05]})
    ('better', 'tie')
    >>> verdict({"mean": -0.02, "ci": [-0.03, -0.01]}), verdict(None)
    ('worse', 'not measured')
    """
    ends = interval((delta or {}).get("ci"))
    if ends is None:
        return "not measured"
    if ends[0] > 0:
        return "better"
    return "worse" if ends[1] < 0 else "tie"


def few_events(result: Mapping[str, Any]) -> str:
    """A caveat when the events are too few to lean on, else an empty text."""
    events = finite(result.get("events"))
    if events is None:
        return "The number of events is not known, so the figures carry no weight."
    if events < FEW_EVENTS:
        return (
            f"Only {events:.0f} events: too few to lean on "
            f"(fewer than {FEW_EVENTS}), whatever the figures say."
        )
    return ""


def verdict_sentence(result: Mapping[str, Any]) -> str:
    """One sentence on liqwarn against the HAR baseline, for one side and horizon."""
    delta = result.get("delta_pr_auc_vs_har") or {}
    found = verdict(delta)
    if found == "not measured":
        return "Not measured against the HAR baseline."
    shown = f"ΔPR-AUC {signed(delta.get('mean'))}, 95 % interval {_signed_interval(delta)}"
    if found == "tie":
        return f"A tie with the HAR baseline: the interval covers 0 ({shown})."
    return f"{found.capitalize()} than the HAR baseline ({shown})."


def _signed_interval(delta: Mapping[str, Any]) -> str:
    return interval_text(delta.get("ci"), plus=True)


def ablation_verdict(row: Mapping[str, Any]) -> str:
    """What a feature family adds: full model minus the model without the family.

    >>> ablation_verdict({"delta_pr_auc": {"mean": 0.004, "ci": [-0.002, 0.009]}})
    'adds nothing'
    """
    found = verdict(row.get("delta_pr_auc"))
    return {
        "better": "adds skill",
        "tie": "adds nothing",
        "worse": "does harm",
        "not measured": "not measured",
    }[found]


def has_placebo_skill(row: Mapping[str, Any]) -> bool | None:
    """Whether a placebo looks skilful: its interval lies wholly above chance. None: unknown."""
    ranking = interval(row.get("roc_auc_ci"))
    if ranking is not None:
        return ranking[0] > 0.5
    ends, base = interval(row.get("pr_auc_ci")), finite(row.get("base_rate"))
    if ends is None or base is None:
        return None
    return ends[0] > base


def placebo_verdict(row: Mapping[str, Any]) -> str:
    """What a placebo run says about the protocol.

    >>> placebo_verdict({"pr_auc_ci": [0.009, 0.013], "base_rate": 0.01})
    'no skill, as it must be'
    """
    found = has_placebo_skill(row)
    if found is None:
        return "not measured"
    if found:
        return "WARNING: a placebo shows skill; look for a leak before anything else"
    return "no skill, as it must be"
