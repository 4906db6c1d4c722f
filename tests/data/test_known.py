"""When rows of a recorded series count: a late one is no history."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.data.known import known_at, without_late
from liqwarn.data.mapping import SeenMap
from liqwarn.data.panel import Source
from liqwarn.data.quarantine import Rejects
from liqwarn.data.rows import Rows

T0 = 1_704_067_200
HOUR = 3_600


@pytest.fixture
def run():
    return known_of


def known_of(hours, symbols=None):
    """Hours after its end at which each row is known, from when each was seen; None: left out."""
    n = len(hours)
    ends = T0 + HOUR * np.arange(1, n + 1)
    told = Source.model_construct(
        seen=SeenMap(column="seen_at", within="2h"), known_lag=pd.Timedelta("1h").to_pytimedelta()
    )
    stamps = pd.to_datetime(ends + HOUR * np.array(hours), unit="s", utc=True)
    table = pd.DataFrame({"seen_at": [stamp.isoformat() for stamp in stamps]})
    rows = Rows(row=np.arange(1, n + 1), symbol=np.array(symbols or ["A"] * n), event=ends,
                values={"inflow": np.ones(n)})  # fmt: skip
    rejects = Rejects()
    kept = without_late(rows, told, table, rejects)
    known = dict(zip(kept.row.tolist(), (known_at(kept, told, table) - kept.event) / HOUR,
                     strict=True))  # fmt: skip
    left_out = {refusal.row for refusal in rejects.refusals}
    assert left_out == set(range(1, n + 1)) - set(known)
    return [known.get(row) for row in range(1, n + 1)]


def test_a_row_that_came_after_newer_ones_were_seen_live_is_left_out(run):
    assert run([0.5, 30, 0.5, 0.5]) == [0.5, None, 0.5, 0.5]
    assert run([0.5, 1.6, 0.5, 0.5]) == [0.5, 1.6, 0.5, 0.5]


def test_history_and_pauses_of_the_recorder_are_no_late_rows(run):
    assert run([100, 99, 98, 0.5]) == [1, 1, 1, 0.5]  # history, then recorded
    assert run([0.5, 3.5, 2.5, 1.5, 0.5]) == [0.5, 1, 1, 1.5, 0.5]  # a pause, then all at once
    assert run([500, 499, 0.5, 0.5]) == [1, 1, 0.5, 0.5]  # an earlier --from, later


def test_each_symbol_has_its_own_line(run):
    assert run([0.5, 30, 0.5, 0.5], ["A", "B", "B", "A"]) == [0.5, 1, 0.5, 0.5]
    assert run([0.5, 0.5, 0.5, 30], ["A", "A", "B", "B"])[3] == 1


@given(st.lists(st.floats(0, 50).map(lambda late: round(late, 2)), min_size=1, max_size=12))
def test_no_row_counts_before_it_was_seen_once_newer_ones_were(lates):
    """A recorder that had seen a newer row live did not have this one."""
    known = known_of(lates)
    for n, (late, counts) in enumerate(zip(lates, known, strict=True)):
        newer = [lates[m] + m for m in range(n + 1, len(lates)) if lates[m] <= 2]
        begun = any(lates[m] <= 2 for m in range(n))
        if begun and newer and min(newer) < late + n and counts is not None:
            assert counts >= late
