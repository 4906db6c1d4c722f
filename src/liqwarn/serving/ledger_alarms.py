"""Alarms of the ledger that are to be acted on: told once when they come, once when they go.

Pure: an account in, alerts out. What was told is a value that can be kept over a restart.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from liqwarn.reports.ledger_rows import alarm_rows
from liqwarn.serving.alert_events import Alert

__all__ = ["AlarmNews"]

_MOST_NAMED: Final = 8
_LONGEST: Final = 300
Subject = tuple[str, str]


class AlarmNews:
    """What changed among the alarms of severity ``act`` since the account before.

    Parameters
    ----------
    told : iterable of (rule, subject)
        Alarms that stand and were told earlier.

    Examples
    --------
    >>> news = AlarmNews()
    >>> alarm = {"rule": "skill", "subject": "all long", "severity": "act", "text": "worse"}
    >>> [alert.title for alert in news.see({"alarms": [alarm]})]
    ['Ledger: skill of all long']
    >>> news.see({"alarms": [alarm]}), [alert.title for alert in news.see({"alarms": []})]
    ([], ['Over: skill of all long'])
    """

    def __init__(self, told: Iterable[Subject] = ()) -> None:
        self.told: frozenset[Subject] = frozenset(told)

    def see(self, account: Mapping[str, Any]) -> list[Alert]:
        """At most one alert of what came and one of what went, in the order of the account."""
        texts = {
            (str(row.get("rule")), str(row.get("subject"))): str(row.get("text"))[:_LONGEST]
            for row in alarm_rows(account)
            if row.get("severity") == "act"
        }
        come = [subject for subject in texts if subject not in self.told]
        gone = sorted(self.told - texts.keys())
        self.told = frozenset(texts)
        market = _market(account)
        out = []
        if come:
            lines = [f"{_named([subject])}: {texts[subject]}" for subject in come[:_MOST_NAMED]]
            more = len(come) - len(lines)
            lines += [f"and {more} more"] if more else []
            text = "\n".join([*lines, "What to do: docs/runbook.md.", market])
            title = f"Ledger: {_named(come, most=1)}"
            out.append(Alert(kind="ledger", severity="warning", title=title, text=text))
        if gone:
            text = f"{_named(gone)}\n{market}"
            title = f"Over: {_named(gone, most=1)}"
            out.append(Alert(kind="recovered", severity="info", title=title, text=text))
        return out


def _named(subjects: list[Subject], most: int = _MOST_NAMED) -> str:
    names = [f"{rule} of {subject}"[:_LONGEST] for rule, subject in subjects[:most]]
    more = f" and {len(subjects) - most} more" if len(subjects) > most else ""
    return ", ".join(names) + more


def _market(account: Mapping[str, Any]) -> str:
    found = account.get("market")
    return "Market: real." if found == "real" else "This market is SIMULATED."
