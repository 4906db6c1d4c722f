"""What became of the flags, for a person at a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from liqwarn.reports.evaluation_text import plain
from liqwarn.reports.formats import finite, number, percent, utc
from liqwarn.reports.ledger_rows import (
    ALARM,
    EVERY,
    WINDOWS,
    alarm_rows,
    caught_text,
    counts_sentence,
    drift_rows,
    few_outcomes,
    figure,
    miss_rows,
    part_of,
    skill_rows,
)
from liqwarn.reports.results import rows_of

__all__ = ["ledger_text"]

_WEEKS: Final = 12
_INPUTS: Final = 10
_SKILL_HEAD: Final = (
    "symbol", "side", "onsets", "PR-AUC [95 %]", "base", "ROC-AUC [95 %]", "Brier", "Brier skill",
    "slope [95 %]", "caught", "false a week", "in alarm",
)  # fmt: skip


def ledger_text(document: Mapping[str, Any]) -> str:
    """A ledger's account as lines.

    Parameters
    ----------
    document : mapping
        ``account.json``, schema ``liqwarn.ledger/1``. What it lacks is shown as a dash, or left
        out.
    """
    parts = [
        _head(document),
        _alarms(document),
        *(_skill(document, window) for window in WINDOWS),
        _weeks(document),
        _misses(document),
        _drift(document),
        _standings(document),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _head(account: Mapping[str, Any]) -> list[str]:
    found = account.get("market")
    market = f"{found} market" if found in ("real", "simulated") else "market not said"
    champion = part_of(account, "champion")
    version = champion.get("version")
    in_force = f"version {version} since {utc(champion.get('since'))}" if version else "none"
    title = f"{account.get('panel', '?')} ({market}): what became of its flags"
    return [
        f"{title}, as of {utc(account.get('as_of'))} UTC",
        counts_sentence(account),
        f"Champion: {in_force}.",
        *filter(None, [few_outcomes(skill_rows(account))]),
    ]


def _alarms(account: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            str(row.get("severity", "?")),
            f"{row.get('rule', '?')} {row.get('subject', '')}".strip(),
            utc(row.get("since")),
            str(row.get("text", "")),
        )
        for row in alarm_rows(account)
    ]
    return ["Alarms", *_columns(rows)] if rows else ["No alarm."]


def _skill(account: Mapping[str, Any], window: str) -> list[str]:
    """All time symbol by symbol; of shorter windows, in which onsets are few, all together."""
    rows = skill_rows(account, window)
    if not any(finite(row.get("rows")) for row in rows):
        return []
    shown = [row for row in rows if EVERY in (window, row.get("scope"))]
    said = [f"Skill at 4 h, {WINDOWS[window]}", *([ALARM] if window == EVERY else [])]
    return [*said, *_columns([_SKILL_HEAD, *map(_skill_row, shown)])]


def _skill_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(row.get("scope", "?")),
        str(row.get("side", "?")),
        number(row.get("onsets"), 0),
        figure(row.get("pr_auc")),
        percent(row.get("base_rate"), 2),
        figure(row.get("roc_auc")),
        plain(row.get("brier"), 4),
        plain(row.get("brier_skill")),
        figure(row.get("slope"), 2),
        caught_text(row),
        number(row.get("false_alarms_per_week"), 2),
        percent(row.get("time_in_alarm"), 1),
    )


def _weeks(account: Mapping[str, Any]) -> list[str]:
    rows = sorted(
        rows_of(account, "weekly"), key=lambda row: (str(row.get("week")), str(row.get("side")))
    )
    weeks = sorted({str(row.get("week")) for row in rows})[-_WEEKS:]
    table = [("week", "side", "onsets", "PR-AUC", "Brier", "caught", "missed", "false")]
    for row in (row for row in rows if str(row.get("week")) in weeks):
        counts = (number(row.get(name), 0) for name in ("caught", "missed", "false_alarms"))
        table.append(
            (
                str(row.get("week")),
                str(row.get("side", "?")),
                number(row.get("onsets"), 0),
                plain(row.get("pr_auc")),
                plain(row.get("brier"), 4),
                *counts,
            )
        )
    head = f"By week, the last {len(weeks)}; a week has too few onsets for a PR-AUC to mean much"
    return [head, *_columns(table)] if weeks else []


def _misses(account: Mapping[str, Any]) -> list[str]:
    rows = miss_rows(account)
    if not rows:
        return ["No event was missed." if _events(account) else "No event yet, so none missed."]
    table = [("onset, UTC", "symbol", "side", "severity", "chance before", "tier", "model")]
    for row in rows:
        named = (str(row.get(name) or "–") for name in ("tier", "model"))
        table.append(
            (
                utc(row.get("onset")),
                str(row.get("symbol", "?")),
                str(row.get("side", "?")),
                plain(row.get("severity"), 2),
                percent(row.get("p_4h"), 2),
                *named,
            )
        )
    return [f"Missed, all {len(rows)}; none is ever taken off this list", *_columns(table)]


def _events(account: Mapping[str, Any]) -> bool:
    return any(finite(part_of(row, "recall").get("events")) for row in skill_rows(account))


def _drift(account: Mapping[str, Any]) -> list[str]:
    inputs, scores = drift_rows(account, "inputs"), drift_rows(account, "scores")
    if not inputs and not scores:
        return ["Drift has not been measured."]
    drifted = [row for row in inputs if row.get("grade") in ("large", "moderate")]
    table = [("drift of", "grade", "PSI", "KS", "missing before", "missing now")]
    table += [
        (str(row.get("feature", "?")), *_shift(row), *_missing(row))
        for row in (drifted or inputs)[:_INPUTS]
    ]
    table += [(f"scores, {row.get('side', '?')}", *_shift(row), "", "") for row in scores]
    head = f"Drift: {len(drifted)} of {len(inputs)} inputs moderate or large, the worst first"
    return [head, *_columns(table), *map(_calibration, drift_rows(account, "calibration"))]


def _shift(row: Mapping[str, Any]) -> tuple[str, ...]:
    return str(row.get("grade", "unknown")), plain(row.get("psi")), plain(row.get("ks"))


def _missing(row: Mapping[str, Any]) -> tuple[str, ...]:
    return percent(row.get("missing_reference")), percent(row.get("missing_recent"))


def _calibration(row: Mapping[str, Any]) -> str:
    """How the chances of one side agree with what came."""
    slope = {"value": row.get("slope"), "low": row.get("low"), "high": row.get("high")}
    return (
        f"calibration, {row.get('side', '?')}: {row.get('grade', 'unknown')}; slope "
        f"{figure(slope, 2)}, expected {percent(row.get('expected'), 2)}, observed "
        f"{percent(row.get('observed'), 2)}"
    )


def _standings(account: Mapping[str, Any]) -> list[str]:
    rows = rows_of(account, "standings")
    out = [row for row in rows if row.get("enabled") is False]
    if not rows:
        return []
    if not out:
        return [f"All {len(rows)} symbols are scored."]
    table = [
        (
            str(row.get("symbol", "?")),
            f"since {utc(row.get('since'))}",
            str(row.get("reason") or ""),
        )
        for row in out
    ]
    return [f"Not scored, {len(out)} of {len(rows)} symbols", *_columns(table)]


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max((len(row[k]) for row in rows), default=0) for k in range(len(rows[0]))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
