"""What a ledger says as of now: the document ``account.json``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn.decisions import MAX_LIFE, iso_utc
from liqwarn.frames import SIDES, BoolArray
from liqwarn.models.events import Event
from liqwarn.models.live_skill import LiveRows, pooled_skill, skill_table
from liqwarn.models.live_weeks import missed_events, weekly_table
from liqwarn.pipelines.ledger_outcomes import Cells, events_of, known_until, uncovered_events
from liqwarn.pipelines.ledger_state import KEY, Ledger, Told
from liqwarn.pipelines.study import Study

__all__ = ["Firsts", "first_flags", "measures"]

_CLOCKS: Final = timedelta(minutes=5)
_ORDER: Final = ("late", "issued_at", "model", "sequence", "tier", "p_4h", "part")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Firsts:
    """The first flag of every symbol, bar and side, and what became of it.

    Attributes
    ----------
    table : DataFrame
        Flags with ``settled`` (whether an outcome is recorded), ``y`` (the first one recorded) and
        ``last`` (the one recorded last); NaN in both where a cascade was running.
    changed : int
        Flags of the same cells that came after the first.
    """

    table: pd.DataFrame
    changed: int


def first_flags(ledger: Ledger) -> Firsts:
    """The flag that counts: of those that came before their outcome the one issued first.

    A flag that reaches the ledger when the outcome is recorded already does not take the place of
    one that was there.
    """
    flags, outcomes = ledger.flags, ledger.outcomes
    keys = list(KEY)
    first = outcomes.drop_duplicates(keys, keep="first")[[*keys, "y", "part"]]
    final = outcomes.drop_duplicates(keys, keep="last")[[*keys, "y"]].rename(columns={"y": "last"})
    known = first.rename(columns={"part": "settled_part"}).merge(final, on=keys, how="left")
    table = flags.merge(known, on=keys, how="left")
    table["settled"] = table["settled_part"].notna()
    twice = table.duplicated(keys, keep=False)
    late = table["part"] > table["settled_part"].fillna(np.inf)
    several = table[twice].assign(late=late[twice]).sort_values([*keys, *_ORDER], kind="stable")
    several = several.drop_duplicates(keys, keep="first").drop(columns="late")
    chosen = pd.concat([table[~twice], several], ignore_index=True)
    return Firsts(table=chosen, changed=len(flags) - len(chosen))


def measures(study: Study, ledger: Ledger, firsts: Firsts, *, now: datetime) -> dict[str, Any]:
    """Counts, skill, weeks and misses."""
    table = firsts.table
    timely = _in_time(table)
    unseen = _unseen(table, ledger.models, timely)
    events = events_of(ledger.events)
    uncovered = list(grown(list(uncovered_events(table[timely], events)), study.events))
    rows = _live_rows(study.labels.bar, table, unseen, timely)
    as_of = pd.Timestamp(known_until(study, now)).tz_localize("UTC").to_pydatetime()
    skill = list(skill_table(rows, events, as_of))
    return {
        "as_of": iso_utc(as_of),
        "counts": _counts(study, ledger, firsts, (unseen, timely), now)
        | {"uncovered": len(uncovered)},
        "skill": skill,
        "timely_skill": skill
        if rows.timely.all()
        else list(skill_table(rows.take(rows.timely), events, as_of)),
        "pooled": list(pooled_skill(rows)),
        "weekly": list(weekly_table(rows, events)),
        "misses": list(missed_events(rows, grown(events, study.events))),
        "uncovered": [
            {
                "symbol": event.symbol,
                "side": event.side,
                "onset": iso_utc(event.onset),
                "severity": severity,
            }
            for event, severity in uncovered
        ],
    }


def _in_time(table: pd.DataFrame) -> BoolArray:
    """Whether a flag was issued within its validity, as far as that can be.

    No flag is issued before its bar, but for two clocks that differ, and none is valid for longer
    than any may be: a clock that was wrong, or a file that was made, proves nothing.
    """
    issued, as_of = table["issued_at"], table["as_of"]
    found = (issued <= table["valid_until"]) & (issued <= as_of + MAX_LIFE)
    return np.asarray(found & (issued >= as_of - _CLOCKS), dtype=bool)


def _unseen(table: pd.DataFrame, models: Mapping[str, Told], timely: BoolArray) -> BoolArray:
    """Whether a flag's model cannot have known anything of its bar.

    Where its training is not known, only a flag that was issued in time proves it.
    """
    until = _trained(table, models)
    return np.asarray(np.where(until.notna(), table["as_of"] > until, timely), dtype=bool)


def _trained(table: pd.DataFrame, models: Mapping[str, Told]) -> "pd.Series[Any]":
    """Until when a flag's model knew outcomes, by what was told before the flag was taken in.

    What is told later of the same version, as of another registry's, is not of that flag's model,
    and history stays as it was; without anything before, the first that is told counts.
    """
    until = pd.Series(pd.NaT, index=table.index, dtype="datetime64[us, UTC]")
    for version, told in models.items():
        of_model = table["model"] == version
        until[of_model] = pd.Timestamp(told[0][1])
        for line, moment in told[1:]:
            later = of_model & (table["part"] > line) & (until < moment)
            until[later] = pd.Timestamp(moment)
    return until


def _live_rows(
    bar: timedelta, table: pd.DataFrame, unseen: BoolArray, timely: BoolArray
) -> LiveRows:
    chosen = unseen & table["y"].notna().to_numpy()
    part = table[chosen]
    tier = part["tier"].str.slice(1).to_numpy(dtype=np.int64)
    return LiveRows(
        bar=bar,
        symbols=part["symbol"].to_numpy().astype(np.str_),
        times=part["as_of"].dt.tz_localize(None).to_numpy().astype("datetime64[s]"),
        sides=pd.Index(SIDES).get_indexer(pd.Index(part["side"])).astype(np.int64),
        models=part["model"].to_numpy().astype(np.str_),
        p=part["p_4h"].to_numpy(dtype=np.float64),
        y=part["y"].to_numpy(dtype=np.float64),
        tier=tier,
        timely=timely[chosen],
    )


def _counts(
    study: Study, ledger: Ledger, firsts: Firsts, seen: tuple[BoolArray, BoolArray], now: datetime
) -> dict[str, int]:
    """How many flags; issued = known + running + pending + unknown."""
    unseen, timely = seen
    table = firsts.table
    cells = Cells.of(study, table)
    until = known_until(study, now)
    over = np.zeros(len(table), dtype=bool)
    h = study.labels.horizons_h.index(4)
    over[cells.inside] = study.labels.end[cells.bar[cells.inside], h] <= until
    lost = ~cells.inside & (table["as_of"].dt.tz_localize(None).to_numpy() <= until)
    settled = table["settled"].to_numpy()
    known = settled & table["y"].notna().to_numpy()
    return {
        "issued": len(table),
        "known": int(known.sum()),
        "running": int((settled & ~known).sum()),
        "pending": int((~settled & ~over & ~lost).sum()),
        "unknown": int((~settled & (over | lost)).sum()),
        "replayed": int((unseen & ~timely).sum()),
        "in_sample": int((~unseen).sum()),
        "changed": firsts.changed,
        "revised": _revised(study, ledger),
    }


def _revised(study: Study, ledger: Ledger) -> int:
    """Outcomes recorded again otherwise, and recorded onsets that are none any more."""
    again = len(ledger.outcomes) - len(ledger.outcomes.drop_duplicates(list(KEY)))
    now = {(e.symbol, e.side, e.onset) for e in study.events}
    first = pd.Timestamp(study.labels.times[0]).tz_localize("UTC")
    gone = [e for e in events_of(ledger.events)
            if e.onset > first and (e.symbol, e.side, e.onset) not in now]  # fmt: skip
    return again + len(gone)


def grown(recorded: Sequence[Event], seen: Sequence[Event]) -> Iterator[tuple[Event, float]]:
    """Recorded onsets with their severity: as it was, or as it grew since."""
    worst = {(e.symbol, e.side, e.onset): e.severity for e in seen}
    for event in recorded:
        now = worst.get((event.symbol, event.side, event.onset), event.severity)
        yield event, max(event.severity, now)
