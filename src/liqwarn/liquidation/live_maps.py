"""The maps of a whole panel advanced together, one bar of every symbol at a time, in place.

What :func:`liqwarn.liquidation.cohort_map.advance` does to one symbol over many bars, this does to
many symbols over one bar, with the same functions and so to the same bits. It owns its arrays: at
hundreds of symbols a copy of every map at every bar would cost more than the step itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import BoolArray, FloatArray, TimeArray
from liqwarn.liquidation.cohort_map import (
    Maps,
    MapState,
    advance,
    rescale_maps,
    restart_maps,
    shift_maps,
)
from liqwarn.liquidation.fit import Draws, FitConfig, SymbolJob, in_force, under_tiers
from liqwarn.liquidation.frame_bars import bars_of
from liqwarn.liquidation.kernel import (
    STATE_SIZE,
    WORK_SIZE,
)
from liqwarn.liquidation.ledger import FACTS, Ledger, Runs, facts_of, next_runs
from liqwarn.liquidation.live_step import advance_all
from liqwarn.liquidation.market_path import Bars, Breaks, breaks_after, path_after, steps_a_bar
from liqwarn.liquidation.paged_mass import PagedMass
from liqwarn.liquidation.parameters import map_rates
from liqwarn.liquidation.posterior import candidates
from liqwarn.liquidation.readings import Trace, fields_of, quality_after
from liqwarn.liquidation.schedule import Block, blocks_of, month_of, quarter_of
from liqwarn.liquidation.tiers import VenueTiers

__all__ = ["LiveMaps", "SymbolTerms", "quarters_of", "state_after"]


def state_after(job: SymbolJob, quarters: Mapping[int, Mapping[int, float]]) -> MapState:
    """The maps of some quarters after a symbol's history: what :class:`LiveMaps` starts from."""
    cloud = candidates(job.config.n_candidates, job.config.seed)
    ours = [cloud[one] for one in _ever(quarters)]
    state = MapState.fresh(len(ours))
    bars = bars_of(job.frame, job.symbol)
    for block in blocks_of(job.frame.times):
        month = bars.between(block.start, block.stop)
        state, _ = advance(state, month, in_force(job, block, month, ours))
    return state


def _ever(quarters: Mapping[int, Mapping[int, float]]) -> tuple[int, ...]:
    return tuple(sorted({one for drawn in quarters.values() for one in drawn}))


def quarters_of(draws: Draws, since: int) -> Mapping[int, Mapping[int, float]]:
    """Maps in force from bar `since` on, by the quarter they were chosen for."""
    return {
        block.evidence_until: drawn
        for block, drawn in zip(draws.blocks, draws.drawn, strict=True)
        if block.stop > since
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SymbolTerms:
    """Whose maps they are, and under which terms.

    Attributes
    ----------
    symbols : tuple of str
    venue : VenueTiers or None
        Maintenance tiers; None is a flat rate.
    config : FitConfig
    """

    symbols: tuple[str, ...]
    venue: VenueTiers | None
    config: FitConfig


class LiveMaps:
    """Maps of a panel's symbols. One owner: advancing changes them in place.

    Parameters
    ----------
    terms : SymbolTerms
    quarters : mapping of quarter to mapping of candidate to weight
        Maps in force in this quarter, and in later ones that shall be walked into.
    states : iterable of MapState
        Of each symbol after its history: the candidates of all `quarters`, ascending. Taken one by
        one, and only where they hold anything.

    Raises
    ------
    FrameError
        When a state does not hold those candidates.
    """

    def __init__(
        self,
        terms: SymbolTerms,
        quarters: Mapping[int, Mapping[int, float]],
        states: Iterable[MapState],
        *,
        bar_s: int,
    ) -> None:
        self._terms = terms
        self._bar_s = bar_s
        self._quarters = quarters
        self._ever = _ever(quarters)
        cloud = candidates(terms.config.n_candidates, terms.config.seed)
        self._cloud = [cloud[one] for one in self._ever]
        place = {one: k for k, one in enumerate(self._ever)}
        self._weights = {
            quarter: {place[one]: weight for one, weight in drawn.items()}
            for quarter, drawn in quarters.items()
        }
        shape = (len(terms.symbols), len(self._ever))
        self._month_prices = np.full(shape[0], np.nan)
        self._mass = PagedMass(*shape)
        self._work = np.zeros((*shape, WORK_SIZE))
        self._close, self._stock = np.full(shape[0], np.nan), np.full(shape[0], np.nan)
        self._steps, self._bars = np.zeros((2, shape[0]), dtype=np.int64)
        self._facts = np.zeros((len(FACTS), shape[0]), dtype=np.int64)
        self._runs = Runs(
            age=np.zeros(shape[0], dtype=np.int64),
            silent=np.zeros(shape[0], dtype=np.int64),
            restarts=np.zeros(shape[0], dtype=np.bool_),
        )
        for row, state in enumerate(states):
            self._put(row, state)

    def _put(self, row: int, state: MapState) -> None:
        if len(state.mass) != len(self._ever):
            raise FrameError(f"a state holds {len(state.mass)} maps, expected {len(self._ever)}")
        self._mass.put(row, state.mass)
        self._work[row, :, :STATE_SIZE] = state.lanes
        self._close[row], self._stock[row] = state.close, state.stock
        self._steps[row], self._bars[row] = state.steps, state.ledger.bars
        self._facts[:, row] = [getattr(state.ledger, name) for name in FACTS]
        self._runs.age[row] = state.ledger.age_bars
        self._runs.silent[row] = state.ledger.silent_bars

    @classmethod
    def start(
        cls, jobs: Sequence[SymbolJob], quarters: Mapping[int, Mapping[int, float]]
    ) -> "LiveMaps":
        """The maps of some quarters after the history of every symbol, in the panel's order."""
        first = jobs[0]
        symbols = tuple(job.symbol for job in jobs)
        terms = SymbolTerms(symbols=symbols, venue=first.venue, config=first.config)
        states = (state_after(job, quarters) for job in jobs)
        maps = cls(terms, quarters, states, bar_s=first.frame.bar_s)
        maps._begin_month(first.frame.times)
        for row, job in enumerate(jobs):
            maps._take_up(row, job)
        return maps

    def knows(self, time: np.datetime64) -> bool:
        """Whether the maps in force at a bar's close have been chosen yet."""
        return quarter_of(month_of(time)) in self._quarters

    def advance(self, bars: Bars, time: np.datetime64) -> Mapping[str, FloatArray]:
        """Walk the next bar of every symbol.

        Parameters
        ----------
        bars : Bars
            One bar of each symbol, all of the same number; missing values are NaN.
        time : datetime64[s]
            Its close.

        Returns
        -------
        mapping of field to ndarray of float64, shape (n_symbols,)
            As :func:`liqwarn.liquidation.readings.map_fields` gives them for this bar.

        Raises
        ------
        FrameError
            When the bar is of a quarter for which no maps were chosen; nothing has changed then.
        """
        self._turn_month(time)
        priced = bars.priced()
        self._set_month_rates(bars, priced)
        stock = bars.stock()
        breaks = breaks_after(bars, self._close, self._stock)
        runs = next_runs(np.isfinite(stock) & (bars.volume != 0.0), self._runs, bars.bar_s)
        broken = (breaks.shift != 0.0) | (breaks.rescale != 0.0) | runs.restarts
        for row in np.flatnonzero(broken).tolist():
            self._mend(row, breaks, restart=bool(runs.restarts[row]))
        traced = self._walked(bars, priced, runs)
        self._facts += facts_of(bars, breaks, runs)
        self._bars += 1
        self._close = np.where(priced, bars.close, self._close)
        self._stock = traced.stock
        self._runs = runs
        return fields_of(traced)

    def to_document(self) -> dict[str, Any]:
        """What beside the states the next bars depend on, as plain JSON values."""
        block = self._block
        return {
            "quarters": [[q, list(drawn.items())] for q, drawn in self._quarters.items()],
            "month": [block.start, block.stop, block.month, block.evidence_until],
            "day": self._day.isoformat(),
            "prices": [None if np.isnan(p) else p for p in self._month_prices.tolist()],
            "bar_s": self._bar_s,
        }

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], terms: SymbolTerms, states: Iterable[MapState]
    ) -> "LiveMaps":
        """The maps that :meth:`to_document` and :meth:`state` were asked of."""
        quarters = {q: {int(k): w for k, w in drawn} for q, drawn in document["quarters"]}
        start, stop, month, until = document["month"]
        maps = cls(terms, quarters, states, bar_s=document["bar_s"])
        maps._block = Block(start=start, stop=stop, month=month, evidence_until=until)
        maps._begin_quarter(until)
        maps._day = date.fromisoformat(document["day"])
        for row, price in enumerate(document["prices"]):
            if price is not None:
                maps._set_rates(row, price)
        return maps

    def state(self, symbol: str) -> MapState:
        """A symbol's maps as a value: the candidates ever in force, ascending."""
        row = self._terms.symbols.index(symbol)
        return MapState(
            mass=self._mass.dense(row),
            lanes=self._work[row, :, :STATE_SIZE].copy(),
            close=float(self._close[row]),
            stock=float(self._stock[row]),
            steps=int(self._steps[row]),
            ledger=Ledger(
                bars=int(self._bars[row]),
                **dict(zip(FACTS, self._facts[:, row].tolist(), strict=True)),
                age_bars=int(self._runs.age[row]),
                silent_bars=int(self._runs.silent[row]),
            ),
        )

    def weights(self) -> Mapping[int, float]:
        """Weights of the maps in force, by position in the state."""
        return self._weights[self._quarter]

    # how it is done

    def _begin_month(self, times: TimeArray) -> None:
        block = blocks_of(times)[-1]
        self._block = block
        self._begin_quarter(block.evidence_until)
        self._day: date = times[block.start].astype("datetime64[D]").astype(date)
        self._month_prices = np.full(len(self._terms.symbols), np.nan)

    def _begin_quarter(self, quarter: int) -> None:
        drawn = self._weights[quarter]
        self._quarter, self._shares = quarter, np.zeros(len(self._ever))
        self._shares[list(drawn)] = list(drawn.values())

    def _turn_month(self, time: np.datetime64) -> None:
        month = month_of(time)
        if month == self._block.month:
            return
        if quarter_of(month) not in self._quarters:
            raise FrameError(
                f"no maps were chosen for the quarter of {time}, expected a fit up to its start"
            )
        self._begin_month(np.array([time]))

    def _take_up(self, row: int, job: SymbolJob) -> None:
        """Rates of the month under way, if the symbol had a price in it."""
        month = bars_of(job.frame, job.symbol).between(self._block.start, self._block.stop)
        priced = month.close[month.priced()]
        if priced.size:
            self._set_rates(row, float(priced[0]))

    def _set_month_rates(self, bars: Bars, priced: BoolArray) -> None:
        for row in np.flatnonzero(priced & np.isnan(self._month_prices)).tolist():
            self._set_rates(row, float(bars.close[row]))

    def _set_rates(self, row: int, price: float) -> None:
        terms, ours = self._terms, self._cloud
        if terms.venue is not None:
            at = (self._day, price)
            ours = under_tiers(ours, terms.venue, terms.symbols[row], at, terms.config)
        rates = map_rates(ours, self._bar_s / steps_a_bar(self._bar_s))
        self._work[row, :, STATE_SIZE : STATE_SIZE + rates.shape[1]] = rates
        self._month_prices[row] = price

    def _mend(self, row: int, breaks: Breaks, *, restart: bool) -> None:
        """Follow a change of unit or contract before the bar is walked."""
        maps = Maps(
            mass=self._mass.dense(row),
            work=self._work[row],
            close=float(self._close[row]),
            stock=float(self._stock[row]),
            steps=int(self._steps[row]),
        )
        shift_maps(maps, float(breaks.shift[row]))
        rescale_maps(maps, float(breaks.rescale[row]))
        if restart:
            restart_maps(maps)
        self._mass.put(row, maps.mass)
        self._stock[row] = maps.stock

    def _walked(self, bars: Bars, priced: BoolArray, runs: Runs) -> Trace:
        path = path_after(bars, self._close, self._stock)
        steps = np.where(priced, self._steps, -1)
        quality = quality_after(runs, bars)
        mass = self._mass
        within, square, swept = advance_all(
            (mass.cells, self._work),
            mass.tables,
            path,
            steps,
            self._shares,
            quality > 0.0,
        )
        self._steps = np.where(priced, self._steps + steps_a_bar(bars.bar_s), self._steps)
        stock = bars.stock()
        return Trace(
            within=within,
            square=square,
            swept=swept,
            stock=np.where(np.isfinite(stock), stock, self._stock),
            quality=quality,
        )
