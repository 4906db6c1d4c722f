"""``evaluation.md``: the evaluation as a page of markdown that reads on its own."""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.reports.evaluation_tables import (
    ablation_table,
    calibration_table,
    placebo_table,
    skill_table,
    symbol_table,
    warning_table,
)
from liqwarn.reports.formats import number, percent, utc
from liqwarn.reports.results import PRIMARY_H, cells, of_budget, result_of, results_of, rows_of
from liqwarn.reports.verdicts import few_events, has_placebo_skill, verdict_sentence

__all__ = ["evaluation_markdown"]

_READING: Final = """\
## How to read this page

- Side `long`: longs are liquidated and the price falls; side `short`: shorts are liquidated and \
the price rises.
- PR-AUC has to be read against the base rate, which is what guessing scores; *lift* is their \
ratio.
- Brackets hold 95 % intervals from a bootstrap over calendar weeks, all symbols of a week \
together.
- "Better" and "worse" are said only when the interval of the paired difference lies wholly on \
one side of 0; otherwise it is a tie.
- *Recall at 5 %* is the share of events warned of before their onset when 5 % of all time may \
be spent in alarm; the threshold is frozen on training data.
- *True alarm time* is what that threshold spent on the test span; it drifts from the budget.
- *False at 5 %* counts false alarm episodes per symbol and week at the same budget.
- Lead time runs from the close of the alarm's bar to the start of the onset bar; an alarm after \
onset is a miss.
- A calibration slope of 1 and an intercept of 0 are ideal; a slope below 1 means probabilities \
too extreme.
- "–" is a figure that could not be computed.
"""


def evaluation_markdown(evaluation: Mapping[str, Any]) -> str:
    """The readable form of ``evaluation.json``.

    Parameters
    ----------
    evaluation : mapping
        Keys ``panel``, ``test`` {``from``, ``to``}, ``n_symbols``, ``results``, ``ablation``
        (rows of ``family``, ``side``, ``horizon_h``, ``delta_pr_auc`` {``mean``, ``ci``}: full
        model minus the model without the family) and ``placebo`` (rows of ``kind``, ``side``,
        ``horizon_h``, ``base_rate``, ``pr_auc``, ``pr_auc_ci``, ``roc_auc``). A missing key, None
        or NaN prints as ``–``.

    Returns
    -------
    str
        Markdown, ending with a line break.

    Examples
    --------
    >>> print(evaluation_markdown({"panel": "btc_core", "results": []}).splitlines()[0])
    # Evaluation of btc_core
    """
    parts = [
        _head(evaluation),
        _summary(evaluation),
        *(_cell(evaluation, side, horizon_h) for side, horizon_h in cells(evaluation)),
        *_symbols(evaluation),
        _ablation(evaluation),
        _placebo(evaluation),
        _READING,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _head(evaluation: Mapping[str, Any]) -> str:
    test = evaluation.get("test") or {}
    span = f"{utc(test.get('from'))} to {utc(test.get('to'))} UTC"
    return (
        f"# Evaluation of {evaluation.get('panel', 'an unnamed panel')}\n\n"
        f"Test span: {span}.\n"
        f"Symbols: {number(evaluation.get('n_symbols'), 0)}.\n"
        "Models are fitted and calibrated on data before each test block only; what was seen of "
        "the test span while the definitions were made is told in docs/evaluation.md."
    )


def _summary(evaluation: Mapping[str, Any]) -> str:
    lines = ["## In short", ""]
    for side, horizon_h in cells(evaluation):
        result = result_of(evaluation, side, horizon_h)
        if result is None:
            lines.append(f"- **{side}, {horizon_h} h**: liqwarn was not evaluated.")
            continue
        lines.append(f"- **{side}, {horizon_h} h**: {_sentences(result)}")
    if len(lines) == 2:
        lines.append("Nothing was evaluated, so nothing can be said about skill.")
    return "\n".join(lines)


def _sentences(result: Mapping[str, Any]) -> str:
    recall = percent(of_budget(result.get("event_recall"), "0.05"), 0)
    events = number(result.get("events"), 0)
    spent = _spent(of_budget(result.get("alarm_time"), "0.05"))
    lead = number((result.get("lead_minutes") or {}).get("median"), 0)
    said = [
        verdict_sentence(result),
        f"{events} events; {recall} warned of at 5 % time in alarm{spent}.",
        f"Median lead {lead} min.",
        few_events(result),
    ]
    return " ".join(sentence for sentence in said if sentence)


def _spent(share: float | None) -> str:
    return "" if share is None else f" (in truth {percent(share)}, the threshold being frozen)"


def _cell(evaluation: Mapping[str, Any], side: str, horizon_h: int) -> str:
    rows = results_of(evaluation, side, horizon_h)
    result = result_of(evaluation, side, horizon_h)
    opening = "liqwarn was not evaluated here." if result is None else _sentences(result)
    return "\n\n".join(
        [
            f"## {side.capitalize()} side, {horizon_h} h ahead",
            opening,
            skill_table(rows),
            warning_table(rows),
            calibration_table(rows),
        ]
    )


def _symbols(evaluation: Mapping[str, Any]) -> list[str]:
    rows = rows_of(evaluation, "by_symbol")
    if not rows or evaluation.get("n_symbols") == 1:
        return []
    table = symbol_table(sorted(rows, key=lambda row: row.get("horizon_h") != PRIMARY_H))
    return [f"## By symbol\n\nSymbols without an onset in the test span are left out.\n\n{table}"]


def _ablation(evaluation: Mapping[str, Any]) -> str:
    rows = rows_of(evaluation, "ablation")
    if not rows:
        return "## Ablation\n\nNo feature family was left out in this run."
    return (
        "## Ablation\n\n"
        "Each feature family is left out in turn; the difference is the full model minus the model "
        "without it.\n"
        "A family whose interval covers 0 is said to add nothing.\n\n"
        f"{ablation_table(rows)}"
    )


def _placebo(evaluation: Mapping[str, Any]) -> str:
    rows = rows_of(evaluation, "placebo")
    if not rows:
        return "## Placebo\n\nNo placebo was run."
    said = _placebo_sentence([has_placebo_skill(row) for row in rows])
    return f"## Placebo\n\nThese runs must find nothing.\n{said}\n\n{placebo_table(rows)}"


def _placebo_sentence(found: list[bool | None]) -> str:
    if any(found):
        return (
            f"**WARNING: {found.count(True)} of {len(found)} placebo runs show skill. "
            "Something leaks: do not trust the results above.**"
        )
    unknown = found.count(None)
    if unknown:
        return f"{unknown} of {len(found)} could not be judged; the others show no skill."
    return "No placebo shows skill."
