"""The as-of join: what was known at each bar's close, and how old it was.

The only code that weighs `known_at` against a moment. A cell of the frame is filled from records
known at or before the bar's close, so look-ahead cannot be written above it, and the frame of any
earlier moment is the same bits with the later columns missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from liqwarn.data.mapping import FieldMap, Span
from liqwarn.data.panel import ALL_SYMBOLS, Calendar, Panel, Source
from liqwarn.data.records import IntArray, Records, SeriesKey
from liqwarn.data.series import Series, to_cells, to_coins, to_spacing, to_typical
from liqwarn.data.snapshot import Snapshot
from liqwarn.data.store import Store
from liqwarn.errors import DataError
from liqwarn.frames import FIELDS, FloatArray, MarketFrame, bar_times

__all__ = ["as_of", "in_bar", "market_frame", "until_next"]

_DAY_S = 86_400


def market_frame(
    store: Store,
    panel: Panel,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    known_by: datetime | None = None,
) -> MarketFrame:
    """What was known of the panel at each bar's close.

    Parameters
    ----------
    store : Store
        Holding the panel's files, see :func:`liqwarn.data.ingest.ingest`.
    panel : Panel
    start, end : datetime, optional
        First and last close wanted. Without them the frame runs from the first to the last bar
        whose close is known of any symbol. A stated `end` is kept even if nothing is known of the
        last bars, which are then NaN: a feed that fell silent is not a shorter history.
    known_by : datetime, optional
        Leave out everything known later, as if asked at that moment.

    Returns
    -------
    MarketFrame
        ``market_frame(..., end=t)`` holds the same bits as the whole frame up to `t`.

    Raises
    ------
    DataError
        When the store knows no close of the panel in that time.
    StoreError
        When a part of the store is damaged.
    """
    reader = _Reader(
        snapshot=store.snapshot(),
        panel=panel,
        known_by=None if known_by is None else int(known_by.timestamp()),
        since=None if start is None else int(start.timestamp()) - _memory_s(panel),
        cache={},
    )
    seconds = _grid(reader, start, end)
    shape = (len(panel.symbols), seconds.size)
    fields = {name: np.full(shape, np.nan) for name in panel.fields}
    ages = {name: np.full(shape, np.nan) for name in fields if not name.startswith("next_")}
    for row, symbol in enumerate(panel.symbol_names):
        for name, age in ages.items():
            _fill(reader, symbol, name, seconds, (fields[name][row], age[row]))
        for calendar in panel.calendars:
            for name, value in _calendar(reader, calendar, symbol, seconds):
                fields[name][row] = value
    times = bar_times(np.datetime64(int(seconds[0]), "s"), seconds.size, panel.bar)
    return MarketFrame(
        symbols=panel.symbol_names, times=times, bar=panel.bar, fields=fields, ages=ages
    )


def as_of(series: Series, times: IntArray, max_age: int) -> tuple[FloatArray, FloatArray]:
    """Last value known at each time, and its age; NaN where none is, or it is older than allowed.

    "Last" is by event time among what is known: a late correction of the past does not hide what
    happened since.

    Parameters
    ----------
    series : Series
    times : ndarray of int64, shape (n_bars,)
        Seconds UTC.
    max_age : int
        Seconds from the event to the time.

    Examples
    --------
    >>> settled = Series(event=np.array([0, 100]), known=np.array([0, 150]),
    ...                  value=np.array([1.0, 2.0]))
    >>> value, age = as_of(settled, np.array([0, 100, 150, 500]), 200)
    >>> value.tolist(), age.tolist()
    ([1.0, 1.0, 2.0, nan], [0.0, 100.0, 50.0, nan])
    """
    value, age = np.full(times.size, np.nan), np.full(times.size, np.nan)
    if not series.event.size:
        return value, age
    order = np.lexsort((series.event, series.known))
    newest = np.maximum.accumulate(order)  # positions are in event order
    at = np.searchsorted(series.known[order], times, side="right") - 1
    pick = newest[np.maximum(at, 0)]
    old = times - series.event[pick]
    usable = (at >= 0) & (old <= max_age)
    value[usable] = series.value[pick][usable]
    age[usable] = old[usable]
    return value, age


def in_bar(cells: Series, times: IntArray, bar: int) -> tuple[FloatArray, FloatArray]:
    """Cells placed at the first bar close at which they are known, once; and their age.

    A sum or a price of a bar is never carried forward: two bars of one inflow would count it
    twice.

    >>> hour = Series(event=np.array([3600]), known=np.array([3660]), value=np.array([7.0]))
    >>> value, age = in_bar(hour, np.array([3600, 7200, 10800]), 3600)
    >>> value.tolist(), age.tolist()
    ([nan, 7.0, nan], [nan, 3600.0, nan])
    """
    value, age = np.full(times.size, np.nan), np.full(times.size, np.nan)
    close = -(-cells.known // bar) * bar
    at = (close - int(times[0])) // bar
    order = np.lexsort((cells.event, at))
    order = order[(at[order] >= 0) & (at[order] < times.size)]
    value[at[order]] = cells.value[order]  # of several, the last assigned is the latest event
    age[at[order]] = (close - cells.event)[order]
    return value, age


def until_next(events: Series, times: IntArray) -> tuple[FloatArray, FloatArray]:
    """Hours to the next event after each time, and its amount; NaN while it is not announced."""
    hours, amount = np.full(times.size, np.nan), np.full(times.size, np.nan)
    at = np.searchsorted(events.event, times, side="right")
    ahead = np.flatnonzero(at < events.event.size)
    ahead = ahead[events.known[at[ahead]] <= times[ahead]]
    hours[ahead] = (events.event[at[ahead]] - times[ahead]) / 3_600.0
    amount[ahead] = events.value[at[ahead]]
    return hours, amount


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Series of the panel, from one snapshot, known by one moment, each read once."""

    snapshot: Snapshot
    panel: Panel
    known_by: int | None
    since: int | None
    cache: dict[SeriesKey, Records]

    def series(self, source: str, symbol: str, field: str, *, ahead: bool = False) -> Series:
        """The finite values of one stored field; `ahead` for calendars, which have no past."""
        key = SeriesKey(panel=self.panel.name, source=source, symbol=symbol)
        if key not in self.cache:
            records = self.snapshot.read(key, start=None if ahead else self.since)
            if self.known_by is not None:
                records = records.take(records.known <= self.known_by)
            self.cache[key] = records
        records = self.cache[key]
        value = records.values.get(field, np.full(len(records), np.nan))
        return Series(event=records.event, known=records.known, value=value).take(~np.isnan(value))

    def sources(self, field: str) -> list[Source]:
        """Sources of a field, the most trusted first."""
        giving = [source for source in self.panel.sources if field in source.fields]
        return sorted(giving, key=lambda source: -source.priority)

    def variants(self, field: str, symbol: str) -> Iterator[tuple[Source, Series]]:
        """Every way to know a field, the most trusted first."""
        for source in self.sources(field):
            told = source.fields[field]
            if told.spacing_of is not None:
                yield source, to_spacing(self.series(source.name, symbol, told.spacing_of))
            elif told.priced:
                usd = self.series(source.name, symbol, field)
                for price, cell in self.prices(source, told, symbol):
                    yield source, to_coins(usd, price, cell)
            else:
                yield source, self.series(source.name, symbol, field)

    def prices(self, of: Source, told: FieldMap, symbol: str) -> Iterator[tuple[Series, int]]:
        """Prices that turn USD of a source into coins, on the grid of its step."""
        for source in self.sources("close"):
            step = _seconds(source.time.step)
            cell = _seconds(of.time.step) or self.panel.bar_s
            cell = cell if cell % step == 0 else step
            names = ("high", "low", "close") if told.unit == "usd_at_typical" else ("close",)
            if not set(names) <= set(source.fields):
                continue
            bars = [
                to_cells(self.series(source.name, symbol, name), FIELDS[name].how, step, cell)
                for name in names
            ]
            yield (to_typical(*bars) if len(bars) == 3 else bars[0]), cell


def _fill(
    reader: _Reader,
    symbol: str,
    field: str,
    times: IntArray,
    out: tuple[FloatArray, FloatArray],
) -> None:
    """Write a symbol's values and ages: at each bar the most trusted source that knows it.

    Among sources of one priority the youngest value wins, so that one which ended does not hide
    its successor until it is stale.
    """
    value, age = out
    trust = np.full(times.size, -np.inf)
    for source, series in reader.variants(field, symbol):
        if FIELDS[field].how == "last":
            found, old = as_of(series, times, reader.panel.max_age_s(field))
        else:
            found, old = in_bar(
                _cells(source, series, field, reader.panel.bar_s), times, reader.panel.bar_s
            )
        with np.errstate(invalid="ignore"):
            younger = (source.priority == trust) & (old < age)
        better = ~np.isnan(found) & (np.isnan(value) | younger)
        value[better], age[better], trust[better] = found[better], old[better], source.priority


def _cells(source: Source, series: Series, field: str, bar: int) -> Series:
    """Bars of a field; the sums of a late source end as much earlier as it is late."""
    how, step = FIELDS[field].how, _seconds(source.time.step)
    late = -(-_seconds(source.known_lag) // step) * step if how == "sum" else 0
    return to_cells(series, how, step, bar, late % bar)


def _calendar(
    reader: _Reader, calendar: Calendar, symbol: str, times: IntArray
) -> Iterator[tuple[str, FloatArray]]:
    owner = ALL_SYMBOLS if calendar.gives == "macro" else symbol
    hours, amount = until_next(
        reader.series(calendar.name, owner, calendar.stored_field, ahead=True), times
    )
    yield f"next_{calendar.gives}_h", hours
    if calendar.amount is not None:
        yield calendar.stored_field, amount


def _grid(reader: _Reader, start: datetime | None, end: datetime | None) -> IntArray:
    bar, valid = reader.panel.bar_s, reader.panel.valid
    closes = np.concatenate([np.empty(0, dtype=np.int64), *_known_closes(reader)])
    first = int(closes.min()) if closes.size else None
    last = int(closes.max()) if closes.size else None
    if start is not None:
        since = -(-int(start.timestamp()) // bar) * bar
        first = since if first is None or _began_before(reader, since) else max(first, since)
    if end is not None:
        last = int(end.timestamp()) // bar * bar
    first, last = _within(first, last, valid, bar)
    if first is None or last is None or first > last:
        raise DataError(
            f"panel '{reader.panel.name}': the store at {reader.snapshot.root} knows no close "
            f"from {start or 'the start'} to {end or 'the end'}; ingest its files first"
        )
    return np.arange(first, last + 1, bar, dtype=np.int64)


def _within(
    first: int | None, last: int | None, valid: Span, bar: int
) -> tuple[int | None, int | None]:
    if first is not None and valid.start is not None:
        first = max(first, int(valid.start.timestamp()) // bar * bar + bar)
    if last is not None and valid.end is not None:
        last = min(last, int(valid.end.timestamp()) // bar * bar)
    return first, last


def _known_closes(reader: _Reader) -> Iterator[IntArray]:
    """Bar closes at which some symbol's close is known."""
    bar = reader.panel.bar_s
    for symbol in reader.panel.symbol_names:
        for source, series in reader.variants("close", symbol):
            cells = to_cells(series, "close", _seconds(source.time.step), bar)
            close = -(-cells.known // bar) * bar
            yield close if reader.known_by is None else close[close <= reader.known_by]


def _began_before(reader: _Reader, moment: int) -> bool:
    """Whether the history starts before a moment, even if what follows has a hole there."""
    for source in reader.sources("close"):
        for symbol in reader.panel.symbol_names:
            key = SeriesKey(panel=reader.panel.name, source=source.name, symbol=symbol)
            first = reader.snapshot.first_event(key)
            if first is not None and first < moment:
                return True
    return False


def _memory_s(panel: Panel) -> int:
    """How far back of a bar a record can matter to it."""
    ages = [panel.max_age_s(field) for field in panel.fields]
    lags = [
        max(_seconds(s.known_lag), _seconds(s.seen.within if s.seen else None))
        + _seconds(s.time.step)
        for s in panel.sources
    ]
    return max(ages) + max(lags) + 2 * panel.bar_s + 2 * _DAY_S


def _seconds(duration: timedelta | None) -> int:
    return 0 if duration is None else int(duration.total_seconds())
