"""What is carried on is what adding up anew gives, from any beginning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.live.carried import CARRIED, carried_value, room_of
from liqwarn.windows.last import KINDS, last_value

VALUE = st.one_of(
    st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1e9, 1e9 + 1e-3, 1e308, -1e308]),
    st.floats(-1e6, 1e6),
)


def bits(values):
    values = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(values), np.nan, values).view(np.int64).tolist()


def added_up(x, window, first, kind, least):
    padded = np.concatenate([np.full(window, np.nan), x])
    return [
        last_value(padded[t + 1 : t + 1 + window], kind, (first + t) % window + 1, least)
        for t in range(x.size)
    ]


def carried(x, window, first, kind, least, *, forgets=()):
    padded = np.concatenate([np.full(window, np.nan), x])
    held, found = np.full(room_of(window), np.nan), []
    for t in range(x.size):
        if t in forgets:
            held[:] = np.nan
        stop = t + 1 + window
        found.append(carried_value(padded, (stop, 0), first + t, (kind, window, least), held))
    return found


@pytest.mark.parametrize("kind", CARRIED)
@given(
    x=st.lists(VALUE, min_size=1, max_size=80),
    window=st.integers(1, 33),
    first=st.integers(0, 60),
    share=st.floats(0.01, 1.0),
    forgets=st.sets(st.integers(0, 79)),
)
@settings(max_examples=80, deadline=None)
def test_a_carried_window_has_the_bits_of_one_added_up(kind, x, window, first, share, forgets):
    """Also when what was carried is lost in between, as after a snapshot is read back."""
    x, least = np.array(x), max(1, int(share * window))

    ours = carried(x, window, first, kind, least, forgets=forgets)

    assert bits(ours) == bits(added_up(x, window, first, kind, least))


@pytest.mark.parametrize("kind", CARRIED)
def test_long_windows_too(kind):
    rng = np.random.default_rng(kind)
    x = np.where(rng.random(2_000) < 0.1, np.nan, rng.normal(1e3, 1.0, 2_000))
    x[700:900] = np.nan

    assert bits(carried(x, 720, 11, kind, 300)) == bits(added_up(x, 720, 11, kind, 300))


def test_what_is_of_another_cell_is_not_gone_on_from():
    x = np.arange(40.0) ** 2
    held = np.full(room_of(8), np.nan)
    window = KINDS["mean"], 8, 8
    carried_value(x, (20, 0), 19, window, held)

    found = carried_value(x, (23, 0), 22, window, held)

    assert found == last_value(x[15:23], KINDS["mean"], 22 % 8 + 1, 8)


def test_windows_beside_each_other_do_not_touch():
    x, room, window = np.arange(60.0), room_of(8), (KINDS["std"], 8, 8)
    held = np.full(2 * room, np.nan)
    for t in range(10, 30):
        one = carried_value(x, (t + 1, 0), t, window, held)
        other = carried_value(x, (t + 31, room), t, window, held)

    assert one == last_value(x[22:30], KINDS["std"], 29 % 8 + 1, 8)
    assert other == last_value(x[52:60], KINDS["std"], 29 % 8 + 1, 8)
