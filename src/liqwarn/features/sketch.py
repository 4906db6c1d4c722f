"""Features written down instead of computed: the steps that lead from fields to every feature.

The functions of the families are run once on a :class:`Sketch`, which holds no numbers and notes
what is asked of it. Steps that several features share are written once. Live computes the newest
cell from these steps; see :mod:`liqwarn.live.tape`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.features.feature import Feature
from liqwarn.features.past import MIN_SHARE, Past
from liqwarn.features.resolution import cells_of

__all__ = ["Sketch", "Step", "Steps", "sketch"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to compute of each symbol at each cell.

    Attributes
    ----------
    ratio : int
        Base bars in a cell of its grid.
    kind : {"field", "constant", "apply", "lag", "window", "corr", "across"}
        What it is: a field of the frame, a number, an operation of
        :data:`liqwarn.features.arithmetic.OPERATIONS`, or a look back or aside.
    name : str
        Which field, operation or window.
    of : tuple of int
        Positions of the steps it is made from.
    cells : int
        Length of the lag or window.
    least : int
        Cells of the window that must be known.
    value : float
        Of a constant.
    """

    ratio: int
    kind: str
    name: str = ""
    of: tuple[int, ...] = ()
    cells: int = 0
    least: int = 0
    value: float = 0.0


@dataclass(slots=True)
class Steps:
    """Steps in an order in which each comes after those it is made from.

    Attributes
    ----------
    steps : list of Step
    results : dict of feature to position
    """

    steps: list[Step] = field(default_factory=list)
    results: dict[str, int] = field(default_factory=dict)
    _known: dict[Step, int] = field(default_factory=dict)

    def position(self, step: Step) -> int:
        """Where a step stands; it is written down if it is new."""
        if step not in self._known:
            self._known[step] = len(self.steps)
            self.steps.append(step)
        return self._known[step]


class Sketch(Past):
    """A series of which only the way to it is known."""

    __slots__ = ("_at", "_steps")

    _at: int
    _steps: Steps

    @classmethod
    def of(cls, steps: Steps, at: int, cell: timedelta) -> "Sketch":
        """The series at a position of the steps."""
        made = cls(np.empty((1, 0)), cell=cell, first_cell=0, leader=0)
        made._steps, made._at = steps, at
        return made

    @property
    def at(self) -> int:
        """Position of the step that gives it."""
        return self._at

    def _note(self, kind: str, name: str, of: tuple[int, ...], cells: int = 0) -> "Sketch":
        ratio = self._steps.steps[self._at].ratio
        least = math.ceil(cells * MIN_SHARE) if kind in ("window", "corr") else 0
        step = Step(ratio, kind, name, of, cells, least)
        return Sketch.of(self._steps, self._steps.position(step), self._cell)

    def _constant(self, value: float) -> int:
        ratio = self._steps.steps[self._at].ratio
        return self._steps.position(Step(ratio, "constant", repr(value), value=value))

    def _place(self, operand: Past | float) -> int:
        if isinstance(operand, Past):
            return _drawn(operand)._at
        return self._constant(float(operand))

    def _nothing(self) -> Past:
        return Sketch.of(self._steps, self._constant(math.nan), self._cell)

    def _apply(self, name: str, *operands: Past | float) -> Past:
        return self._note("apply", name, tuple(self._place(one) for one in operands))

    def _shift(self, cells: int) -> Past:
        return self._note("lag", "lag", (self._at,), cells)

    def _roll(self, kind: str, cells: int) -> Past:
        return self._note("window", kind, (self._at,), cells)

    def _roll_with(self, other: Past, cells: int) -> Past:
        return self._note("corr", "corr", (self._at, _drawn(other)._at), cells)

    def _across(self, kind: str) -> Past:
        return self._note("across", kind, (self._at,))


def _drawn(past: Past) -> Sketch:
    if not isinstance(past, Sketch):
        raise FrameError(f"a feature mixes {past!r} into a sketch, expected sketches alone")
    return past


def sketch(features: Iterable[Feature], bar: timedelta) -> Steps:
    """Write down how features come about on bars of a length.

    Examples
    --------
    >>> from liqwarn.features.builder import all_features
    >>> by_name = {one.name: one for one in all_features()}
    >>> made = sketch([by_name["price_return_4h"]], timedelta(hours=1))
    >>> [(step.kind, step.name, step.cells) for step in made.steps]
    [('field', 'close', 0), ('apply', 'log', 0), ('lag', 'lag', 4), ('apply', 'subtract', 0)]
    """
    steps = Steps()
    for one in features:
        ratio = cells_of(one.resolution, bar)
        given = [
            Sketch.of(steps, steps.position(Step(ratio, "field", name)), bar * ratio)
            for name in one.inputs
        ]
        steps.results[one.name] = _drawn(one.function(*given)).at
    return steps
