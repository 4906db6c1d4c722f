"""The maps of a whole panel advanced together, one bar of every symbol at a time, in place.

What :func:`liqwarn.liquidation.cohort_map.advance` does to one symbol over many bars, this does to
many symbols over one bar, with the same functions and so to the same bits. It owns its arrays: at
hundreds of symbols a copy of every map at every bar would cost more than the step itself.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
from liqwarn.liquidation.fit import Draws, SymbolJob, in_force, under_tiers
from liqwarn.liquidation.frame_bars import bars_of
from liqwarn.liquidation.kernel import STATE_SIZE, STEP, WORK_SIZE, Reading, run
from liqwarn.liquidation.ledger import Runs, ledger_after, next_runs
from liqwarn.liquidation.market_path import Bars, Breaks, breaks_after, path_after, steps_a_bar
from liqwarn.liquidation.parameters import map_rates
from liqwarn.liquidation.posterior import candidates
from liqwarn.liquidation.readings import EDGES, Trace, fields_of, quality_after, usable_after
from liqwarn.liquidation.schedule import blocks_of
from liqwarn.windows.arguments import compiled

__all__ = ["LiveMaps", "quarters_of", "state_after"]

_EDGES: Final[FloatArray] = np.ascontiguousarray(EDGES / STEP)


@compiled
def _advance_all(
    maps: tuple[FloatArray, FloatArray],
    paths: FloatArray,
    steps: NDArray[np.int64],
    weights: FloatArray,
    out: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    """Run every map of the symbols that have a price; `weights` above 0 are read."""
    mass, work = maps
    swept_of, within, square = out
    n_steps = paths.shape[2]
    at = np.full(n_steps, -1)
    density = np.empty((2, int(_EDGES[-1]) + 3))
    for s in range(mass.shape[0]):
        if steps[s] < 0:
            continue
        for k in range(mass.shape[1]):
            swept = np.zeros((n_steps, 2))
            seen = np.zeros((2, 1, 2, _EDGES.size))
            at[n_steps - 1] = 0 if weights[k] > 0.0 else -1
            reading = Reading(swept, at, _EDGES, seen[0], seen[1], density)
            run(mass[s, k], work[s, k], paths[s], steps[s], reading)
            for side in range(2):
                total = swept[0, side]
                for t in range(1, n_steps):
                    total += swept[t, side]
                swept_of[s, k, side] = total
            if weights[k] > 0.0:
                within[s] += weights[k] * seen[0, 0]
                square[s] += weights[k] * seen[1, 0]


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


class LiveMaps:
    """Maps of a panel's symbols. One owner: advancing changes them in place.

    Parameters
    ----------
    jobs : sequence of SymbolJob
        History of each symbol up to now, in the order of the panel.
    quarters : mapping of quarter to mapping of candidate to weight
        Maps in force in this quarter, and in later ones that shall be walked into.
    states : sequence of MapState
        Of each symbol after its history: the candidates of all `quarters`, ascending.

    Raises
    ------
    FrameError
        When a state does not hold those candidates.
    """

    def __init__(
        self,
        jobs: Sequence[SymbolJob],
        quarters: Mapping[int, Mapping[int, float]],
        states: Sequence[MapState],
    ) -> None:
        self._symbols = [job.symbol for job in jobs]
        self._venue, self._config = jobs[0].venue, jobs[0].config
        self._quarters = quarters
        self._ever = _ever(quarters)
        cloud = candidates(self._config.n_candidates, self._config.seed)
        self._cloud = [cloud[one] for one in self._ever]
        self._mass, self._work = _taken(states, len(self._ever))
        self._close = np.array([state.close for state in states])
        self._stock = np.array([state.stock for state in states])
        self._steps = np.array([state.steps for state in states], dtype=np.int64)
        self._ledgers = [state.ledger for state in states]
        self._runs = Runs(
            age=np.array([one.age_bars for one in self._ledgers], dtype=np.int64),
            silent=np.array([one.silent_bars for one in self._ledgers], dtype=np.int64),
            restarts=np.zeros(len(jobs), dtype=np.bool_),
        )
        self._begin_month(jobs[0].frame.times)
        for row, job in enumerate(jobs):
            self._take_up(row, job)

    def knows(self, time: np.datetime64) -> bool:
        """Whether the maps in force at a bar's close have been chosen yet."""
        return blocks_of(np.array([time]))[0].evidence_until in self._quarters

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
            When the bar is of a quarter for which no maps were chosen.
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
        for row, ledger in enumerate(self._ledgers):
            self._ledgers[row] = ledger_after(
                bars.between(row, row + 1), ledger, breaks.of(row), runs.of(row)
            )
        self._close = np.where(priced, bars.close, self._close)
        self._stock = traced.stock
        self._runs = runs
        return fields_of(traced)

    def state(self, symbol: str) -> MapState:
        """A symbol's maps as a value: the candidates ever in force, ascending."""
        row = self._symbols.index(symbol)
        return MapState(
            mass=self._mass[row].copy(),
            lanes=self._work[row, :, :STATE_SIZE].copy(),
            close=float(self._close[row]),
            stock=float(self._stock[row]),
            steps=int(self._steps[row]),
            ledger=self._ledgers[row],
        )

    def weights(self) -> Mapping[int, float]:
        """Weights of the maps in force, by position in the state."""
        drawn = self._quarters[self._quarter]
        return {self._ever.index(one): weight for one, weight in drawn.items()}

    # how it is done

    def _begin_month(self, times: TimeArray) -> None:
        block = blocks_of(times)[-1]
        self._block, self._quarter = block, block.evidence_until
        self._day: date = times[block.start].astype("datetime64[D]").astype(date)
        self._rated = np.zeros(len(self._symbols), dtype=np.bool_)

    def _turn_month(self, time: np.datetime64) -> None:
        if blocks_of(np.array([time]))[0].month != self._block.month:
            self._begin_month(np.array([time]))
        if self._quarter not in self._quarters:
            raise FrameError(
                f"no maps were chosen for the quarter of {time}, expected a fit up to its start"
            )

    def _take_up(self, row: int, job: SymbolJob) -> None:
        """Rates of the month under way, if the symbol had a price in it."""
        month = bars_of(job.frame, job.symbol).between(self._block.start, self._block.stop)
        priced = month.close[month.priced()]
        if priced.size:
            self._set_rates(row, float(priced[0]), month.bar_s)

    def _set_month_rates(self, bars: Bars, priced: BoolArray) -> None:
        for row in np.flatnonzero(priced & ~self._rated).tolist():
            self._set_rates(row, float(bars.close[row]), bars.bar_s)

    def _set_rates(self, row: int, price: float, bar_s: int) -> None:
        ours = self._cloud
        if self._venue is not None:
            at = (self._day, price)
            ours = under_tiers(ours, self._venue, self._symbols[row], at, self._config)
        rates = map_rates(ours, bar_s / steps_a_bar(bar_s))
        self._work[row, :, STATE_SIZE : STATE_SIZE + rates.shape[1]] = rates
        self._rated[row] = True

    def _mend(self, row: int, breaks: Breaks, *, restart: bool) -> None:
        """Follow a change of unit or contract before the bar is walked."""
        maps = Maps(
            mass=self._mass[row],
            work=self._work[row],
            close=float(self._close[row]),
            stock=float(self._stock[row]),
            steps=int(self._steps[row]),
        )
        shift_maps(maps, float(breaks.shift[row]))
        rescale_maps(maps, float(breaks.rescale[row]))
        if restart:
            restart_maps(maps)
        self._stock[row] = maps.stock

    def _walked(self, bars: Bars, priced: BoolArray, runs: Runs) -> Trace:
        n_symbols, n_maps = self._mass.shape[:2]
        per_bar = steps_a_bar(bars.bar_s)
        path = path_after(bars, self._close, self._stock).reshape(6, n_symbols, per_bar)
        weights = np.zeros(n_maps)
        for place, weight in self.weights().items():
            weights[place] = weight
        swept = np.zeros((n_symbols, n_maps, 2))
        within = np.zeros((n_symbols, 2, len(EDGES)))
        square = np.zeros((n_symbols, 2, len(EDGES)))
        steps = np.where(priced, self._steps, -1)
        paths = np.ascontiguousarray(path.transpose(1, 0, 2))
        _advance_all((self._mass, self._work), paths, steps, weights, (swept, within, square))
        self._steps = np.where(priced, self._steps + per_bar, self._steps)
        gone = np.zeros((n_symbols, 2))
        for place, weight in self.weights().items():
            gone += weight * swept[:, place]
        usable = usable_after(runs, bars)
        stock = bars.stock()
        return Trace(
            within=np.where(usable[:, None, None], within, np.nan),
            square=square,
            swept=np.where(usable[:, None], gone, np.nan),
            stock=np.where(np.isfinite(stock), stock, self._stock),
            quality=quality_after(runs, bars),
        )


def _taken(states: Sequence[MapState], n_maps: int) -> tuple[FloatArray, FloatArray]:
    for state in states:
        if len(state.mass) != n_maps:
            raise FrameError(f"a state holds {len(state.mass)} maps, expected {n_maps}")
    work = np.zeros((len(states), n_maps, WORK_SIZE))
    work[:, :, :STATE_SIZE] = [state.lanes for state in states]
    return np.stack([state.mass for state in states]), work
