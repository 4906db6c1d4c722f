"""A venue's tape folded into tables by day, and what the next run needs to go on.

The state at a moment depends on the tape alone, and an hour's minutes on the records from an hour
before it to an hour after it. So a run that goes on at an hour, with the carry of an hour before
it, writes the same rows as one that reads the whole tape.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from liqwarn.collectors.coverage import (
    MINUTE_MS,
    PAUSE_MS,
    SETTLE_MS,
    Listening,
    covered_seconds,
    joined_spans,
)
from liqwarn.collectors.coverage_symbols import Collected, shared_spans
from liqwarn.collectors.minutes import ASTRAY_MS, GRACE_MS, Minute, MinuteTally
from liqwarn.collectors.tape_tables_reading import TapeReading
from liqwarn.collectors.tape_tables_rows import Listened, symbol_tables
from liqwarn.collectors.taped import Taped

__all__ = ["DAY_MS", "HOUR_MS", "DayTables", "TapeFold", "carry_from_json"]

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000

DayTables = Mapping[tuple[str, str], pd.DataFrame]
"""Symbol and name of a table to the table."""

Carry = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class TapeFold:
    """Reads records in their order; tables of a day can be had at any time. One owner.

    Parameters
    ----------
    reading : TapeReading
    lines : mapping of symbol to mapping of line to frozenset of str
        Which lines carry its liquidations, in which topics.
    first_hour : int or None
        Hours before it, since the epoch, are left out; None begins with the day of the first
        record.
    listening : Listening
        As it was before the first record.
    collected : Collected
        The same.
    """

    reading: TapeReading
    lines: Mapping[str, Mapping[str, frozenset[str]]]
    first_hour: int | None = None
    listening: Listening = field(default_factory=Listening)
    collected: Collected = field(default_factory=Collected)
    tally: MinuteTally = field(default_factory=MinuteTally)
    days: set[int] = field(default_factory=set)
    hours: dict[int, Carry] = field(default_factory=dict)
    proof_ms: dict[int, int] = field(default_factory=dict)

    def take(self, record: Taped) -> None:
        """Take the next record."""
        self._begin_hours(record.seen_ms)
        replaced = bool(self.listening.replaced)  # a lone line is closed and opened at once
        if record.what == "opened" and not (self.listening.open or replaced):
            self.collected.begun_anew(self.listening.last_ms or record.seen_ms)
        said = self.reading.read(record)
        self.collected.named({told.symbol for told in said.happenings}, record.seen_ms)
        self.listening.take(record, unread=said.unread)
        self.tally.take(said.happenings, record.seen_ms)
        self._prove(record.seen_ms)

    def finished_days(self) -> list[int]:
        """Days about which nothing more can be said."""
        last = self.listening.last_ms
        until = -1 if last is None else (last - ASTRAY_MS) // DAY_MS
        return sorted(day for day in self.days if day < until)

    def running_days(self) -> list[int]:
        """Days that have begun and may still change."""
        last = self.listening.last_ms
        begun = -1 if last is None else last // DAY_MS
        finished = set(self.finished_days())
        return sorted(day for day in self.days if day <= begun and day not in finished)

    def tables(self, day: int) -> DayTables:
        """The tables of a day, of the minutes that have been over for the grace.

        They begin with `first_hour` when that is in the day.
        """
        begin_ms = max(day * DAY_MS, (self.first_hour or 0) * HOUR_MS)
        end_ms = min((day + 1) * DAY_MS, (self.listening.last_ms or 0) - GRACE_MS)
        first = begin_ms // MINUTE_MS
        n_minutes = max(0, end_ms // MINUTE_MS - first)
        return {
            (symbol, name): table
            for symbol, lines in self.lines.items()
            for name, table in self._of_symbol(symbol, lines, first, n_minutes).items()
        }

    def forget(self, day: int) -> None:
        """Drop a day whose tables are written and finished, and all before it."""
        self.first_hour = (day + 1) * DAY_MS // HOUR_MS
        self.days = {d for d in self.days if d > day}
        self.hours = {hour: carry for hour, carry in self.hours.items() if hour >= self.first_hour}
        minute = (day + 1) * DAY_MS // MINUTE_MS
        self.tally.forget_before(minute)
        self.listening.forget_before(minute * MINUTE_MS)
        self.collected.forget_before(minute * MINUTE_MS)
        for number in [n for n in self.proof_ms if n < minute]:
            del self.proof_ms[number]

    def said_until(self) -> int:
        """The hour before which nothing more can be said."""
        return max(self.first_hour or 0, ((self.listening.last_ms or 0) - ASTRAY_MS) // HOUR_MS)

    def carry(self, until: int) -> tuple[int, Carry]:
        """The last known hour not after one, and what a run that goes on there needs, as JSON."""
        known = [hour for hour in self.hours if hour <= until]
        if known:
            return max(known), self.hours[max(known)]
        return until, self.hours[min(self.hours)]  # nothing was seen in between

    def _begin_hours(self, seen_ms: int) -> None:
        if self.first_hour is None:
            self.first_hour = seen_ms // DAY_MS * (DAY_MS // HOUR_MS)
        for at_ms in (seen_ms, seen_ms + ASTRAY_MS):
            hour, day = at_ms // HOUR_MS, at_ms // DAY_MS
            if hour >= self.first_hour:
                self.days.add(day)
                if hour not in self.hours:
                    self.hours[hour] = self._state()

    def _prove(self, seen_ms: int) -> None:
        over = (seen_ms - SETTLE_MS) // MINUTE_MS - 1
        for minute in range(over, over - PAUSE_MS // MINUTE_MS - 2, -1):
            if minute in self.proof_ms:
                break
            self.proof_ms[minute] = seen_ms

    def _of_symbol(
        self, symbol: str, lines: Mapping[str, frozenset[str]], first: int, n_minutes: int
    ) -> dict[str, pd.DataFrame]:
        spans = joined_spans(
            span for line, topics in lines.items() for span in self.listening.spans(line, topics)
        )
        spans = shared_spans(spans, self.collected.spans(symbol, self.listening.last_ms or 0))
        minutes: dict[int, Minute] = {}
        for number in range(first, first + n_minutes):
            found = self.tally.minutes.get((symbol, number))
            if found is not None:
                minutes[number] = found
        listened = Listened(
            first=first,
            covered_s=covered_seconds(spans, first * MINUTE_MS, n_minutes),
            proof_ms=self.proof_ms,
            capped_feed=self.reading.venue.completeness.grade == "one a second",
        )
        return symbol_tables(minutes, listened)

    def _state(self) -> Carry:
        once = [
            [record.seen_ms, record.line, b64encode(record.content).decode()]
            for record in self.reading.once.values()
        ]
        since = dict(self.collected.since)
        return {"listening": self.listening.state(), "since": since, "once": once}


def carry_from_json(carry: Mapping[str, Any]) -> tuple[Listening, Collected, dict[str, Taped]]:
    """The way back from :meth:`TapeFold.carry`: lines, symbols, and the replies to know before.

    Examples
    --------
    >>> lines = {"open": {"market": 5}, "heard": {}, "muted": {}, "refused": {}, "last_ms": 9}
    >>> carry = {"listening": lines, "since": {"X": 5}, "once": [[3, "rules", "e30="]]}
    >>> listening, collected, once = carry_from_json(carry)
    >>> listening.spans("market"), collected.spans("X", 9), once["rules"].content
    ([(5, 9)], [(5, 9)], b'{}')
    """
    state = deepcopy(dict(carry["listening"]))
    state["refused"] = {line: (a, b) for line, (a, b) in state["refused"].items()}
    once = {
        line: Taped(seen_ms=seen_ms, line=line, what="frame", content=b64decode(content))
        for seen_ms, line, content in carry["once"]
    }
    return Listening(**state), Collected(since=dict(carry["since"])), once
