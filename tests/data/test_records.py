import numpy as np
import pytest

from liqwarn.data.records import Records, SeriesKey
from liqwarn.errors import FrameError

KEY = SeriesKey(panel="p", source="s", symbol="BTCUSDT")


def test_records_are_sorted_by_unique_event_times():
    times = np.array([1, 3, 2])
    with pytest.raises(FrameError, match="not sorted by unique event times"):
        Records(key=KEY, event=times, known=times, values={}, row=times)


def test_rows_are_taken_from_every_column():
    times = np.array([1, 2, 3])
    records = Records(
        key=KEY, event=times, known=times + 9, values={"close": times * 1.0}, row=times
    )

    taken = records.take(np.array([False, True, True]))

    assert len(taken) == 2
    assert taken.known.tolist() == [11, 12]
    assert taken.values["close"].tolist() == [2.0, 3.0]
