"""Every step over a history at once, by the functions of the batch: what a tape starts from."""

from collections.abc import Iterator

import numpy as np

from liqwarn.features.arithmetic import OPERATIONS, across
from liqwarn.features.inputs import Inputs, leader_row
from liqwarn.features.past import WINDOWS, reveal
from liqwarn.features.sketch import Step, Steps
from liqwarn.frames import FloatArray
from liqwarn.live.program import ring_cells
from liqwarn.windows import lag, rolling_corr

__all__ = ["newest_cells"]


def newest_cells(steps: Steps, ratio: int, inputs: Inputs) -> Iterator[tuple[int, FloatArray]]:
    """The newest cells of every step of one grid, as many as later steps look back on.

    Yields
    ------
    int, ndarray of shape (n_symbols, n_cells)
        Position of the step, and its cells up to the last that closed; at least one if any did.
    """
    kept = np.maximum(ring_cells(steps), 1)
    until = _last_uses(steps)
    found: dict[int, FloatArray] = {}
    for at, step in enumerate(steps.steps):
        if step.ratio != ratio:
            continue
        found[at] = _computed(step, found, inputs)
        yield at, found[at][:, -kept[at] :]
        for one in {*step.of, at}:  # a long history of many symbols would not fit otherwise
            if until[one] <= at:
                del found[one]


def _last_uses(steps: Steps) -> list[int]:
    """Position of the last step that is made from each; its own where none is."""
    until = list(range(len(steps.steps)))
    for at, step in enumerate(steps.steps):
        for one in step.of:
            until[one] = at
    return until


def _computed(step: Step, found: dict[int, FloatArray], inputs: Inputs) -> FloatArray:
    given = [found[one] for one in step.of]
    if step.kind == "field":
        return reveal(inputs.at(step.name, step.ratio))
    if step.kind == "constant":
        return np.full(inputs.shape(step.ratio), step.value)
    if step.kind == "apply":
        return OPERATIONS[step.name](*given)
    if step.kind == "across":
        return across(step.name, given[0], leader_row(inputs.symbols))
    return _looked_back(step, given, inputs)


def _looked_back(step: Step, given: list[FloatArray], inputs: Inputs) -> FloatArray:
    if step.kind == "lag":
        return lag(given[0], step.cells)
    first = inputs.first_cell(step.ratio)
    if step.kind == "corr":
        one, other = given
        return rolling_corr(one, other, step.cells, first_bar=first, min_count=step.least)
    return WINDOWS[step.name](given[0], step.cells, first_bar=first, min_count=step.least)
