"""The answer first: is liqwarn better than a volatility alarm, and which marks are reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liqwarn.frames import SIDES
from liqwarn.reports.aims import Aim, Reached, aims
from liqwarn.reports.evaluation_section import Line, Section, Table, Tone
from liqwarn.reports.evaluation_tables import model_name, recall_text
from liqwarn.reports.evaluation_text import estimate, gain, minutes, rate, times
from liqwarn.reports.formats import DASH, finite, number
from liqwarn.reports.results import (
    HAR,
    MODEL,
    PRIMARY_H,
    of_budget,
    ratio_to_har,
    result_of,
    results_of,
)
from liqwarn.reports.verdicts import Verdict, few_events, tone_of, verdict, verdict_sentence

__all__ = ["Answer", "aims_section", "answer_sentence", "answers"]

_THAN: dict[Verdict, str] = {
    "better": "better than HAR",
    "tie": "a tie with HAR",
    "worse": "worse than HAR",
    "not measured": "not measured against HAR",
}
_TONES: dict[Reached, Tone] = {"reached": "good", "missed": "bad", "not measured": "quiet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One side at 4 h in short."""

    side: str
    verdict: str
    tone: Tone
    facts: tuple[tuple[str, str], ...]
    caveat: str
    sentence: str


def answers(evaluation: Mapping[str, Any]) -> tuple[Answer, ...]:
    """One answer a side, for sides on which liqwarn was evaluated at 4 h."""
    rows = [(side, result_of(evaluation, side, PRIMARY_H)) for side in SIDES]
    return tuple(_answer(evaluation, side, row) for side, row in rows if row)


def _answer(evaluation: Mapping[str, Any], side: str, row: Mapping[str, Any]) -> Answer:
    har = result_of(evaluation, side, PRIMARY_H, HAR) or {}
    ratio = ratio_to_har(evaluation, side, PRIMARY_H)
    found = verdict(row.get("delta_pr_auc_vs_har"))
    return Answer(
        side=side,
        verdict=_THAN[found],
        tone=tone_of(found),
        facts=(
            ("PR-AUC", estimate(row.get("pr_auc"), row.get("pr_auc_ci"))),
            ("HAR's PR-AUC", estimate(har.get("pr_auc"), har.get("pr_auc_ci"))),
            ("Difference, paired", gain(row.get("delta_pr_auc_vs_har"))),
            ("Ratio, paired", times(ratio["mean"], ratio.get("ci"))),
            ("Best other baseline", _best_other(evaluation, side)),
            ("Guessing scores", rate(row.get("base_rate"), digits=2)),
            ("Events", number(row.get("events"), 0)),
            (
                "Warned of at 5 %",
                f"{recall_text(row, '0.05')}; HAR {recall_text(har, '0.05')}",
            ),
            ("Lead, min (quartiles)", minutes(row.get("lead_minutes"))),
        ),
        caveat=few_events(row),
        sentence=" ".join(part for part in (_sentence(row, ratio), few_events(row)) if part),
    )


def _best_other(evaluation: Mapping[str, Any], side: str) -> str:
    rows = [
        (score, model_name(row))
        for row in results_of(evaluation, side, PRIMARY_H)
        if row["model"] not in (MODEL, HAR) and (score := finite(row.get("pr_auc"))) is not None
    ]
    if not rows:
        return DASH
    score, name = max(rows)
    return f"{name}, {number(score)}"


def _sentence(row: Mapping[str, Any], ratio: Mapping[str, Any]) -> str:
    spent = of_budget(row.get("alarm_time"), "0.05")
    truly = "" if spent is None else f" (in truth {rate(spent, digits=1)})"
    return (
        f"{verdict_sentence(row)} Ratio {times(ratio['mean'], ratio.get('ci'))}. "
        f"{number(row.get('events'), 0)} events; {recall_text(row, '0.05')} warned of at 5 % time "
        f"in alarm{truly}, median lead {minutes(row.get('lead_minutes'))} min."
    )


def answer_sentence(evaluation: Mapping[str, Any]) -> str:
    """What may be said of both sides in one sentence.

    >>> answer_sentence({})
    'liqwarn was not evaluated at 4 h, so nothing can be said about skill.'
    """
    found = answers(evaluation)
    if not found:
        return f"liqwarn was not evaluated at {PRIMARY_H} h, so nothing can be said about skill."
    said = " and ".join(f"{answer.verdict} on the {answer.side} side" for answer in found)
    marks = [aim.status for answer in found for aim in aims(evaluation, answer.side)]
    open_marks = marks.count("not measured")
    tail = f", {open_marks} could not be judged" if open_marks else ""
    return (
        f"At {PRIMARY_H} h, liqwarn is {said}. "
        f"{marks.count('reached')} of {len(marks)} marks are reached{tail}."
    )


def aims_section(evaluation: Mapping[str, Any]) -> Section:
    """The marks aimed at, and whether each is reached, a table a side."""
    tables = tuple(
        Table(
            title=f"{answer.side.capitalize()} side, {PRIMARY_H} h",
            header=("what", "mark", "measured [95 %]", "HAR", "verdict"),
            rows=tuple(_line(aim) for aim in aims(evaluation, answer.side)),
            texts=2,
            verdict=True,
            brief=False,
        )
        for answer in answers(evaluation)
    )
    lead = (
        "Set before anything was measured.",
        "A ratio counts with its whole interval above 1; a recall only while the alarms spend at",
        "most a tenth more time than their budget; everything else by its figure.",
        "Rare events make the calibration error small for any model that stays near the base",
        "rate: read it beside HAR's.",
    )
    missing = ("No mark can be judged: liqwarn was not evaluated at 4 h.",)
    return Section(
        key="marks",
        title="Marks aimed at",
        lead=lead if tables else missing,
        tables=(*tables, _both_sides(evaluation)),
        missing=not tables,
    )


def _both_sides(evaluation: Mapping[str, Any]) -> Table:
    """The marks of both sides in one table, for markdown."""
    return Table(
        title="",
        header=("what", "mark", "side", "measured", "HAR", "verdict"),
        rows=tuple(
            Line((aim.what, aim.mark, answer.side, aim.measured, aim.har, aim.status))
            for answer in answers(evaluation)
            for aim in aims(evaluation, answer.side)
        ),
        texts=3,
        page=False,
        beside=("measured", "HAR", "verdict"),
    )


def _line(aim: Aim) -> Line:
    return Line((aim.what, aim.mark, aim.measured, aim.har, aim.status), tone=_TONES[aim.status])
