"""What may honestly be said of a result: better, tie or worse, and never more than was measured."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from liqwarn.reports.formats import finite, interval, interval_text, signed

__all__ = [
    "CONTROL",
    "FEW_EVENTS",
    "MODEL_NAMES",
    "Verdict",
    "ablation_verdict",
    "few_events",
    "has_placebo_skill",
    "is_control",
    "placebo_alarm",
    "placebo_sentences",
    "placebo_verdict",
    "tone_of",
    "verdict",
    "verdict_sentence",
]

Verdict = Literal["better", "tie", "worse", "not measured"]

FEW_EVENTS: Final = 30
"""Below this many events in the test span, every number comes with a warning."""

CONTROL: Final = "planted_leak"
"""The kind of the positive control among the placebos."""

_SHIFTED: Final = "shifted_labels"
_CHANCE: Final = 0.5

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


def tone_of(found: Verdict) -> Literal["", "good", "bad", "quiet"]:
    """How a verdict is to be read at a glance.

    >>> [tone_of(v) for v in ("better", "tie", "worse", "not measured")]
    ['good', 'quiet', 'bad', 'quiet']
    """
    tones: dict[Verdict, Literal["good", "bad"]] = {"better": "good", "worse": "bad"}
    return tones.get(found, "quiet")


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


def is_control(row: Mapping[str, Any]) -> bool:
    """Whether a placebo row is the positive control: a planted leak that must be found."""
    return row.get("kind") == CONTROL


def has_placebo_skill(row: Mapping[str, Any]) -> bool | None:
    """Whether a run looks skilful: its interval lies wholly above chance. None: unknown.

    Shifted outcomes need more: slow volatility reaches across a shift, for HAR too, so what is
    above chance must be above HAR as well. A constant forecast ranks nothing and is unknown.

    >>> shifted = {"kind": "shifted_labels", "roc_auc_ci": [0.52, 0.6]}
    >>> has_placebo_skill(shifted | {"delta_pr_auc_vs_har": {"ci": [-0.01, 0.01]}})
    False
    >>> has_placebo_skill(shifted | {"delta_pr_auc_vs_har": {"ci": [0.01, 0.02]}})
    True
    """
    above = _above_chance(row)
    if not above or row.get("kind") != _SHIFTED:
        return above
    beside_har = verdict(row.get("delta_pr_auc_vs_har"))
    return None if beside_har == "not measured" else beside_har == "better"


def _above_chance(row: Mapping[str, Any]) -> bool | None:
    if _is_constant(row):
        return None
    ranking = interval(row.get("roc_auc_ci"))
    if ranking is not None:
        return ranking[0] > _CHANCE
    ends, base = interval(row.get("pr_auc_ci")), finite(row.get("base_rate"))
    if ends is None or base is None:
        return None
    return ends[0] > base


def _is_constant(row: Mapping[str, Any]) -> bool:
    """What the row says of itself; a file that lacks it: a ROC-AUC of 0.5 without any spread."""
    told = row.get("says_nothing")
    if isinstance(told, bool):
        return told
    return interval(row.get("roc_auc_ci")) == (_CHANCE, _CHANCE)


def placebo_alarm(row: Mapping[str, Any]) -> bool:
    """Whether a run warns of the harness: a placebo with skill, or a planted leak not found.

    >>> placebo_alarm({"kind": "planted_leak", "roc_auc_ci": [0.45, 0.6]})
    True
    """
    return has_placebo_skill(row) is not is_control(row) and has_placebo_skill(row) is not None


def placebo_verdict(row: Mapping[str, Any]) -> str:
    """What a placebo run, or the positive control, says about the protocol.

    >>> placebo_verdict({"pr_auc_ci": [0.009, 0.013], "base_rate": 0.01})
    'no skill, as it must be'
    >>> placebo_verdict({"says_nothing": True})
    'a constant forecast: says nothing'
    >>> placebo_verdict({"kind": "planted_leak", "roc_auc_ci": [0.7, 0.8]})
    'found, as it must be'
    """
    found = has_placebo_skill(row)
    if found is None:
        return "a constant forecast: says nothing" if _is_constant(row) else "not measured"
    if is_control(row):
        return "found, as it must be" if found else "WARNING: not found; the harness is blind"
    if found:
        return "WARNING: a placebo shows skill; look for a leak before anything else"
    return f"no skill{' beyond HAR' if _above_chance(row) else ''}, as it must be"


def placebo_sentences(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """What all runs say together: a warning, empty when there is none, and a sentence.

    >>> placebo_sentences([{"kind": "shuffled_features", "roc_auc_ci": [0.4, 0.6]}])
    ('', 'No placebo shows skill. No positive control was run.')
    """
    placebos = [has_placebo_skill(row) for row in rows if not is_control(row)]
    controls = [has_placebo_skill(row) for row in rows if is_control(row)]
    warnings = []
    if any(placebos):
        warnings.append(
            f"WARNING: {placebos.count(True)} of {len(placebos)} placebo runs show skill. "
            "Something leaks: do not trust the results."
        )
    if False in controls:
        warnings.append(
            f"WARNING: {controls.count(False)} of {len(controls)} planted leaks were not found. "
            "The harness is blind: its placebos prove nothing."
        )
    return " ".join(warnings), f"{_of_placebos(placebos)} {_of_controls(controls)}"


def _of_placebos(found: list[bool | None]) -> str:
    if not found:
        return "No placebo was run."
    unknown, skilled = found.count(None), found.count(True)
    if unknown == len(found):
        return "No placebo run could be judged."
    if skilled:
        return f"{found.count(False)} of {len(found)} placebo runs show no skill."
    if unknown:
        return f"{unknown} of {len(found)} placebo runs say nothing; the others show no skill."
    return "No placebo shows skill."


def _of_controls(found: list[bool | None]) -> str:
    if not found:
        return "No positive control was run."
    if all(found):
        return "Every planted leak was found."
    return f"{found.count(True)} of {len(found)} planted leaks were found."
