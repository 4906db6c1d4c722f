"""Reading a ledger's account: its rows in a fixed order, whatever is missing.

The account is the document of schema ``liqwarn.ledger/1`` that settling a ledger writes. A part
that is missing, or is not of the kind it should be, counts as empty.
"""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.frames import SIDES
from liqwarn.reports.evaluation_text import estimate, rate
from liqwarn.reports.formats import DASH, finite, number, utc
from liqwarn.reports.results import PRIMARY_H

__all__ = [
    "ALARM",
    "EVERY",
    "FEW_ONSETS",
    "SCHEMA",
    "SPANS",
    "WINDOWS",
    "alarm_rows",
    "caught_text",
    "champion_text",
    "count_of",
    "counts_sentence",
    "drift_rows",
    "ends_of",
    "few_outcomes",
    "figure",
    "list_of",
    "miss_rows",
    "no_miss_text",
    "part_of",
    "skill_rows",
    "week_rows",
]

SCHEMA: Final = "liqwarn.ledger/1"
EVERY: Final = "all"
"""The scope of all symbols together, and the window of all time."""
WINDOWS: Final[Mapping[str, str]] = {"all": "since the first", "90d": "90 days", "30d": "30 days"}
"""Windows of an account, and how they are called."""
FEW_ONSETS: Final = 30
"""Below so many onsets every figure comes with a warning."""
SPANS: Final = (
    *((name, "skill", window) for window, name in WINDOWS.items()),
    ("issued in time", "timely_skill", EVERY),
)
"""Spans of skill in the order they are shown: name, part of the account, window."""
ALARM: Final = (
    "An alarm is a flag at T2 or higher. An event is caught when an alarm of its symbol and side "
    "stood within the 4 h before its onset; an alarm is false when no onset follows within 4 h. "
    "Alarms less than 2 h apart are one. False alarms are counted per symbol and week."
)
"""What the ledger calls an alarm, and when it was right."""

_GRADES: Final = ("large", "moderate", "unknown", "none")


def part_of(account: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part that is a mapping itself; empty when it is none.

    >>> part_of({"counts": {"issued": 2}}, "counts"), part_of({"champion": None}, "champion")
    ({'issued': 2}, {})
    """
    found = account.get(name)
    return found if isinstance(found, Mapping) else {}


def list_of(account: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The rows of a part; empty when it is no list.

    >>> list_of({"misses": [{"symbol": "A"}, None]}, "misses"), list_of({"misses": 3}, "misses")
    ([{'symbol': 'A'}], [])
    """
    found = account.get(name)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def skill_rows(
    account: Mapping[str, Any], window: str = EVERY, part: str = "skill"
) -> list[Mapping[str, Any]]:
    """Skill at 4 h of every model together: all symbols first, then each; long before short.

    Parameters
    ----------
    window : {"all", "90d", "30d"}
    part : {"skill", "timely_skill"}
        Of all flags, or of those alone that were issued within their validity.

    Examples
    --------
    >>> rows = [{"scope": s, "side": "long", "window": "all"} for s in ("SOL", "all", "BTC")]
    >>> [row["scope"] for row in skill_rows({"skill": rows})]
    ['all', 'BTC', 'SOL']
    """
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in list_of(account, part):
        wanted = row.get("window", EVERY) == window and row.get("model", "any") == "any"
        if wanted and row.get("horizon_h", PRIMARY_H) == PRIMARY_H and row.get("side") in SIDES:
            found.setdefault((str(row.get("scope")), str(row["side"])), row)
    order = sorted(found, key=lambda at: (at[0] != EVERY, at[0], at[1] != SIDES[0]))
    return [found[at] for at in order]


def drift_rows(account: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    """Rows of ``inputs``, ``scores`` or ``calibration``, the worst grade and largest PSI first.

    >>> rows = [{"feature": "a", "psi": 0.3, "grade": "large"}, {"feature": "b", "grade": "none"},
    ...         {"feature": "c", "psi": 0.9, "grade": "large"}]
    >>> [row["feature"] for row in drift_rows({"drift": {"inputs": rows}}, "inputs")]
    ['c', 'a', 'b']
    """
    drift = part_of(account, "drift")
    rows = list_of(drift, part)

    def badness(row: Mapping[str, Any]) -> tuple[int, float, str]:
        grade, psi = row.get("grade"), finite(row.get("psi"))
        place = _GRADES.index(grade) if grade in _GRADES else _GRADES.index("unknown")
        return place, 0.0 if psi is None else -psi, str(row.get("feature", row.get("side", "")))

    return sorted(rows, key=badness)


def alarm_rows(account: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Alarms, those to act on first, then the oldest.

    >>> alarm_rows({"alarms": [{"severity": "warn"}, {"severity": "act"}]})
    [{'severity': 'act'}, {'severity': 'warn'}]
    """
    rows = list_of(account, "alarms")
    return sorted(rows, key=lambda row: (row.get("severity") != "act", str(row.get("since", ""))))


def miss_rows(account: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every missed event, and every one that no flag stood before, the newest first.

    >>> miss_rows({"uncovered": [{"symbol": "A"}]})
    [{'tier': 'no flag', 'symbol': 'A'}]
    """
    uncovered = [{"tier": "no flag", **row} for row in list_of(account, "uncovered")]
    rows = [*list_of(account, "misses"), *uncovered]
    return sorted(rows, key=lambda row: str(row.get("onset", "")), reverse=True)


def no_miss_text(account: Mapping[str, Any]) -> str:
    """What to say where no miss is listed: no event is not the same as none missed.

    >>> no_miss_text({})
    'No event yet, so none missed.'
    """
    events = [finite(part_of(row, "recall").get("events")) for row in skill_rows(account)]
    return "No event was missed." if any(events) else "No event yet, so none missed."


def week_rows(account: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Rows of the weekly series, the oldest week first, long before short.

    >>> rows = [{"week": "2025-06-09", "side": "long"}, {"week": "2025-06-02", "side": "short"},
    ...         {"week": "2025-06-02", "side": "long"}, {}]
    >>> [(row["week"][8:], row["side"]) for row in week_rows({"weekly": rows})]
    [('02', 'long'), ('02', 'short'), ('09', 'long')]
    """
    rows = [row for row in list_of(account, "weekly") if isinstance(row.get("week"), str)]
    told = [row for row in rows if row.get("side") in SIDES]
    return sorted(told, key=lambda row: (row["week"], row["side"] != SIDES[0]))


def ends_of(found: object) -> list[object]:
    """Both ends of a figure's interval, as :func:`liqwarn.reports.formats.interval` takes them.

    >>> ends_of({"value": 0.2, "low": 0.1, "high": 0.3}), ends_of(None)
    ([0.1, 0.3], [])
    """
    return [found.get("low"), found.get("high")] if isinstance(found, Mapping) else []


def figure(found: object, digits: int = 3) -> str:
    """A figure with its interval.

    >>> figure({"value": 0.21, "low": 0.104, "high": 0.33}, 2), figure(None)
    ('0.21 [0.10, 0.33]', '–')
    """
    value = found.get("value") if isinstance(found, Mapping) else None
    return estimate(value, ends_of(found), digits)


def caught_text(row: Mapping[str, Any]) -> str:
    """How many events were caught, of how many, as a share with its interval.

    >>> caught_text({"recall": {"value": 0.75, "low": 0.4, "high": 0.9, "caught": 3, "events": 4}})
    '3 of 4: 75 % [40, 90]'
    >>> few = {"value": None, "caught": 2, "events": 6}
    >>> caught_text({"recall": few}), caught_text({"recall": {"caught": 0, "events": 0}})
    ('2 of 6', 'no event')
    """
    found = part_of(row, "recall")
    caught, events = finite(found.get("caught")), finite(found.get("events"))
    if caught is None or events is None:
        return rate(found.get("value"), ends_of(found))
    if events == 0:
        return "no event"
    counted = f"{caught:,.0f} of {events:,.0f}"
    if finite(found.get("value")) is None:
        return counted
    return f"{counted}: {rate(found.get('value'), ends_of(found))}"


def champion_text(account: Mapping[str, Any]) -> str:
    """Which champion was in force when the ledger was settled, and since when if that is known.

    >>> champion_text({"champion": {"version": "7", "since": "2025-08-01T03:00:00Z"}})
    'Champion: version 7 since 2025-08-01 03:00.'
    >>> champion_text({"champion": {"version": "7", "since": None}}), champion_text({})
    ('Champion: version 7.', 'Champion: none.')
    """
    champion = part_of(account, "champion")
    if not champion.get("version"):
        return "Champion: none."
    since = utc(champion.get("since"))
    return f"Champion: version {champion['version']}{'' if since == DASH else f' since {since}'}."


def count_of(account: Mapping[str, Any], name: str) -> str:
    """One of the counts, as text.

    >>> count_of({"counts": {"issued": 12345}}, "issued"), count_of({}, "issued")
    ('12,345', '–')
    """
    return number(part_of(account, "counts").get(name), 0)


def counts_sentence(account: Mapping[str, Any]) -> str:
    """How many flags there are, what is known of them, and what counts for skill.

    >>> counts = {"issued": 9, "known": 4, "running": 1, "pending": 3, "unknown": 1}
    >>> counts_sentence({"counts": counts | {"replayed": 2, "in_sample": 1}})[:66]
    '9 flag sides issued: 4 with a known outcome, 1 while a cascade was'
    """
    names = "issued known running pending unknown replayed in_sample changed revised"
    told = {name: count_of(account, name) for name in names.split()}
    return (
        f"{told['issued']} flag sides issued: {told['known']} with a known outcome, "
        f"{told['running']} while a cascade was running, {told['pending']} pending, "
        f"{told['unknown']} unknown. {told['in_sample']} are of bars the model was trained on and "
        f"count for no skill. {told['replayed']} were issued after their time (replayed): skill of "
        f"those in time is told apart. {told['changed']} flags came again otherwise and "
        f"{told['revised']} outcomes were revised: the first counts."
        f"{_uncovered(account)}"
    )


def _uncovered(account: Mapping[str, Any]) -> str:
    """How many onsets nobody was warned of for want of a flag; empty for none."""
    if not finite(part_of(account, "counts").get("uncovered")):
        return ""
    return (
        f" {count_of(account, 'uncovered')} onsets came while no flag issued in time stood in the "
        "4 h before, as when a server is down: they are listed as missed (no flag), and no figure "
        "of skill holds them."
    )


def few_outcomes(rows: list[Mapping[str, Any]]) -> str:
    """What must be said when outcomes are too few to lean on; empty when they are enough.

    Parameters
    ----------
    rows : list
        Skill of all symbols together, a row a side.

    Examples
    --------
    >>> few_outcomes([{"scope": "all", "side": "long", "rows": 400, "onsets": 12}])
    'Long: only 12 onsets, too few to lean on (fewer than 30).'
    >>> few_outcomes([{"scope": "all", "side": "long", "rows": 400, "onsets": 1}])
    'Long: only 1 onset, too few to lean on (fewer than 30).'
    >>> few_outcomes([])
    'No outcome is known yet: nothing can be said of the skill of these flags.'
    """
    sides = [row for row in rows if row.get("scope", EVERY) == EVERY]
    known = {str(row.get("side")): finite(row.get("onsets")) or 0.0 for row in sides}
    if not any(finite(row.get("rows")) for row in sides):
        return "No outcome is known yet: nothing can be said of the skill of these flags."
    return " ".join(
        f"{side.capitalize()}: only {n:,.0f} onset{'s' * (n != 1)}, too few to lean on (fewer than "
        f"{FEW_ONSETS})."
        if n
        else f"{side.capitalize()}: no onset yet, so ranking and recall cannot be measured."
        for side, n in known.items()
        if n < FEW_ONSETS
    )
