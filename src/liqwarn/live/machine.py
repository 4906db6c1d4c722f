"""The compiled part of the tape: one cell of every step, for all symbols, in one call.

Operations that NumPy computes with arithmetic of its own (logarithms, sines, remainders) are not
here: their last bit may differ. The caller has them done by NumPy between two calls.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray
from liqwarn.windows.arguments import compiled
from liqwarn.windows.last import KINDS, last_corr, last_value

__all__ = ["APPLIED", "CODES", "Machine", "remember_all", "run"]

APPLIED: Final = (
    "add",
    "subtract",
    "multiply",
    "divide",
    "maximum",
    "minimum",
    "highest",
    "lowest",
    "fill",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "abs",
    "negative",
    "sqrt",
    "sign",
    "floor",
    "where",
)
"""Operations the machine does itself, exact in IEEE arithmetic; their places are their codes."""

_ADD, _SUBTRACT, _MULTIPLY, _DIVIDE, _MAXIMUM, _MINIMUM, _HIGHEST, _LOWEST, _FILL = range(9)
_GREATER, _GREATER_EQUAL, _LESS, _LESS_EQUAL, _ABS, _NEGATIVE, _SQRT, _SIGN, _FLOOR = range(9, 18)
_WHERE: Final = 18
_LAG: Final = 19
_CORR: Final = 20
_LEADER: Final = 21
_MEAN: Final = 22
_STD: Final = 23
_OTHERS: Final = 24
_WINDOW: Final = 32  # plus the number of its kind

CODES: Final = {
    **{("apply", name): code for code, name in enumerate(APPLIED)},
    ("lag", "lag"): _LAG,
    ("corr", "corr"): _CORR,
    ("across", "leader"): _LEADER,
    ("across", "mean"): _MEAN,
    ("across", "std"): _STD,
    ("across", "others"): _OTHERS,
    **{("window", name): _WINDOW + kind for name, kind in KINDS.items()},
}
"""Number of each kind and name of step that the machine does."""


class Machine(NamedTuple):
    """What the machine works on.

    Attributes
    ----------
    code : ndarray of int64, shape (n_steps, 6)
        Code, three operands, cells, least; of :data:`CODES`.
    values : ndarray of float64, shape (n_steps, n_symbols)
        The newest cell of every step.
    rings : ndarray of float64
        Recent cells of the steps that are looked back on. A ring holds every cell twice, its
        length apart, so that each window is one stretch of memory.
    place : ndarray of int64, shape (n_steps, 2)
        Where a step's rings start and how many cells they hold; 0 cells for none.
    leader : int
        Row of the market's leader.
    """

    code: NDArray[np.int64]
    values: FloatArray
    rings: FloatArray
    place: NDArray[np.int64]
    leader: int


@compiled
def _finite(value: float) -> float:
    return value if value - value == 0.0 else np.nan


@compiled
def _larger(a: float, b: float, sign: float) -> float:
    """The larger for sign 1, the smaller for -1; what is missing loses, and -0.0 is 0.0."""
    if np.isnan(a):
        return b + 0.0
    if np.isnan(b):
        return a + 0.0
    return (a if sign * a >= sign * b else b) + 0.0


@compiled
def _sum(code: int, a: float, b: float) -> float:
    if code == _ADD:
        return a + b
    if code == _SUBTRACT:
        return a - b
    if code == _MULTIPLY:
        return a * b
    return a / b


@compiled
def _pick(code: int, a: float, b: float) -> float:
    """One of the two: what is missing loses, but for maximum and minimum, where it wins."""
    if code == _FILL:
        return b if np.isnan(a) else a
    if code in (_HIGHEST, _LOWEST):
        return _larger(a, b, 1.0 if code == _HIGHEST else -1.0)
    if np.isnan(a) or np.isnan(b):
        return np.nan
    return _larger(a, b, 1.0 if code == _MAXIMUM else -1.0)


@compiled
def _holds(code: int, a: float, b: float) -> float:
    if np.isnan(a) or np.isnan(b):
        return np.nan
    if code == _GREATER:
        return 1.0 if a > b else 0.0
    if code == _GREATER_EQUAL:
        return 1.0 if a >= b else 0.0
    if code == _LESS:
        return 1.0 if a < b else 0.0
    return 1.0 if a <= b else 0.0


@compiled
def _one(code: int, a: float) -> float:
    if code == _ABS:
        return abs(a)
    if code == _NEGATIVE:
        return -a
    if code == _SQRT:
        return float(np.sqrt(a)) if a >= 0.0 else np.nan
    if code == _SIGN:
        return float(np.sign(a)) + 0.0
    return float(np.floor(a))


@compiled
def _apply(machine: Machine, step: int) -> None:
    code, one, two, three = machine.code[step, :4]
    out, a, b = machine.values[step], machine.values[one], machine.values[two]
    for s in range(out.size):
        if code <= _DIVIDE:
            out[s] = _finite(_sum(code, a[s], b[s]))
        elif code < _GREATER:
            out[s] = _finite(_pick(code, a[s], b[s]))
        elif code <= _LESS_EQUAL:
            out[s] = _holds(code, a[s], b[s])
        elif code < _WHERE:
            out[s] = _finite(_one(code, a[s]))
        else:
            chosen = b[s] if a[s] != 0.0 else machine.values[three, s]
            out[s] = np.nan if np.isnan(a[s]) else _finite(chosen)


@compiled
def _across(machine: Machine, step: int) -> None:
    """Over symbols, added up row by row in their order."""
    code, one = machine.code[step, :2]
    out, a = machine.values[step], machine.values[one]
    if code == _LEADER:
        out[:] = a[machine.leader]
        return
    total, count = 0.0, 0.0
    for s in range(a.size):
        total += 0.0 if np.isnan(a[s]) else a[s]
        count += not np.isnan(a[s])
    others = count - 1.0 if count > 1.0 else np.nan
    if code == _OTHERS:
        for s in range(a.size):
            out[s] = (total - a[s]) / others
        return
    mean = _finite(total / count)
    squares = 0.0
    for s in range(a.size):
        gap = a[s] - mean
        squares += 0.0 if np.isnan(gap) else gap * gap
    out[:] = mean if code == _MEAN else np.sqrt(squares / others)


@compiled
def _stretch(machine: Machine, step: int, symbol: int, number: int, cells: int) -> FloatArray:
    """The last `cells` cells of a step, up to cell `number`."""
    start, size = machine.place[step]
    stop = start + symbol * 2 * size + number % size + size + 1
    return machine.rings[stop - cells : stop]


@compiled
def _look_back(machine: Machine, step: int, number: int) -> None:
    code, one, two, _, cells, least = machine.code[step]
    out = machine.values[step]
    ahead = number % max(cells, 1) + 1
    for s in range(out.size):
        if code == _LAG:
            out[s] = _finite(_stretch(machine, one, s, number, cells + 1)[0])
        elif code == _CORR:
            x = _stretch(machine, one, s, number, cells)
            out[s] = last_corr(x, _stretch(machine, two, s, number, cells), ahead, least)
        else:
            x = _stretch(machine, one, s, number, cells)
            out[s] = last_value(x, code - _WINDOW, ahead, least)


@compiled
def _remember(machine: Machine, step: int, number: int) -> None:
    """Put the newest cell of a step into its rings."""
    start, size = machine.place[step]
    if size == 0:
        return
    values = machine.values[step]
    for s in range(values.size):
        at = start + s * 2 * size + number % size
        machine.rings[at] = values[s]
        machine.rings[at + size] = values[s]


@compiled
def remember_all(machine: Machine, steps: NDArray[np.int64], number: int) -> None:
    """Put the newest cells of several steps into their rings."""
    for step in steps:
        _remember(machine, step, number)


@compiled
def run(machine: Machine, order: NDArray[np.int64], number: int) -> None:
    """Compute steps of one grid at its cell `number`, in the order given.

    >>> code = np.zeros((3, 6), dtype=np.int64)
    >>> code[2] = [CODES["apply", "add"], 0, 1, 0, 0, 0]
    >>> machine = Machine(code=code, values=np.array([[1.0], [2.0], [np.nan]]), leader=0,
    ...                   rings=np.empty(0), place=np.zeros((3, 2), dtype=np.int64))
    >>> run(machine, np.array([2]), 7)
    >>> machine.values[2]
    array([3.])
    """
    for step in order:
        code = machine.code[step, 0]
        if code < _LAG:
            _apply(machine, step)
        elif _LEADER <= code <= _OTHERS:
            _across(machine, step)
        else:
            _look_back(machine, step, number)
        _remember(machine, step, number)
