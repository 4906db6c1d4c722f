import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.data.merge import compare, latest
from liqwarn.data.records import Records, SeriesKey

KEY = SeriesKey(panel="p", source="s", symbol="BTCUSDT")
N = np.nan


def records(event, lag=0, **values):
    event = np.asarray(event, dtype=np.int64)
    columns = {name: np.asarray(column, dtype=float) for name, column in values.items()}
    return Records(
        key=KEY, event=event, known=event + lag, values=columns, row=np.arange(1, event.size + 1)
    )


def test_new_times_are_written_and_known_ones_left():
    change = compare(records([1, 2], close=[10, 20]), records([2, 3], close=[20, 30]))

    assert (change.new, change.unchanged, change.replaced, change.clash) == (1, 1, 0, None)
    assert change.fresh.event.tolist() == [3]


def test_a_new_field_of_a_known_time_keeps_the_others():
    change = compare(records([1], close=[10]), records([1], volume=[5]))

    assert change.new == 1
    assert {n: c.tolist() for n, c in change.fresh.values.items()} == {
        "close": [10.0],
        "volume": [5.0],
    }


def test_an_empty_cell_neither_contradicts_nor_removes():
    change = compare(records([1], close=[10]), records([1], close=[N]))

    assert (change.unchanged, len(change.fresh)) == (1, 0)


def test_the_first_contradiction_is_named_whole():
    change = compare(
        records([1, 2, 3], close=[10, 20, 30], volume=[1, 1, 1]),
        records([1, 2, 3], close=[10, 20, 31], volume=[1, 2, 2]),
    )
    clash = change.clash

    assert (clash.row, clash.field, clash.event, clash.old, clash.new) == (2, "volume", 2, 1.0, 2.0)
    assert (clash.cells, clash.stored_at, change.replaced) == (3, 1, 2)


def test_another_lag_is_a_contradiction_too():
    change = compare(records([100], close=[1]), records([100], lag=60, close=[1]))

    assert (change.clash.field, change.clash.old, change.clash.new) == ("known_at", 100.0, 160.0)


@given(
    st.lists(
        st.dictionaries(st.integers(0, 30), st.floats(1, 2), min_size=1, max_size=10),
        min_size=1,
        max_size=5,
    )
)
def test_the_latest_writing_of_each_time_wins(writings):
    parts = [records(sorted(w), close=[w[t] for t in sorted(w)]) for w in writings]
    expected: dict[int, float] = {}
    for writing in writings:
        expected |= writing

    pick = latest(parts)

    event = np.concatenate([p.event for p in parts])[pick]
    close = np.concatenate([p.values["close"] for p in parts])[pick]
    assert dict(zip(event.tolist(), close.tolist(), strict=True)) == expected
    assert event.tolist() == sorted(expected)
