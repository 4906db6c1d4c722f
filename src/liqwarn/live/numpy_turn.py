"""NumPy's turns between the machine's: what a compiled operation might round otherwise."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.features.arithmetic import OPERATIONS, magnitude
from liqwarn.frames import FloatArray
from liqwarn.live.machine import Machine, gather, put
from liqwarn.live.program import Turn

__all__ = ["BARE", "NumpyTurn"]

BARE: Final[Mapping[str, Callable[..., Any]]] = {
    "cos": np.cos,
    "log": np.log,
    "magnitude": magnitude,
    "mod": np.mod,
    "sin": np.sin,
}
"""Operations as the batch does them, without what makes infinite missing: :func:`put` does."""


class NumpyTurn:
    """One turn's work of NumPy, with the room it is done in.

    Parameters
    ----------
    turn : Turn
    n_symbols : int
    """

    def __init__(self, turn: Turn, n_symbols: int) -> None:
        self._operands, self._steps = turn.operands, turn.steps
        self._given = np.full((turn.operands.size, n_symbols), np.nan)
        self._found = np.full((turn.steps.size, n_symbols), np.nan)
        self._rows: NDArray[np.int64] = np.arange(turn.steps.size)
        self._works: list[tuple[Callable[..., Any], list[FloatArray], FloatArray]] = []
        given = done = 0
        for work in turn.elsewhere:
            size = work.steps.size
            stops = [given + size * k for k in range(1, len(work.operands) + 1)]
            operands = [self._given[stop - size : stop] for stop in stops]
            operation = BARE.get(work.name, OPERATIONS[work.name])
            self._works.append((operation, operands, self._found[done : done + size]))
            given, done = stops[-1], done + size

    def take(self, machine: Machine, number: int) -> None:
        """Compute the steps at cell `number`; NumPy's warnings are the caller's to silence."""
        if not self._works:
            return
        gather(machine, self._operands, self._given)
        for operation, operands, found in self._works:
            found[:] = operation(*operands)
        put(machine, self._steps, self._found, self._rows, number)
