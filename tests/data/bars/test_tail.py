import numpy as np
import pytest

from liqwarn.data.bars.tail import Tail, dated_fields
from liqwarn.errors import StoreError


def test_columns_become_a_frame(panel, make_column, first):
    tail = Tail(columns=tuple(make_column(panel, k) for k in range(3)), missing=(), damages=())

    frame = tail.frame(panel)

    assert frame.shape == (2, 3)
    assert frame.times[0] == first
    assert tuple(frame.ages) == dated_fields(panel)
    assert frame.field("volume")[:, 2].tobytes() == make_column(panel, 2).fields["volume"].tobytes()


def test_lost_bars_at_the_ends_are_bars_too(panel, make_column, first):
    hour = np.timedelta64(3_600, "s")
    tail = Tail(columns=(make_column(panel, 1),), missing=(first, first + 2 * hour), damages=())

    with pytest.raises(StoreError, match="2 bars of the journal are lost: 2024-08-05T01:00:00Z"):
        tail.frame(panel)
    frame = tail.frame(panel, holes="nan")

    assert frame.shape == (2, 3)
    assert np.isnan(frame.field("close")[:, [0, 2]]).all()


def test_no_bars_are_no_frame(panel):
    with pytest.raises(StoreError, match="no bar in that time"):
        Tail(columns=(), missing=(), damages=()).frame(panel)
