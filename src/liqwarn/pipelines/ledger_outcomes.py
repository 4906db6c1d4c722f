"""What became of flags: outcomes that are known by now, revisions of them, and onsets.

The outcome is the label of the evaluation at 4 h. It is taken only when every bar that could still
change it has closed; NaN says that a cascade of the side was running at the flag's bar, which is no
row of an early warning.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqwarn.frames import SIDES, BoolArray, FloatArray, epoch_seconds
from liqwarn.models.events import EVENT_COLUMNS, Event, event_table
from liqwarn.models.live_skill import HORIZON_H
from liqwarn.pipelines.ledger_state import KEY
from liqwarn.pipelines.study import Study

__all__ = ["Cells", "events_of", "known_events", "new_outcomes", "uncovered_events"]

_HORIZON: Final = np.timedelta64(HORIZON_H, "h")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Where rows of flags lie in a study.

    Attributes
    ----------
    row, bar, side : ndarray of int64, shape (n,)
        Positions in the study's labels; only where `inside`.
    inside : ndarray of bool, shape (n,)
        Whether the study has the symbol and the bar.
    """

    row: NDArray[np.int64]
    bar: NDArray[np.int64]
    side: NDArray[np.int64]
    inside: BoolArray

    @classmethod
    def of(cls, study: Study, table: pd.DataFrame) -> "Cells":
        """Places of a table's symbol, as_of and side."""
        labels = study.labels
        row = pd.Index(labels.symbols).get_indexer(pd.Index(table["symbol"]))
        side = pd.Index(SIDES).get_indexer(pd.Index(table["side"]))
        step = int(labels.bar.total_seconds())
        ahead = seconds_of(table["as_of"]) - int(epoch_seconds(labels.times[:1])[0])
        bar = ahead // step
        inside = (row >= 0) & (side >= 0) & (ahead % step == 0)
        inside &= (bar >= 0) & (bar < len(labels.times))
        return cls(row=row, bar=bar, side=side, inside=inside)


def seconds_of(times: "pd.Series[Any]") -> NDArray[np.int64]:
    """Whole seconds since the epoch."""
    found: NDArray[np.int64] = times.dt.as_unit("s").astype("int64").to_numpy()
    return found


def new_outcomes(
    study: Study, keys: pd.DataFrame, last: FloatArray, settled: BoolArray, *, now: datetime
) -> pd.DataFrame:
    """Outcomes that are known by `now` and not recorded, or recorded otherwise.

    Parameters
    ----------
    keys : DataFrame
        Symbol, as_of and side of every flag, each once.
    last : ndarray of float64, shape (n_keys,)
        Outcome recorded last, NaN for a running cascade; only where `settled`.
    settled : ndarray of bool, shape (n_keys,)

    Returns
    -------
    DataFrame
        Symbol, as_of, side, y, settled_at.
    """
    cells = Cells.of(study, keys)
    y, known = _known(study, cells, now)
    changed = known & settled & ~((y == last) | (np.isnan(y) & np.isnan(last)))
    fresh = known & ~settled
    chosen = changed | fresh
    out: pd.DataFrame = keys.loc[chosen, list(KEY)].reset_index(drop=True)
    out["y"] = y[chosen]
    out["settled_at"] = pd.Timestamp(now).as_unit("us")
    return out


def _known(study: Study, cells: Cells, now: datetime) -> tuple[FloatArray, BoolArray]:
    """Outcome and whether it is known, of every key; NaN and known: a cascade was running."""
    labels = study.labels
    h = labels.horizons_h.index(HORIZON_H)
    y = np.full(cells.inside.shape, np.nan)
    known = np.zeros(cells.inside.shape, dtype=bool)
    at = cells.row[cells.inside], cells.bar[cells.inside], cells.side[cells.inside]
    label, running = labels.y[*at, h], labels.running[at]
    over = labels.end[at[1], h] <= known_until(study, now)
    y[cells.inside] = np.where(running, np.nan, label)
    known[cells.inside] = over & np.isfinite(label)
    return y, known


def known_until(study: Study, now: datetime) -> np.datetime64:
    """The last bar that had closed by `now`."""
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "s")
    return min(study.labels.times[-1], moment)


def known_events(
    study: Study, flags: pd.DataFrame, recorded: pd.DataFrame, *, now: datetime
) -> pd.DataFrame:
    """Onsets confirmed by `now`, behind their symbol's first flag, that are not recorded.

    One before which no flag stood is recorded too: whoever reads flags was not warned of it.

    Returns
    -------
    DataFrame
        The catalogue of events, with ``confirmed`` and ``settled_at``.
    """
    until = known_until(study, now)
    held = {(row.symbol, row.side, row.onset) for row in recorded.itertuples()}
    firsts = flags.groupby("symbol", observed=True)["as_of"].min()
    new = [
        event
        for event in study.events
        if _moment(event.confirmed) <= until
        and (event.symbol, event.side, pd.Timestamp(event.onset)) not in held
        and event.symbol in firsts
        and event.onset > firsts[event.symbol]
    ]
    table = event_table(new)
    confirmed = pd.to_datetime([event.confirmed for event in new], utc=True)
    table["confirmed"] = pd.Series(confirmed).astype("datetime64[us, UTC]")
    table["settled_at"] = pd.Timestamp(now).as_unit("us")
    return table


def uncovered_events(flags: pd.DataFrame, recorded: Sequence[Event]) -> Iterator[Event]:
    """Recorded onsets behind a side's first flag that had no flag in the 4 h before.

    Parameters
    ----------
    flags : DataFrame
        Those that were issued in time: one that came later warned nobody.
    """
    stood = {
        tuple(map(str, key)): np.sort(seconds_of(times).astype("datetime64[s]"))
        for key, times in flags.groupby(["symbol", "side"], observed=True)["as_of"]
    }
    for event in recorded:
        times = stood.get((event.symbol, event.side))
        if times is None or _moment(event.onset) <= times[0]:
            continue
        onset = _moment(event.onset)
        first, end = np.searchsorted(times, [onset - _HORIZON, onset])
        if first == end:
            yield event


def events_of(recorded: pd.DataFrame) -> tuple[Event, ...]:
    """Recorded onsets as events, in order of onset; what was not recorded of them is empty."""
    if not len(recorded):
        return ()
    ordered = recorded.sort_values(["onset", "symbol", "side"], kind="stable")
    return tuple(_events(ordered))


def _events(table: pd.DataFrame) -> Iterable[Event]:
    names = [*EVENT_COLUMNS[:-1], "confirmed"]
    for row in table.itertuples():
        told = {name: getattr(row, name) for name in names}
        moments = {k: v.to_pydatetime() for k, v in told.items() if isinstance(v, pd.Timestamp)}
        flags = tuple(str(row.flags).split(";")) if row.flags else ()
        yield Event(**{**told, **moments}, flags=flags, runs=())


def _moment(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s")
