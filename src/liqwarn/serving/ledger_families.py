"""A ledger's account as metrics, each with a bounded number of samples."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from liqwarn.decisions import moment_from_iso
from liqwarn.errors import LiqwarnError
from liqwarn.frames import SIDES
from liqwarn.reports.formats import finite
from liqwarn.reports.ledger_rows import (
    EVERY,
    WINDOWS,
    alarm_rows,
    drift_rows,
    list_of,
    part_of,
    skill_rows,
)
from liqwarn.serving.ledger_file import LedgerReading
from liqwarn.serving.ledger_retrain import LastRuns
from liqwarn.serving.metric_families import MetricFamily

__all__ = ["MOST_INPUTS", "MOST_SYMBOLS", "ledger_families", "retrain_families"]

MOST_SYMBOLS: Final = 50
"""Symbols told one by one; the rest counts in ``all``."""
MOST_INPUTS: Final = 20
"""Inputs whose drift is told, the worst."""

_OF_SYMBOLS: Final = "90d"
_RULES: Final = ("skill", "calibration", "drift", "missing", "false alarms", "unsettled")
_GRADES: Final = ("none", "moderate", "large", "unknown")
_STATES: Final = (
    "issued", "known", "running", "pending", "unknown", "replayed", "in_sample", "changed",
    "revised",
)  # fmt: skip
_PLAIN: Final = {
    "base_rate": "Share of flags that an onset followed within 4 h.",
    "brier": "Brier score of the chance within 4 h.",
    "brier_skill": "Brier skill against the base rate.",
    "onsets": "Onsets with a known outcome.",
    "false_alarms_per_week": "False alarms at T2 or higher per symbol and week.",
    "time_in_alarm": "Share of time at T2 or higher.",
}
_MEASURED: Final = {
    "pr_auc": "PR-AUC of the chance within 4 h; guessing scores the base rate.",
    "roc_auc": "ROC-AUC of the chance within 4 h; guessing scores 0.5.",
    "slope": "Calibration slope; 1 is right.",
    "recall": "Share of events caught.",
}
_AT: Final = ("symbol", "side", "window")
_LONGEST: Final = 64
Account = Mapping[str, Any]
Samples = list[tuple[Sequence[str], float]]


def ledger_families(reading: LedgerReading, now: datetime) -> Iterator[MetricFamily]:
    """Every metric of the ledger, also without an account: then its age is NaN.

    Parameters
    ----------
    reading : LedgerReading
    now : datetime
        The age of the account is counted until then.
    """
    account = reading.account or {}
    age = float("nan")
    if reading.settled_at is not None:
        age = (now - reading.settled_at).total_seconds()
    what = "Since the ledger was settled; NaN when its account is missing or unreadable."
    yield MetricFamily(name="ledger_age_seconds", what=what, samples=[((), age)])
    yield MetricFamily(
        name="ledger_read_errors",
        what="Accounts of the ledger that could not be read.",
        samples=[((), float(reading.faults))],
        kind="counter",
    )
    yield from _of_panel(account)
    yield from _skill(account)
    yield from _drift(account)


def _of_panel(account: Account) -> Iterator[MetricFamily]:
    counts = part_of(account, "counts")
    told: Samples = [((s,), v) for s in _STATES if (v := finite(counts.get(s))) is not None]
    what = "Sides of flags in the ledger, by what is known of them."
    yield MetricFamily(name="ledger_flags", what=what, labels=("state",), samples=told)
    uncovered = finite(counts.get("uncovered"))
    yield MetricFamily(
        name="ledger_uncovered_onsets",
        what="Onsets with no flag issued in time in the 4 h before, as when a server is down.",
        samples=[] if uncovered is None else [((), uncovered)],
    )
    yield _stamp("ledger_as_of_timestamp_seconds", "Until when outcomes are known.", account)
    what = "Alarms of the ledger, by rule and level: act or warn."
    yield MetricFamily(
        name="ledger_alarms", what=what, labels=("rule", "level"), samples=_alarms(account)
    )
    champion = part_of(account, "champion").get("version")
    version = [] if champion is None else [((_short(champion),), 1.0)]
    what = "Champion when the ledger was settled, always 1."
    yield MetricFamily(name="ledger_champion_info", what=what, labels=("version",), samples=version)
    what = "1 while a symbol is scored, 0 while it is disabled for its live skill."
    standing = [
        ((_short(row.get("symbol")),), float(row["enabled"]))
        for row in list_of(account, "standings")
        if isinstance(row.get("enabled"), bool)
    ]
    yield MetricFamily(
        name="ledger_symbol_enabled", what=what, labels=("symbol",), samples=_unlike(standing)
    )


def _alarms(account: Account) -> Samples:
    """A count for each rule and level, 0 among them, so that an alert can end."""
    counts = {(rule, level): 0.0 for rule in (*_RULES, "other") for level in ("act", "warn")}
    for row in alarm_rows(account):
        rule = str(row.get("rule"))
        level = "act" if row.get("severity") == "act" else "warn"
        counts[rule if rule in _RULES else "other", level] += 1.0
    return list(counts.items()) if account else []


def _skill(account: Account) -> Iterator[MetricFamily]:
    rows = [(window, row) for window in WINDOWS for row in skill_rows(account, window)]
    scopes = [str(row.get("scope")) for window, row in rows if window == _OF_SYMBOLS]
    shown = {EVERY, *list(dict.fromkeys(s for s in scopes if s != EVERY))[:MOST_SYMBOLS]}
    told = {
        (_short(row.get("scope")), str(row["side"]), window): row
        for window, row in rows
        if str(row.get("scope")) in (shown if window == _OF_SYMBOLS else {EVERY})
    }
    for name, what in _PLAIN.items():
        plain: Samples = [
            (at, v) for at, row in told.items() if (v := finite(row.get(name))) is not None
        ]
        yield MetricFamily(name=f"ledger_{name}", what=what, labels=_AT, samples=plain)
    bounds: Samples = []
    for name, what in _MEASURED.items():
        parts = [(at, part_of(row, name)) for at, row in told.items()]
        found: Samples = [(at, v) for at, p in parts if (v := finite(p.get("value"))) is not None]
        yield MetricFamily(name=f"ledger_{name}", what=what, labels=_AT, samples=found)
        bounds += [
            ((name, end, at[1], at[2]), v)
            for at, part in parts
            for end in ("low", "high")
            if at[0] == EVERY and (v := finite(part.get(end))) is not None
        ]
    labels = ("measure", "end", "side", "window")
    what = "Ends of 95 % intervals over all symbols."
    yield MetricFamily(name="ledger_interval", what=what, labels=labels, samples=bounds)


def _drift(account: Account) -> Iterator[MetricFamily]:
    inputs, scores = drift_rows(account, "inputs"), drift_rows(account, "scores")
    worst: Samples = [
        ((_short(row.get("feature")),), v)
        for row in inputs
        if (v := finite(row.get("psi"))) is not None
    ]
    what = f"PSI of the last 30 days against training, the {MOST_INPUTS} worst inputs."
    yield MetricFamily(
        name="ledger_input_psi", what=what, labels=("feature",),
        samples=_unlike(worst)[:MOST_INPUTS],
    )  # fmt: skip
    by_side: Samples = [
        ((str(row["side"]),), v)
        for row in scores
        if row.get("side") in SIDES and (v := finite(row.get("psi"))) is not None
    ]
    what = "PSI of the scores of the last 30 days against training."
    yield MetricFamily(
        name="ledger_score_psi", what=what, labels=("side",), samples=_unlike(by_side)
    )
    grades = [row.get("grade") for row in inputs]
    counts: Samples = [((g,), float(grades.count(g))) for g in _GRADES] if inputs else []
    what = "Inputs by how far they drifted."
    yield MetricFamily(name="ledger_inputs", what=what, labels=("grade",), samples=counts)


def retrain_families(runs: LastRuns) -> Iterator[MetricFamily]:
    """How retraining ended, by its journal; NaN before a run that finished."""
    nan = float("nan")
    finished = nan if runs.finished is None else runs.finished.at.timestamp()
    what = "When the last run of retraining that finished was begun; NaN before."
    name = "retrain_journal_finished_timestamp_seconds"
    yield MetricFamily(name=name, what=what, samples=[((), finished)])
    ended = nan if runs.last is None else runs.last.at.timestamp()
    what = "When the last run of retraining that ended, however, was begun; NaN before."
    name = "retrain_journal_last_timestamp_seconds"
    yield MetricFamily(name=name, what=what, samples=[((), ended)])
    last = runs.last
    told: Samples = [] if last is None else [((last.step, last.action, last.champion), 1.0)]
    what = "How the last run of retraining ended, always 1."
    labels = ("step", "action", "champion")
    yield MetricFamily(name="retrain_journal_last_info", what=what, labels=labels, samples=told)


def _stamp(name: str, what: str, account: Account) -> MetricFamily:
    try:
        at = moment_from_iso(account["as_of"], "as_of").timestamp()
    except (LiqwarnError, KeyError, TypeError, ValueError):
        at = float("nan")
    return MetricFamily(name=name, what=what, samples=[((), at)])


def _unlike(samples: Sequence[tuple[Sequence[str], float]]) -> Samples:
    """The first sample of each set of labels, and no more sets than there may be symbols."""
    first: dict[Sequence[str], float] = {}
    for at, value in samples:
        first.setdefault(tuple(at), value)
    return list(first.items())[:MOST_SYMBOLS]


def _short(found: object) -> str:
    return str(found)[:_LONGEST]
