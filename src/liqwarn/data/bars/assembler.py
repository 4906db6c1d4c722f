"""From messages of single symbols to closed columns: in order, each bar once, nothing made up.

A bar is closed when every symbol of the panel has reported it, or at the first tick at which
`patience` has passed since its close; whoever has not reported by then is NaN in it. What comes
afterwards is late and changes nothing, so a column that was handed on is final.

No clock is read here: the moment is passed in, and the same messages at the same moments give the
same columns.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import numpy as np

from liqwarn.data.bars.border import Border
from liqwarn.data.bars.memory import Memory
from liqwarn.data.bars.message import BarColumn, BarMessage, close_seconds
from liqwarn.data.bars.tail import dated_fields
from liqwarn.data.panel import Panel
from liqwarn.errors import DataError
from liqwarn.frames import FloatArray

__all__ = ["MOST_AT_ONCE", "OUTCOMES", "Assembler", "Outcome"]

Outcome = Literal["accepted", "duplicate", "conflict", "late", "future", "unknown", "wrong_bar"]

OUTCOMES: Final[tuple[Outcome, ...]] = (
    "accepted",
    "duplicate",
    "conflict",
    "late",
    "future",
    "unknown",
    "wrong_bar",
)
"""What can become of a message; every one taken has exactly one of these."""

MOST_AT_ONCE: Final = 256
"""Columns of one call at most; after a longer silence call again until none comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenBar:
    """A bar that is not closed: what was said of it, and what may be used, by row of a symbol."""

    said: dict[int, BarMessage]
    values: FloatArray
    ages: FloatArray


class Assembler:
    """Messages in, closed columns out.

    Parameters
    ----------
    panel : Panel
        Whose symbols, fields, bar, staleness caps and border rules hold.
    first : datetime64[s]
        Close of the first bar wanted: the one after the journal's end.
    patience : timedelta
        How long after its close a bar waits for symbols that have not reported.
    look_ahead : int
        Bars after the open one of which messages are kept.
    skew : timedelta
        How far the feed's clock may be ahead of ours; a bar that closes later than that is not
        closed, whatever the message says.
    joined : bool
        Whether the messages are columns of a frame, which was checked against its neighbours and
        joined as of already: nothing is compared or carried again.

    Raises
    ------
    DataError
        When `first` is not on the panel's grid.

    Examples
    --------
    >>> from datetime import UTC
    >>> panel = Panel.model_validate({
    ...     "name": "one", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"], "core": ["close"],
    ...     "sources": [{"name": "klines", "file": "{symbol}.csv",
    ...                  "time": {"column": "t", "unit": "ms", "label": "start", "step": "1h"},
    ...                  "fields": {"close": "c"}}]})
    >>> six = np.datetime64("2024-08-05T06:00:00")
    >>> assembler = Assembler(panel, first=six, patience=timedelta(seconds=20))
    >>> [column] = assembler.take(
    ...     BarMessage(symbol="BTCUSDT", time=six, bar_s=3_600, fields={"close": 50_123.1}),
    ...     datetime(2024, 8, 5, 6, 0, 1, tzinfo=UTC))
    >>> column.time, column.fields["close"], assembler.counts["accepted"]
    (np.datetime64('2024-08-05T06:00:00'), array([50123.1]), 1)
    """

    def __init__(
        self,
        panel: Panel,
        *,
        first: np.datetime64,
        patience: timedelta,
        look_ahead: int = 2,
        skew: timedelta = timedelta(seconds=2),
        joined: bool = False,
    ) -> None:
        self._panel, self._border, self._memory = panel, Border(panel), Memory(panel)
        self._open = close_seconds(first)
        if self._open % panel.bar_s:
            raise DataError(f"first close: found {first}, expected one of {panel.bar} bars")
        self._rows = {symbol: row for row, symbol in enumerate(panel.symbol_names)}
        self._position = {name: k for k, name in enumerate(panel.fields)}
        self._dated = dated_fields(panel)
        self._patience_s, self._skew_s = patience.total_seconds(), skew.total_seconds()
        self._look_ahead, self._joined = look_ahead, joined
        self._bars: dict[int, _OpenBar] = {}
        self._counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._refusals: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """Messages by what became of them; together every message taken."""
        return dict(self._counts)

    @property
    def refusals(self) -> Mapping[str, int]:
        """Values refused at the border, by reason, in messages that were accepted."""
        return dict(self._refusals)

    @property
    def open_close(self) -> np.datetime64:
        """Close of the bar that is handed out next."""
        return np.datetime64(self._open, "s")

    @property
    def waiting(self) -> tuple[str, ...]:
        """Symbols that have not reported that bar."""
        said = self._bar(self._open).said
        return tuple(symbol for symbol, row in self._rows.items() if row not in said)

    @property
    def pending(self) -> tuple[BarMessage, ...]:
        """Messages taken of bars that are not closed: whoever follows this one takes them again."""
        said = [bar.said for _, bar in sorted(self._bars.items())]
        return tuple(message for one in said for message in one.values())

    def remember(self, columns: Iterable[BarColumn]) -> None:
        """Take up what earlier columns, in order, leave to carry; after a restart."""
        for column in columns:
            if close_seconds(column.time) >= self._open:
                raise DataError(
                    f"column {column.time}: expected one before the open bar {self.open_close}"
                )
            self._memory.recall(column)

    def take(self, message: BarMessage, now: datetime) -> list[BarColumn]:
        """Take one message at a moment; the columns that are complete then, in order.

        Patience alone closes nothing here, so that messages which waited for us, after a restart,
        are not late because of us: call :meth:`tick` when nothing more waits. Bars whose patience
        has run out are closed where a later one needs their room.
        """
        columns = self.make_room(message, now)
        outcome = self._outcome(message, now)
        self._counts[outcome] += 1
        if outcome == "accepted":
            self._accept(message)
        while self._complete():
            columns.append(self._closed())
        return columns

    def make_room(self, message: BarMessage, now: datetime) -> list[BarColumn]:
        """Close bars that have waited long enough, as far as a message needs it.

        After a gap of more than :data:`MOST_AT_ONCE` bars call it until nothing comes, before the
        message is taken: what still finds no room is counted as of the future.
        """
        columns: list[BarColumn] = []
        close, moment = close_seconds(message.time), now.timestamp()
        wanted = message.symbol in self._rows and message.bar_s == self._panel.bar_s
        if not wanted or close > moment + self._skew_s:
            return columns
        while close > self._latest() and moment >= self._open + self._patience_s:
            if len(columns) == MOST_AT_ONCE:
                break
            columns.append(self._closed())
        return columns

    def tick(self, now: datetime) -> list[BarColumn]:
        """The columns that are complete, or whose patience has run out; in order."""
        columns: list[BarColumn] = []
        moment = now.timestamp()
        while len(columns) < MOST_AT_ONCE:
            if not self._complete() and moment < self._open + self._patience_s:
                break
            columns.append(self._closed())
        return columns

    def _outcome(self, message: BarMessage, now: datetime) -> Outcome:
        row, close = self._rows.get(message.symbol), close_seconds(message.time)
        if row is None:
            return "unknown"
        if message.bar_s != self._panel.bar_s:
            return "wrong_bar"
        if close < self._open:
            return "late"
        if close > min(now.timestamp() + self._skew_s, self._latest()):
            return "future"
        standing = self._bar(close).said.get(row)
        if standing is None:
            return "accepted"
        return "duplicate" if standing == message else "conflict"

    def _bar(self, close: int) -> _OpenBar:
        if close not in self._bars:
            shape = (len(self._position), len(self._rows))
            values, ages = np.full(shape, np.nan), np.full(shape, np.nan)
            self._bars[close] = _OpenBar(said={}, values=values, ages=ages)
        return self._bars[close]

    def _complete(self) -> bool:
        return len(self._bar(self._open).said) == len(self._rows)

    def _accept(self, message: BarMessage) -> None:
        checked = self._border.check(message)
        self._refusals.update(checked.reasons)
        bar, row = self._bar(close_seconds(message.time)), self._rows[message.symbol]
        bar.said[row] = message
        for name, value in checked.fields.items():
            bar.values[self._position[name], row] = value
            bar.ages[self._position[name], row] = checked.ages[name]

    def _latest(self) -> int:
        return self._open + self._look_ahead * self._panel.bar_s

    def _closed(self) -> BarColumn:
        time, bar = self._open, self._bar(self._open)
        values, ages = bar.values, bar.ages
        del self._bars[time]
        if not self._joined:
            self._refuse_spikes(values, ages)
            spoke = np.zeros(len(self._rows), dtype=np.bool_)
            spoke[list(bar.said)] = True
            self._memory.carry(time, values, ages, spoke)
        self._memory.learn(time, values, ages)
        self._open += self._panel.bar_s
        return self._column(time, values, ages)

    def _refuse_spikes(self, values: FloatArray, ages: FloatArray) -> None:
        names = self._panel.fields
        for k, row in zip(*np.nonzero(self._memory.spikes(self._open, values)), strict=True):
            self._refusals["more than 20x off its neighbours"] += 1
            beside = [self._position[name] for name in self._border.beside(names[k])]
            values[beside, row], ages[beside, row] = np.nan, np.nan

    def _column(self, time: int, values: FloatArray, ages: FloatArray) -> BarColumn:
        values.flags.writeable = ages.flags.writeable = False
        return BarColumn(
            time=np.datetime64(time, "s"),
            symbols=self._panel.symbol_names,
            fields={name: values[k] for name, k in self._position.items()},
            ages={name: ages[self._position[name]] for name in self._dated},
            bar_s=self._panel.bar_s,
        )
