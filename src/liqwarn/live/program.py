"""Steps as a program: in what order the machine and NumPy take turns, on each grid."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liqwarn.features.sketch import Steps
from liqwarn.live.machine import APPLIED, CODES

__all__ = ["Elsewhere", "Program", "Turn", "codes_of", "program_of", "ring_cells"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Elsewhere:
    """Steps of one operation that NumPy computes together.

    Attributes
    ----------
    name : str
        Of :data:`liqwarn.features.arithmetic.OPERATIONS`.
    steps : ndarray of int64, shape (n,)
    operands : tuple of ndarray of int64, shape (n,)
        The steps that give each operand.
    """

    name: str
    steps: NDArray[np.int64]
    operands: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Turn:
    """What the machine computes at a stretch, and what NumPy does after it.

    Attributes
    ----------
    machine : ndarray of int64
    elsewhere : tuple of Elsewhere
    operands, steps : ndarray of int64
        Of all that is done elsewhere, one after the other.
    """

    machine: NDArray[np.int64]
    elsewhere: tuple[Elsewhere, ...]
    operands: NDArray[np.int64]
    steps: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """The steps of one grid.

    Attributes
    ----------
    ratio : int
        Base bars in a cell.
    fields : tuple of str
        What is given.
    places : ndarray of int64, shape (n_fields,)
        Positions of the steps that are those fields.
    turns : tuple of Turn
    """

    ratio: int
    fields: tuple[str, ...]
    places: NDArray[np.int64]
    turns: tuple[Turn, ...]


def program_of(steps: Steps, ratio: int) -> Program:
    """The program of one grid.

    A step's turn is the earliest at which all it is made from is there: NumPy's work closes a turn.
    """
    turn_of: dict[int, int] = {}
    machine: dict[int, list[int]] = defaultdict(list)
    elsewhere: dict[tuple[int, str], list[int]] = defaultdict(list)
    fields = []
    for at, step in enumerate(steps.steps):
        if step.ratio != ratio:
            continue
        ready = max((turn_of[one] for one in step.of), default=0)
        turn_of[at] = ready
        if step.kind == "field":
            fields.append(at)
        elif step.kind == "apply" and step.name not in APPLIED:
            elsewhere[ready, step.name].append(at)
            turn_of[at] = ready + 1
        elif step.kind != "constant":
            machine[ready].append(at)
    last = max(turn_of.values(), default=-1)
    turns = tuple(
        _turn(
            machine[turn],
            [
                _elsewhere(steps, name, found)
                for (when, name), found in elsewhere.items()
                if when == turn
            ],
        )
        for turn in range(last + 1)
    )
    return Program(
        ratio=ratio,
        fields=tuple(steps.steps[at].name for at in fields),
        places=np.array(fields, dtype=np.int64),
        turns=turns,
    )


def _turn(machine: list[int], elsewhere: list[Elsewhere]) -> Turn:
    none = np.empty(0, dtype=np.int64)
    return Turn(
        machine=np.array(machine, dtype=np.int64),
        elsewhere=tuple(elsewhere),
        operands=np.concatenate([none, *(one for work in elsewhere for one in work.operands)]),
        steps=np.concatenate([none, *(work.steps for work in elsewhere)]),
    )


def _elsewhere(steps: Steps, name: str, found: list[int]) -> Elsewhere:
    operands = zip(*(steps.steps[at].of for at in found), strict=True)
    return Elsewhere(
        name=name,
        steps=np.array(found, dtype=np.int64),
        operands=tuple(np.array(one, dtype=np.int64) for one in operands),
    )


def codes_of(steps: Steps) -> NDArray[np.int64]:
    """The machine's code of every step, shape (n_steps, 6); -1 where it is not the machine's."""
    code = np.zeros((len(steps.steps), 6), dtype=np.int64)
    for at, step in enumerate(steps.steps):
        code[at, 0] = CODES.get((step.kind, step.name), -1)
        code[at, 1 : 1 + len(step.of)] = step.of
        code[at, 4:] = step.cells, step.least
    return code


def ring_cells(steps: Steps) -> NDArray[np.int64]:
    """Cells of every step that later steps look back on, the newest included; 0 for none.

    >>> from datetime import timedelta
    >>> from liqwarn.features.builder import all_features
    >>> from liqwarn.features.sketch import sketch
    >>> by_name = {one.name: one for one in all_features()}
    >>> ring_cells(sketch([by_name["price_return_4h"]], timedelta(hours=1))).tolist()
    [0, 5, 0, 0]
    """
    needed = np.zeros(len(steps.steps), dtype=np.int64)
    for step in steps.steps:
        if step.kind in ("lag", "window", "corr"):
            cells = step.cells + 1 if step.kind == "lag" else step.cells
            for one in step.of:
                needed[one] = max(needed[one], cells)
    return needed
