"""New, late, or back in time."""

import pytest

from liqwarn.collectors.stream_time import BACK_MS, stream_time


@pytest.mark.parametrize(
    ("newest", "now", "expected"),
    [
        (None, 0, "new"),
        (10, 10, "new"),
        (10, 11, "new"),
        (BACK_MS, 0, "old"),
        (BACK_MS + 1, 0, "back"),
    ],
)
def test_what_the_time_of_a_frame_is(newest, now, expected):
    assert stream_time(newest, now) == expected
