"""When skill decays: a pure rule over the account of a ledger."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from liqwarn.decisions import iso_utc, moment_from_iso

__all__ = ["Alarm", "decay_alarms"]

Account = Mapping[str, Any]
NO_SKILL: Final = 0.5
SLOPE_FROM, SLOPE_TO = 0.8, 1.2
MANY_INPUTS_WARN, MANY_INPUTS_ACT = 0.10, 0.25
"""Shares of the inputs that drifted far; in no calm month were it more than 2 %."""
MISSING_RISEN: Final = 0.2
OLD_WARN, OLD_ACT = timedelta(days=2), timedelta(days=7)
IN_ALARM_WARN, IN_ALARM_ACT = 0.10, 0.20
"""Shares of time at T2 or higher: twice and four times the 5 % that alarms are budgeted at."""
_WINDOW: Final = "90d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something in the ledger that a person should look at.

    Attributes
    ----------
    rule : {"skill", "calibration", "drift", "missing", "unsettled", "false alarms"}
    subject : str
        What it is about: a symbol and side, a side, a feature, or the panel.
    severity : {"warn", "act"}
    since : str
        When it was first raised, ISO 8601 in UTC.
    text : str
        A sentence with the figures.
    """

    rule: str
    subject: str
    severity: str
    since: str
    text: str

    def to_dict(self) -> dict[str, str]:
        """The same as plain data."""
        return asdict(self)


def decay_alarms(
    account: Account, *, before: Iterable[Mapping[str, str]] = (), now: datetime | None = None
) -> tuple[Alarm, ...]:
    """What is wrong by an account, in the order of its rules.

    Parameters
    ----------
    account : mapping
        Schema ``liqwarn.ledger/1``; null where a figure is not known, and what is not known raises
        no alarm.
    before : iterable of mapping
        Alarms raised earlier: one that stands still keeps its ``since``.
    now : datetime or None
        When the account is read; None for when it was made.
    """
    moment = moment_from_iso(account["generated_at"], "generated_at") if now is None else now
    rules = (_skill, _calibration, _drift, _missing, _false_alarms)
    found = [alarm for rule in rules for alarm in rule(account)]
    found += _unsettled(account, moment)
    since = {(str(one["rule"]), str(one["subject"])): str(one["since"]) for one in before}
    stamp = iso_utc(moment)
    return tuple(replace(a, since=since.get((a.rule, a.subject), stamp)) for a in found)


def _alarm(rule: str, subject: str, severity: str, text: str) -> Alarm:
    return Alarm(rule=rule, subject=subject, severity=severity, since="", text=text)


def _rows(account: Account, window: str) -> Iterator[Mapping[str, Any]]:
    """Skill of the champion's flags; of all while there is none."""
    champion = account.get("champion")
    model = "any" if champion is None else champion["version"]
    for row in account["skill"]:
        if row["window"] == window and row["model"] == model:
            yield row


def _skill(account: Account) -> Iterator[Alarm]:
    expected = _expected(account)
    for row in _rows(account, _WINDOW):
        roc, subject = row["roc_auc"], f"{row['scope']} {row['side']}"
        if roc["high"] is None:
            continue
        told = (
            f"ROC-AUC of the last 90 days is {roc['value']:.3f} [{roc['low']:.3f}, "
            f"{roc['high']:.3f}] on {row['onsets']} onsets"
        )
        floor = expected.get(row["side"])
        if roc["high"] < NO_SKILL:
            yield _alarm("skill", subject, "act", f"{told}: worse than guessing, {NO_SKILL}")
        elif row["scope"] == "all" and floor is not None and roc["high"] < floor:
            text = f"{told}: below what the champion showed before, {floor:.3f} at least"
            yield _alarm("skill", subject, "warn", text)


def _expected(account: Account) -> dict[str, float]:
    """Lower end of ROC-AUC, by side, that the champion showed on bars it had not seen."""
    champion = account.get("champion") or {}
    shown = champion.get("shown") or ()
    return {row["side"]: row["low"] for row in shown if row["low"] is not None}


def _calibration(account: Account) -> Iterator[Alarm]:
    for row in account["drift"]["calibration"]:
        if row["grade"] != "large":
            continue
        slope = f"slope {row['slope']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        rate = f"{row['expected']:.2%} expected, {row['observed']:.2%} observed"
        text = f"calibration is off: {slope}, expected {SLOPE_FROM} to {SLOPE_TO}; {rate}"
        yield _alarm("calibration", row["side"], "act", text)


def _drift(account: Account) -> Iterator[Alarm]:
    graded = [row for row in account["drift"]["inputs"] if row["grade"] != "unknown"]
    far = [row for row in graded if row["grade"] == "large"]
    share = len(far) / len(graded) if graded else 0.0
    if share >= MANY_INPUTS_WARN:
        worst = ", ".join(r["feature"] for r in sorted(far, key=lambda r: -r["psi"])[:5])
        severity = "act" if share >= MANY_INPUTS_ACT else "warn"
        text = f"{len(far)} of {len(graded)} inputs drifted far, most of all {worst}"
        yield _alarm("drift", "inputs", severity, text)
    for row in account["drift"]["scores"]:
        if row["grade"] == "large":
            text = f"scores drifted far from those of training: PSI {row['psi']:.2f}"
            yield _alarm("drift", f"scores {row['side']}", "warn", text)


def _missing(account: Account) -> Iterator[Alarm]:
    risen = [
        row
        for row in account["drift"]["inputs"]
        if None not in (row["missing_reference"], row["missing_recent"])
        and row["missing_recent"] - row["missing_reference"] > MISSING_RISEN
    ]
    if risen:
        worst = sorted(risen, key=lambda r: r["missing_reference"] - r["missing_recent"])[:5]
        named = ", ".join(
            f"{r['feature']} ({r['missing_reference']:.0%} to {r['missing_recent']:.0%})"
            for r in worst
        )
        text = f"{len(risen)} inputs are missing far more often than in training: {named}"
        yield _alarm("missing", "inputs", "warn", text)


def _false_alarms(account: Account) -> Iterator[Alarm]:
    for row in _rows(account, "30d"):
        share = row["time_in_alarm"]
        if row["scope"] != "all" or share is None or share <= IN_ALARM_WARN:
            continue
        severity = "act" if share > IN_ALARM_ACT else "warn"
        text = (
            f"{share:.0%} of the last 30 days at T2 or higher, expected {IN_ALARM_WARN:.0%} at "
            f"most; {row['false_alarms_per_week']:.1f} false alarms per symbol and week"
        )
        yield _alarm("false alarms", row["side"], severity, text)


def _unsettled(account: Account, now: datetime) -> Iterator[Alarm]:
    last = moment_from_iso(account["as_of"], "as_of")
    age = now - last
    if age > OLD_WARN:
        severity = "act" if age > OLD_ACT else "warn"
        text = (
            f"nothing was settled after {last:%Y-%m-%d %H:%M} UTC, {age / timedelta(days=1):.1f} "
            f"days ago, expected {OLD_WARN.days} at most"
        )
        yield _alarm("unsettled", "panel", severity, text)
