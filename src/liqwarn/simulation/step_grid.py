"""Stretches of time on a grid of equal steps: shares, touched steps, decays, factors."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray

__all__ = ["StepGrid"]

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepGrid:
    """Equal steps from the start of a scenario.

    Attributes
    ----------
    edges : ndarray, shape (n_steps + 1,)
        Seconds at which steps begin and end.
    step : float
        Seconds of one.

    Examples
    --------
    >>> grid = StepGrid.of(4, timedelta(minutes=1))
    >>> grid.shares(timedelta(seconds=30), timedelta(minutes=2))
    array([0.25, 0.5 , 0.25, 0.  ])
    """

    edges: FloatArray
    step: float

    @classmethod
    def of(cls, n_steps: int, step: timedelta) -> "StepGrid":
        """A grid of `n_steps` steps."""
        seconds = step / _SECOND
        return cls(edges=np.arange(n_steps + 1, dtype=np.float64) * seconds, step=seconds)

    def step_at(self, at: timedelta) -> int:
        """The step in which a moment lies."""
        return int(at / _SECOND // self.step)

    def shares(self, at: timedelta, over: timedelta) -> FloatArray:
        """Share of an even flow in each step, summing to 1; a step or less lands in one step."""
        return np.diff(self._done(at, over))

    def factors(self, total: float, at: timedelta, over: timedelta) -> FloatArray:
        """Factors of a level that falls evenly from 1 to `total`; 1 where nothing is left."""
        level = 1.0 - (1.0 - total) * self._done(at, over)
        out = np.ones(len(level) - 1)
        return np.divide(level[1:], level[:-1], out=out, where=level[:-1] > 0.0)

    def touched(self, at: timedelta, lasts: timedelta) -> NDArray[np.bool_]:
        """Steps that overlap with a stretch of time."""
        start, end = at / _SECOND, (at + lasts) / _SECOND
        return np.asarray((self.edges[1:] > start) & (self.edges[:-1] < end))

    def left(self, at: timedelta, lasts: timedelta, half_life: timedelta) -> FloatArray:
        """1 in the steps that a stretch touches, then halved with each half-life; 0 before."""
        since = np.maximum(self.edges[:-1] - (at + lasts) / _SECOND, 0.0)
        begun = self.edges[1:] > at / _SECOND
        return np.where(begun, 0.5 ** (since / (half_life / _SECOND)), 0.0)

    def _done(self, at: timedelta, over: timedelta) -> FloatArray:
        """Share that is done at each edge."""
        start, length = at / _SECOND, over / _SECOND
        if length <= self.step:
            return np.where(self.edges > self.step_at(at) * self.step, 1.0, 0.0)
        return np.clip((self.edges - start) / length, 0.0, 1.0)
