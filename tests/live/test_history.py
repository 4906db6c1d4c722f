"""A history's newest cells: those of the batch, as many as are looked back on."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.features.builder import FeatureBuilder, all_features
from liqwarn.features.inputs import Inputs
from liqwarn.features.resolution import first_coarse_cell
from liqwarn.features.sketch import sketch
from liqwarn.live.history import newest_cells
from liqwarn.live.program import ring_cells


@pytest.fixture(scope="module", params=[30, 60, 240])
def given_history(request, random_frame):
    frame = random_frame(timedelta(minutes=request.param), 500, seed=request.param)
    steps = sketch(all_features(), frame.bar)
    inputs = Inputs(frame, whole_panel=True)
    ratios = sorted({one.ratio for one in steps.steps})
    found = {at: series for ratio in ratios for at, series in newest_cells(steps, ratio, inputs)}
    return frame, steps, found


def test_every_step_is_there_with_the_cells_it_needs(given_history):
    frame, steps, found = given_history
    kept = np.maximum(ring_cells(steps), 1)

    assert set(found) == set(range(len(steps.steps)))
    for at, series in found.items():
        ratio = steps.steps[at].ratio
        last = (frame.first_bar + 499) // ratio
        cells = last - first_coarse_cell(frame.first_bar, ratio) + 1
        assert series.shape == (3, min(int(kept[at]), cells)), steps.steps[at]


def test_the_last_cell_of_a_feature_is_the_builder_s(given_history):
    frame, steps, found = given_history
    built = FeatureBuilder().build(frame)
    for k, name in enumerate(built.names):
        newest = found[steps.results[name]][:, -1]
        np.testing.assert_array_equal(newest, built.values[:, -1, k], err_msg=name)


def test_a_history_too_short_for_a_coarse_cell_has_none(random_frame):
    frame = random_frame(timedelta(minutes=30), 3, seed=1, first=17)
    steps = sketch(all_features(), frame.bar)
    coarse = max(one.ratio for one in steps.steps)

    series = dict(newest_cells(steps, coarse, Inputs(frame, whole_panel=True)))

    assert coarse == 16
    assert {one.shape for one in series.values()} == {(3, 0)}
