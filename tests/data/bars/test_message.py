import dataclasses

import numpy as np
import pytest

from liqwarn.data.bars.message import BarColumn, BarMessage, close_seconds
from liqwarn.errors import DataError, FrameError

SIX = np.datetime64("2024-08-05T06:00:00")


def column(**changes):
    told = {
        "time": SIX,
        "symbols": ("A", "B"),
        "fields": {"close": np.array([1.0, np.nan])},
        "ages": {"close": np.array([0.0, np.nan])},
        "bar_s": 3_600,
    }
    return BarColumn(**(told | changes))


def test_a_column_cannot_be_changed():
    one = column()

    with pytest.raises(ValueError, match="read-only"):
        one.fields["close"][0] = 2.0
    with pytest.raises(TypeError, match="does not support item assignment"):
        one.fields["open"] = one.fields["close"]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        one.time = SIX


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": np.datetime64("2024-08-05T06:00", "m")}, r"expected a datetime64\[s\]"),
        ({"time": np.datetime64("NaT", "s")}, r"expected a datetime64\[s\]"),
        ({"time": SIX + 1}, "is not on the grid of 3600 s bars"),
        ({"symbols": ("B", "A")}, "expected sorted and unique"),
        ({"symbols": ("A", "A")}, "expected sorted and unique"),
        ({"fields": {"clsoe": np.zeros(2)}}, r"fields \['clsoe'\] are unknown"),
        ({"fields": {"close": np.zeros(3)}}, r"field 'close' has shape \(3,\), expected \(2,\)"),
        ({"ages": {"close": np.zeros(2, dtype=int)}}, "age 'close' is int64, expected C-cont"),
        ({"fields": {"close": np.zeros(4)[::2]}}, "expected C-contiguous float64"),
    ],
)
def test_a_column_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(FrameError, match=message):
        column(**changes)


def test_messages_that_say_the_same_are_equal(make_message):
    said = make_message(close=1.0, ages={"close": 2.0})
    more = make_message(close=1.0, volume=np.nan, ages={"close": 2.0, "volume": 3.0})

    assert said == more
    assert said != make_message(close=1.0, ages={"close": 3.0})
    assert close_seconds(said.time) % 3_600 == 0


def test_a_message_lies_on_the_grid(make_message):
    with pytest.raises(DataError, match="expected a close of 3600 s bars"):
        make_message(time=SIX + 1)
    with pytest.raises(DataError, match="bar_s: found 0, expected a divisor of a day"):
        BarMessage(symbol="A", time=SIX, bar_s=0, fields={})
