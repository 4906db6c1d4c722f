"""A tape says, bar by bar, what the builder says of the whole history: the same bits."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import FrameError, StoreError
from liqwarn.features.builder import FeatureBuilder, all_features
from liqwarn.live.tape import Tape, tail_bars


def column(frame, t):
    return {name: plane[:, t].copy() for name, plane in frame.fields.items()}


def bits(x):
    return np.where(np.isnan(x), np.nan, x).view(np.int64)


@pytest.mark.parametrize("minutes", [5, 30, 60, 240])
@pytest.mark.parametrize("cut", [1, 700, 1_001])
def test_every_later_bar_has_the_builders_bits(random_frame, minutes, cut):
    """From a first bar alone, in the middle of coarse cells, and after a history."""
    frame = random_frame(timedelta(minutes=minutes), 1_060, seed=minutes + cut)
    expected = FeatureBuilder().build(frame).values
    tape = Tape.start(frame.between(0, cut))

    np.testing.assert_array_equal(bits(tape.row()), bits(expected[:, cut - 1].copy()))
    for t in range(cut, min(cut + 130, 1_060)):
        row = tape.advance(column(frame, t))
        np.testing.assert_array_equal(bits(row), bits(expected[:, t].copy()), err_msg=str(t))


def test_a_tail_is_as_good_as_the_whole_history(random_frame):
    few = tuple(one for one in all_features() if one.resolution != "8h")
    frame = random_frame(timedelta(hours=1), 2_400, seed=4)
    need = tail_bars(frame, few)
    whole = Tape.start(frame.between(0, 2_350), few)
    tail = Tape.start(frame.between(2_350 - need, 2_350), few)

    assert 1_440 < need < 2_350
    for t in range(2_350, 2_400):
        given = column(frame, t)
        np.testing.assert_array_equal(whole.advance(given), tail.advance(given))


def test_a_shorter_tail_than_that_is_not(random_frame):
    frame = random_frame(timedelta(hours=1), 1_600, seed=4)
    short = Tape.start(frame.between(1_400, 1_550))
    whole = Tape.start(frame.between(0, 1_550))

    assert (bits(short.row()) != bits(whole.row())).any()


def test_fields_that_are_absent_or_infinite_are_missing(random_frame, hour):
    frame = random_frame(hour, 300, seed=9)
    one, other = Tape.start(frame), Tape.start(frame)
    given = column(frame, 7)
    given["funding_rate"] = np.full(3, np.inf)

    row = one.advance(given)
    del given["funding_rate"]

    np.testing.assert_array_equal(row, other.advance(given))
    assert np.isnan(row[:, one.names.index("funding_8h")]).all()


def test_a_field_of_another_length_is_refused(random_frame, hour):
    tape = Tape.start(random_frame(hour, 50, seed=1))

    with pytest.raises(FrameError, match=r"field 'close' has shape \(2,\), expected \(3,\)"):
        tape.advance({"close": np.ones(2)})


@pytest.mark.parametrize("cut", [403, 404, 408])
def test_it_goes_on_from_its_bytes(random_frame, cut):
    frame = random_frame(timedelta(minutes=30), 480, seed=cut)
    tape = Tape.start(frame.between(0, cut))
    again = Tape.from_bytes(tape.to_bytes())

    assert again.number == tape.number
    for t in range(cut, 480):
        given = column(frame, t)
        np.testing.assert_array_equal(again.advance(given), tape.advance(given))


def test_bytes_of_other_features_are_refused(random_frame, hour):
    frame = random_frame(hour, 50, seed=1)
    data = Tape.start(frame, all_features()[:9]).to_bytes()

    with pytest.raises(StoreError, match="by a version with other features"):
        Tape.from_bytes(data)
