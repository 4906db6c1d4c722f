"""Features of the newest bar alone: the builder's own values, bit for bit, in microseconds.

A tape keeps, of every step on the way to the features, the cells that later steps look back on, and
computes one cell a bar. It starts from the tail of a history, which the very functions of the batch
turn into those cells; from there on :mod:`liqwarn.live.machine` goes on alone.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError, StoreError
from liqwarn.features.builder import all_features, lookback_of
from liqwarn.features.feature import CLOCK, Feature
from liqwarn.features.inputs import Inputs, leader_row
from liqwarn.features.past import reveal
from liqwarn.features.sketch import sketch
from liqwarn.frames import FloatArray, MarketFrame
from liqwarn.live.history import newest_cells
from liqwarn.live.machine import new_machine, put, run
from liqwarn.live.numpy_turn import NumpyTurn
from liqwarn.live.open_cell import OpenCell
from liqwarn.live.program import Program, codes_of, program_of, ring_cells
from liqwarn.models.state_bytes import pack_arrays, unpack_arrays

__all__ = ["Tape", "tail_bars"]

SCHEMA: Final = "liqwarn.tape/1"

_HOUR_S: Final = 3600.0


def tail_bars(frame: MarketFrame, features: tuple[Feature, ...] | None = None) -> int:
    """Bars of history that make a tape exact: it may hold fewer, and says what the builder says."""
    known = all_features() if features is None else features
    return max((lookback_of(one, frame.bar) for one in known), default=1)


class Tape:
    """The features of a panel, one bar at a time. One owner: advancing changes it in place.

    Parameters
    ----------
    symbols : tuple of str
    bar : timedelta
    number : int
        Absolute number of the last bar before the tape, of which it remembers nothing.
    features : tuple of Feature, optional
        Columns, in this order; all of them by default.

    Examples
    --------
    >>> from liqwarn.frames import bar_times
    >>> times = bar_times(np.datetime64("2024-01-01T01:00:00"), 5, timedelta(hours=1))
    >>> frame = MarketFrame(symbols=("BTCUSDT",), times=times, bar=timedelta(hours=1), ages={},
    ...                     fields={"close": np.array([[100.0, 101.0, 102.0, 103.0, 104.0]])})
    >>> tape = Tape.start(frame)
    >>> row = tape.advance({"close": np.array([110.0])})
    >>> round(float(row[0, tape.names.index("price_return_4h")]), 6)
    0.08536
    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        bar: timedelta,
        number: int,
        features: tuple[Feature, ...] | None = None,
    ) -> None:
        known = all_features() if features is None else features
        self.names = tuple(one.name for one in known)
        self.symbols = symbols
        self._bar_s = int(bar.total_seconds())
        self._number = number
        self._steps = steps = sketch(known, bar)
        self._results = np.array([steps.results[name] for name in self.names], dtype=np.int64)
        ratios = sorted({step.ratio for step in steps.steps})
        self._programs = [program_of(steps, ratio) for ratio in ratios]
        self._machine = new_machine(
            codes_of(steps), ring_cells(steps), len(symbols), leader_row(symbols)
        )
        for at, step in enumerate(steps.steps):
            if step.kind == "constant":
                self._machine.values[at] = step.value
        self._inputs = sorted({name for program in self._programs for name in program.fields})
        self._given = np.full((len(self._inputs), len(symbols)), np.nan)
        self._clock = self._inputs.index(CLOCK) if CLOCK in self._inputs else None
        self._missing = np.full(len(symbols), np.nan)
        self._rows = {
            program.ratio: np.array([self._inputs.index(name) for name in program.fields])
            for program in self._programs
        }
        self._turns = {
            program.ratio: [(one.machine, NumpyTurn(one, len(symbols))) for one in program.turns]
            for program in self._programs
        }
        self._open = {
            program.ratio: OpenCell(program.fields, program.ratio, len(symbols))
            for program in self._programs
            if program.ratio > 1
        }

    @classmethod
    def start(cls, frame: MarketFrame, features: tuple[Feature, ...] | None = None) -> "Tape":
        """A tape after a history.

        Parameters
        ----------
        frame : MarketFrame
            History up to now, the liquidation map's fields included; older bars than
            :func:`tail_bars` change nothing.
        """
        number = frame.first_bar + frame.shape[1] - 1
        tape = cls(frame.symbols, frame.bar, number, features)
        tape._fill(frame)
        return tape

    @property
    def number(self) -> int:
        """Absolute number of the newest bar."""
        return self._number

    def row(self) -> FloatArray:
        """Features of the newest bar, shape (n_symbols, n_features)."""
        return np.ascontiguousarray(self._machine.values[self._results].T)

    def advance(self, fields: Mapping[str, FloatArray]) -> FloatArray:
        """Take the next bar.

        Parameters
        ----------
        fields : mapping of name to ndarray of float64, shape (n_symbols,)
            What was known at its close, map fields included; one that is absent is missing.

        Returns
        -------
        ndarray of float64, shape (n_symbols, n_features)
            What :class:`~liqwarn.features.builder.FeatureBuilder` gives for this bar.
        """
        shape = self._missing.shape
        for name, values in fields.items():
            if values.shape != shape:
                raise FrameError(f"field '{name}' has shape {values.shape}, expected {shape}")
        self._number += 1
        self._gather(fields)
        with np.errstate(all="ignore"):
            for program in self._programs:
                self._advance(program)
        return self.row()

    def _gather(self, fields: Mapping[str, FloatArray]) -> None:
        """Every input of the bar, as it was given."""
        if not self._inputs:
            return
        found = [fields.get(name, self._missing) for name in self._inputs]
        np.concatenate(found, out=self._given.reshape(-1))
        if self._clock is not None:
            self._given[self._clock] = self._number * self._bar_s / _HOUR_S

    def _advance(self, program: Program) -> None:
        rows = self._rows[program.ratio]
        if program.ratio == 1:
            self._compute(program, self._given, rows, self._number)
            return
        closed = self._open[program.ratio].take(self._given, rows, self._number)
        if closed is not None:
            places = np.arange(len(closed))
            self._compute(program, closed, places, self._number // program.ratio)

    def _compute(
        self, program: Program, given: FloatArray, rows: NDArray[np.int64], number: int
    ) -> None:
        put(self._machine, program.places, given, rows, number)
        for steps, numpy_turn in self._turns[program.ratio]:
            run(self._machine, steps, number)
            numpy_turn.take(self._machine, number)

    def to_bytes(self) -> bytes:
        """Everything remembered; :meth:`from_bytes` goes on with the same bits."""
        machine = self._machine
        held = {f"open_{ratio}": cell.held for ratio, cell in self._open.items()}
        header = {"symbols": self.symbols, "names": self.names, "bar_s": self._bar_s}
        arrays = {"values": machine.values, "rings": machine.rings, **held}
        return pack_arrays(SCHEMA, {**header, "number": self._number}, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, features: tuple[Feature, ...] | None = None) -> "Tape":
        """The tape that :meth:`to_bytes` was asked of.

        Raises
        ------
        StoreError
            When the bytes are damaged, or of other features than these.
        """
        header, arrays = unpack_arrays(SCHEMA, data)
        bar = timedelta(seconds=header["bar_s"])
        tape = cls(tuple(header["symbols"]), bar, header["number"], features)
        ours = {"values": tape._machine.values, "rings": tape._machine.rings}
        ours |= {f"open_{ratio}": cell.held for ratio, cell in tape._open.items()}
        found = {name: one.shape for name, one in arrays.items()}
        if tuple(header["names"]) != tape.names or found != {n: a.shape for n, a in ours.items()}:
            raise StoreError("the tape was written by a version with other features: start anew")
        for name, array in arrays.items():
            ours[name][:] = array
        return tape

    def _fill(self, frame: MarketFrame) -> None:
        """Values and rings from the history."""
        inputs = Inputs(frame, whole_panel=True)
        for program in self._programs:
            last = self._number // program.ratio
            for at, series in newest_cells(self._steps, program.ratio, inputs):
                self._remember_all(at, series, last)
            if program.ratio > 1:
                self._follow(program, inputs, frame.shape[1])

    def _follow(self, program: Program, inputs: Inputs, n_bars: int) -> None:
        """Bring the cell that is still open up to the last bar of the history."""
        for back in range((self._number - 1) % program.ratio, -1, -1):
            if back < n_bars:
                columns = [reveal(inputs.at(name, 1))[:, -1 - back] for name in program.fields]
                given = np.stack(columns)
            else:
                given = np.full((len(program.fields), len(self.symbols)), np.nan)
            rows = np.arange(len(program.fields))
            self._open[program.ratio].take(given, rows, self._number - back)

    def _remember_all(self, at: int, series: FloatArray, last: int) -> None:
        machine = self._machine
        if series.shape[1]:
            machine.values[at] = series[:, -1]
        start, size = machine.place[at]
        rings = machine.rings[start : start + 2 * size * len(self.symbols)]
        rings = rings.reshape(len(self.symbols), 2 * size)
        for back in range(min(size, series.shape[1])):
            slot = (last - back) % size
            rings[:, slot] = rings[:, slot + size] = series[:, -1 - back]
