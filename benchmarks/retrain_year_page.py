"""docs/retrain-year.md, from what ``retrain_year.py`` measured."""

from collections.abc import Iterator, Mapping
from typing import Any

HEAD = """# A year of weekly retrains

Simulated market, four symbols, hourly bars. Written by `make year`, nowhere by hand.
Every week the data grows by seven days, the champion in force scores them, the ledger settles what
became known, and `liqwarn retrain`'s chain decides, under the simulation's clock.
The trees are fewer and faster than the defaults: the year is about the chain, not about skill.
The flags are scored a week at a time, so the ledger counts them as replayed; all are out of sample.
"""


def page(found: Mapping[str, Any]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_summary(found), "", *_table(found["weeks"]), ""])


def _summary(found: Mapping[str, Any]) -> Iterator[str]:
    weeks = found["weeks"]
    counts = dict.fromkeys(("first", "promoted", "kept", "stopped", "missed"), 0)
    for row in weeks:
        counts[row["action"]] = counts.get(row["action"], 0) + 1
    told = ", ".join(f"{n} {action}" for action, n in counts.items() if n)
    busy = [row["seconds"] for row in weeks if row["seconds"]]
    yield (
        f"{len(weeks)} weeks in {found['seconds'] / 60:.0f} minutes of one process, seed "
        f"{found['seed']}: {told}. A week took {sorted(busy)[len(busy) // 2]:.0f} s in the median."
    )
    yield ""
    yield from _drift_seen(found)
    drill = found["rollback"]
    if drill is None:
        yield "There was no rollback drill in so few weeks."
    else:
        back, forth = drill["rollback"], drill["promote"]
        yield (
            f"Rollback drill after week {drill['week']}{drill['by_hand']}: from version "
            f"{drill['was']} to {back['champion']} in {back['seconds']:.1f} s, and forward again "
            f"in {forth['seconds']:.1f} s, both in the history; imports not counted."
        )


def _drift_seen(found: Mapping[str, Any]) -> Iterator[str]:
    turn = found["plan"]["turn"]
    before = [
        row["drift"]["large"] for row in found["weeks"] if "drift" in row and row["week"] <= turn
    ]
    after = [row for row in found["weeks"] if "drift" in row and row["week"] > turn]
    usual = max(before, default=0)
    seen = next((row for row in after if row["drift"]["large"] > usual), None)
    if seen is None:
        yield (
            f"Traders took up leverage in week {turn}; drift of inputs never passed that of the "
            "weeks before."
        )
    else:
        yield (
            f"Traders took up leverage in week {turn}. Drift of inputs passed the most of the "
            f"weeks before ({usual} features graded large) in week {seen['week']}, with "
            f"{seen['drift']['large']} features."
        )
    moved = [row for row in found["weeks"] if row["action"] == "promoted"]
    late = [row for row in moved if row["week"] > turn]
    if late:
        yield f"The first challenger promoted after it was that of week {late[0]['week']}."
    else:
        yield "No challenger was promoted after it."


def _table(weeks: list[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "| week | ends | planted | in force | features drifted: large, moderate | ledger, 90 days: "
        "ROC-AUC long, short | alarms | decision | champion | why | s |"
    )
    yield "|---:|---|---|---|---|---|---|---|---|---|---:|"
    for row in weeks:
        drift = row.get("drift")
        cells = [
            str(row["week"]),
            row["at"],
            "; ".join(row["events"]),
            row.get("before") or "",
            f"{drift['large']}, {drift['moderate']}" if drift else "",
            ", ".join(_roc(row, side) for side in ("long", "short")) if "skill" in row else "",
            "; ".join(row.get("alarms", [])),
            row["action"],
            str(row.get("champion", "")),
            _why(row["reasons"]),
            f"{row['seconds']:.0f}",
        ]
        yield "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _roc(row: Mapping[str, Any], side: str) -> str:
    found = next((one for one in row["skill"] if one["side"] == side), None)
    roc = None if found is None else found["roc_auc"]["value"]
    return "–" if roc is None else f"{roc:.2f}"


def _why(reasons: list[str]) -> str:
    if not reasons:
        return ""
    more = len(reasons) - 1
    return reasons[0] + (f" (and {more} more)" if more else "")
