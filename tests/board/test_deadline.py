from datetime import timedelta

import pytest

from liqwarn.board.clocks import epoch_ns
from liqwarn.board.deadline import deadline_for

LIFE = (70 * 60 - 1) * 10**9
"""From `issued_at` to `valid_until` of the flags here."""


@pytest.mark.parametrize(
    ("since_issued", "left"),
    [
        (0, LIFE),
        (60, LIFE - 60 * 10**9),
        (-600, LIFE),
        (-86_400, LIFE),
        (70 * 60 - 1, 0),
        (9_999_999, 0),
    ],
)
def test_no_wall_clock_lengthens_a_life(make_flag, since_issued, left):
    flag = make_flag()
    wall = epoch_ns(flag.issued_at) + since_issued * 10**9
    assert deadline_for(flag, wall_ns=wall, boot_ns=7) == 7 + left


def test_an_end_by_hand_counts(make_flag):
    flag = make_flag(valid_until=make_flag().issued_at + timedelta(minutes=5))
    assert deadline_for(flag, wall_ns=0, boot_ns=0) == 300 * 10**9
