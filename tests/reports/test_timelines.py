from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.reports.scales import LogScale, TimeScale
from liqwarn.reports.timelines import Run, decimate_max, line_path, run_path, tier_runs

BAR = 3_600


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.data())
def test_runs_say_what_the_series_said(tiers, data):
    kept = data.draw(st.lists(st.booleans(), min_size=len(tiers), max_size=len(tiers)))
    seconds = np.array([i * BAR for i, keep in enumerate(kept) if keep], dtype=np.int64)
    values = [tier for tier, keep in zip(tiers, kept, strict=True) if keep]
    runs = tier_runs(seconds, values, BAR)
    unrolled = [(t, run.tier) for run in runs for t in range(run.start, run.end, BAR)]

    assert unrolled == list(zip(seconds.tolist(), values, strict=True))
    assert all(a.end < b.start or a.tier != b.tier for a, b in pairwise(runs))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.integers(1, 50))
def test_decimation_never_loses_the_peak(values, buckets):
    seconds = np.arange(len(values), dtype=np.int64) * BAR
    scale = TimeScale(0, len(values) * BAR)
    peaks = decimate_max(seconds, np.array(values), scale, buckets)

    assert len(peaks) == buckets
    assert max(p for p in peaks if p is not None) == max(values)


def test_values_outside_the_axis_are_left_out():
    found = decimate_max(np.array([0, 100]), np.array([0.9, 0.1]), TimeScale(50, 100), 1)

    assert found == [0.1]


def test_a_gap_breaks_the_line():
    path = line_path([0.1, 0.1, None, 0.1], LogScale(0.01, 1.0))

    assert path == "M0 50L33.3 50M100 50"


def test_a_run_before_the_axis_is_cut_at_its_edge():
    assert run_path([Run(0, 75, 5)], 5, TimeScale(50, 100)) == "M0 5V0H50V5Z"
    assert run_path([Run(0, 40, 5)], 5, TimeScale(50, 100)) == ""
