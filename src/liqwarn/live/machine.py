"""The compiled part of the tape: one cell of every step, for all symbols, in one call.

Operations that NumPy computes with arithmetic of its own (logarithms, sines, remainders) are not
here: their last bit may differ. The caller has them done by NumPy between two calls.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray
from liqwarn.live.carried import CARRIED, carried_value, room_of
from liqwarn.windows.arguments import compiled, inlined
from liqwarn.windows.last import KINDS, last_corr, last_value

__all__ = ["APPLIED", "CODES", "Machine", "gather", "new_machine", "put", "run"]

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
_CARRIED: Final = _WINDOW + max(CARRIED)

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
    held : ndarray of float64
        What is carried of windows; made from the rings where it is not of the cell before.
    room : ndarray of int64, shape (n_steps, 2)
        Where a step's numbers in `held` start and how many there are of a symbol.
    leader : int
        Row of the market's leader.
    """

    code: NDArray[np.int64]
    values: FloatArray
    rings: FloatArray
    place: NDArray[np.int64]
    held: FloatArray
    room: NDArray[np.int64]
    leader: int


def new_machine(
    code: NDArray[np.int64], cells: NDArray[np.int64], n_symbols: int, leader: int
) -> Machine:
    """A machine that remembers nothing.

    Parameters
    ----------
    code : ndarray of int64, shape (n_steps, 6)
    cells : ndarray of int64, shape (n_steps,)
        How many newest cells of each step are looked back on.
    """
    carried = np.isin(code[:, 0], [_WINDOW + kind for kind in CARRIED])
    rooms = np.where(carried, [room_of(size) for size in code[:, 4].tolist()], 0)
    ring_at = np.cumsum(np.append(0, 2 * cells * n_symbols))
    held_at = np.cumsum(np.append(0, rooms * n_symbols))
    return Machine(
        code=code,
        values=np.full((len(code), n_symbols), np.nan),
        rings=np.full(int(ring_at[-1]), np.nan),
        place=np.ascontiguousarray(np.stack([ring_at[:-1], cells], axis=1)),
        held=np.full(int(held_at[-1]), np.nan),
        room=np.ascontiguousarray(np.stack([held_at[:-1], rooms], axis=1)),
        leader=leader,
    )


@inlined
def _finite(value: float) -> float:
    return value if value - value == 0.0 else np.nan


@inlined
def _larger(a: float, b: float, sign: float) -> float:
    """The larger for sign 1, the smaller for -1; what is missing loses, and -0.0 is 0.0."""
    if np.isnan(a):
        return b + 0.0
    if np.isnan(b):
        return a + 0.0
    return (a if sign * a >= sign * b else b) + 0.0


@inlined
def _sum(code: int, a: float, b: float) -> float:
    if code == _ADD:
        return a + b
    if code == _SUBTRACT:
        return a - b
    if code == _MULTIPLY:
        return a * b
    return a / b


@inlined
def _pick(code: int, a: float, b: float) -> float:
    """One of the two: what is missing loses, but for maximum and minimum, where it wins."""
    if code == _FILL:
        return b if np.isnan(a) else a
    if code in (_HIGHEST, _LOWEST):
        return _larger(a, b, 1.0 if code == _HIGHEST else -1.0)
    if np.isnan(a) or np.isnan(b):
        return np.nan
    return _larger(a, b, 1.0 if code == _MAXIMUM else -1.0)


@inlined
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


@inlined
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


@inlined
def _computed(code: int, a: float, b: float) -> float:
    if code <= _DIVIDE:
        return _finite(_sum(code, a, b))
    if code < _GREATER:
        return _finite(_pick(code, a, b))
    if code <= _LESS_EQUAL:
        return _holds(code, a, b)
    return _finite(_one(code, a))


@inlined
def _apply(values: FloatArray, code: NDArray[np.int64], step: int) -> None:
    # no view of a row, here and below: for one symbol it takes longer than the arithmetic
    kind, one, two, three = code[step, 0], code[step, 1], code[step, 2], code[step, 3]
    if kind == _WHERE:
        for s in range(values.shape[1]):
            asked = values[one, s]
            chosen = values[two, s] if asked != 0.0 else values[three, s]
            values[step, s] = np.nan if np.isnan(asked) else _finite(chosen)
        return
    for s in range(values.shape[1]):
        values[step, s] = _computed(kind, values[one, s], values[two, s])


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


@inlined
def _newest(place: NDArray[np.int64], step: int, number: int) -> tuple[int, int]:
    """Where a step's stretches up to cell `number` end: the first symbol's, and the next one's."""
    size = place[step, 1]
    return place[step, 0] + number % size + size + 1, 2 * size


@compiled
def _look_back(machine: Machine, step: int, number: int) -> None:
    code, one, two, _, cells, least = machine.code[step]
    out, rings = machine.values[step], machine.rings
    ahead = number % max(cells, 1) + 1
    stop, stride = _newest(machine.place, one, number)
    end, length = _newest(machine.place, two, number) if code == _CORR else (stop, stride)
    for s in range(out.size):
        x = rings[stop + s * stride - cells : stop + s * stride]
        if code == _CORR:
            y = rings[end + s * length - cells : end + s * length]
            out[s] = last_corr(x, y, ahead, least)
        else:
            out[s] = last_value(x, code - _WINDOW, ahead, least)


@inlined
def _lag(machine: Machine, step: int, number: int) -> None:
    stop, stride = _newest(machine.place, machine.code[step, 1], number)
    at = stop - machine.code[step, 4] - 1
    for s in range(machine.values.shape[1]):
        machine.values[step, s] = _finite(machine.rings[at + s * stride])


@inlined
def _carry(machine: Machine, step: int, number: int) -> None:
    """A window of which most additions were done at earlier cells."""
    code = machine.code
    stop, stride = _newest(machine.place, code[step, 1], number)
    start, room = machine.room[step, 0], machine.room[step, 1]
    window = code[step, 0] - _WINDOW, code[step, 4], code[step, 5]
    for s in range(machine.values.shape[1]):
        where = stop + s * stride, start + s * room
        machine.values[step, s] = carried_value(machine.rings, where, number, window, machine.held)


@inlined
def _remember(machine: Machine, step: int, number: int) -> None:
    """Put the newest cell of a step into its rings."""
    start, size = machine.place[step, 0], machine.place[step, 1]
    if size == 0:
        return
    at = start + number % size
    for s in range(machine.values.shape[1]):
        machine.rings[at] = machine.values[step, s]
        machine.rings[at + size] = machine.values[step, s]
        at += 2 * size


@compiled
def put(
    machine: Machine,
    steps: NDArray[np.int64],
    given: FloatArray,
    rows: NDArray[np.int64],
    number: int,
) -> None:
    """Take the newest cells of several steps, and remember them; infinite is missing.

    Parameters
    ----------
    steps, rows : ndarray of int64, shape (n,)
        Which steps, and the row of each in `given`.
    given : ndarray of float64, shape (n_rows, n_symbols)
    """
    for k in range(steps.size):
        for s in range(given.shape[1]):
            machine.values[steps[k], s] = _finite(given[rows[k], s])
        _remember(machine, steps[k], number)


@compiled
def gather(machine: Machine, steps: NDArray[np.int64], out: FloatArray) -> None:
    """Copy the newest cells of several steps into `out`, shape (n_steps, n_symbols)."""
    for k in range(steps.size):
        for s in range(out.shape[1]):
            out[k, s] = machine.values[steps[k], s]


@compiled
def run(machine: Machine, order: NDArray[np.int64], number: int) -> None:
    """Compute steps of one grid at its cell `number`, in the order given.

    >>> code = np.zeros((3, 6), dtype=np.int64)
    >>> code[2] = [CODES["apply", "add"], 0, 1, 0, 0, 0]
    >>> machine = new_machine(code, np.zeros(3, dtype=np.int64), n_symbols=1, leader=0)
    >>> machine.values[:2, 0] = 1.0, 2.0
    >>> run(machine, np.array([2]), 7)
    >>> machine.values[2]
    array([3.])
    """
    for step in order:
        code = machine.code[step, 0]
        if code < _LAG:
            _apply(machine.values, machine.code, step)
        elif _WINDOW <= code <= _CARRIED:
            _carry(machine, step, number)
        elif code == _LAG:
            _lag(machine, step, number)
        elif _LEADER <= code <= _OTHERS:
            _across(machine, step)
        else:
            _look_back(machine, step, number)
        _remember(machine, step, number)
