"""What became of the flags, for a person at a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from liqwarn.reports.formats import finite, utc
from liqwarn.reports.ledger_cells import (
    CALIBRATION_HEAD,
    DRIFT_HEAD,
    MISS_HEAD,
    SKILL_HEAD,
    WEEK_HEAD,
    alarm_cells,
    calibration_cells,
    drift_cells,
    miss_cells,
    skill_cells,
    standing_cells,
    week_cells,
)
from liqwarn.reports.ledger_rows import (
    ALARM,
    EVERY,
    SPANS,
    alarm_rows,
    champion_text,
    counts_sentence,
    drift_rows,
    few_outcomes,
    list_of,
    miss_rows,
    no_miss_text,
    part_of,
    skill_rows,
    week_rows,
)

__all__ = ["ledger_text"]

_WEEKS: Final = 12
_INPUTS: Final = 10


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
        *(_skill(document, *span) for span in SPANS),
        _weeks(document),
        _misses(document),
        _drift(document),
        _standings(document),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _head(account: Mapping[str, Any]) -> list[str]:
    found = account.get("market")
    market = f"{found} market" if found in ("real", "simulated") else "market not said"
    title = f"{account.get('panel', '?')} ({market}): what became of its flags"
    return [
        f"{title}, as of {utc(account.get('as_of'))} UTC",
        counts_sentence(account),
        champion_text(account),
        *filter(None, [few_outcomes(skill_rows(account))]),
    ]


def _alarms(account: Mapping[str, Any]) -> list[str]:
    rows = [alarm_cells(row) for row in alarm_rows(account)]
    return ["Alarms", *_columns(rows)] if rows else ["No alarm."]


def _skill(account: Mapping[str, Any], name: str, part: str, window: str) -> list[str]:
    """All time symbol by symbol; of shorter windows, in which onsets are few, all together."""
    rows = skill_rows(account, window, part)
    late = finite(part_of(account, "counts").get("replayed"))
    if not any(finite(row.get("rows")) for row in rows) or (part == "timely_skill" and not late):
        return []
    whole = (part, window) == ("skill", EVERY)
    shown = [row for row in rows if whole or row.get("scope") == EVERY]
    said = [f"Skill at 4 h, {name}", *([ALARM] if whole else [])]
    return [*said, *_columns([SKILL_HEAD, *map(skill_cells, shown)])]


def _weeks(account: Mapping[str, Any]) -> list[str]:
    rows = week_rows(account)
    weeks = sorted({str(row["week"]) for row in rows})[-_WEEKS:]
    table = [WEEK_HEAD, *(week_cells(row) for row in rows if str(row["week"]) in weeks)]
    head = f"By week, the last {len(weeks)}; a week has too few onsets for a PR-AUC to mean much"
    return [head, *_columns(table)] if weeks else []


def _misses(account: Mapping[str, Any]) -> list[str]:
    rows = miss_rows(account)
    if not rows:
        return [no_miss_text(account)]
    head = f"Missed, all {len(rows):,}; nothing is ever taken off this list"
    return [head, *_columns([MISS_HEAD, *map(miss_cells, rows)])]


def _drift(account: Mapping[str, Any]) -> list[str]:
    inputs, scores = drift_rows(account, "inputs"), drift_rows(account, "scores")
    calibration = drift_rows(account, "calibration")
    out = ["Drift has not been measured."]
    if inputs or scores:
        drifted = [row for row in inputs if row.get("grade") in ("large", "moderate")]
        shown = (drifted or inputs)[:_INPUTS]
        head = f"Drift: {len(drifted)} of {len(inputs)} inputs moderate or large, the worst first"
        table = [drift_cells(row, str(row.get("feature", "–"))) for row in shown]
        table += [drift_cells(row, f"scores, {row.get('side', '–')}") for row in scores]
        out = [head, *_columns([DRIFT_HEAD, *table])]
    if calibration:
        out += _columns([CALIBRATION_HEAD, *map(calibration_cells, calibration)])
    return out


def _standings(account: Mapping[str, Any]) -> list[str]:
    rows = list_of(account, "standings")
    out = [row for row in rows if row.get("enabled") is False]
    if not rows:
        return []
    if not out:
        return [f"All {len(rows)} symbols are scored."]
    head = f"Not scored, {len(out)} of {len(rows)} symbols"
    table = [
        (symbol, f"since {since}", why) for symbol, _, since, _, why in map(standing_cells, out)
    ]
    return [head, *_columns(table)]


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max((len(row[k]) for row in rows), default=0) for k in range(len(rows[0]))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
