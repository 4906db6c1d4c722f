"""Each order counts once however often it is told, and equal ones in a frame count both."""

from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.happenings import Liquidation
from liqwarn.collectors.tally_orders import OrderTally


def order(time_ms=5, side="long", price=100.0, size=2.0):
    return Liquidation(
        symbol="X", time_ms=time_ms, side=side, price=price, price_is="order", size=size
    )


ORDERS = st.builds(
    order,
    time_ms=st.integers(0, 3_000),
    side=st.sampled_from(["long", "short"]),
    price=st.sampled_from([99.0, 100.1, 7e4]),
    size=st.sampled_from([0.1, 1.0, 33.3]),
)
FRAMES = st.lists(st.tuples(st.lists(ORDERS, min_size=1, max_size=4), st.integers(0, 9_000)))


def tally(frames):
    found = OrderTally()
    for frame, seen_ms in frames:
        found.add(frame, seen_ms)
    return found


def test_a_replay_is_not_counted_again_and_two_equal_ones_are_two():
    found = tally([([order(), order()], 10), ([order(), order()], 20), ([order()], 30)])

    assert (found.side("long").count, found.side("long").sum_usd, found.seen_ms) == (2, 400.0, 10)


def test_what_a_later_frame_tells_more_of_is_known_when_it_came():
    found = tally([([order()], 10), ([order(), order()], 20)])

    assert (found.side("long").count, found.seen_ms) == (2, 20)


def test_whatever_differs_is_another_order():
    others = [order(), order(time_ms=6), order(side="short"), order(price=101.0), order(size=3.0)]

    found = tally([([one], 10) for one in others])

    assert (found.side("long").count, found.side("short").count) == (4, 1)


@given(FRAMES, st.randoms())
def test_the_order_of_frames_does_not_matter(frames, random):
    shuffled = list(frames)
    random.shuffle(shuffled)

    assert tally(shuffled).copies == tally(frames).copies
    assert tally(shuffled).side("long") == tally(frames).side("long")


@given(FRAMES, FRAMES)
def test_tallies_of_parts_merge_to_that_of_the_whole(first, second):
    merged = tally(first)
    merged.merge(tally(second))

    assert merged.copies == tally(first + second).copies


@given(FRAMES)
def test_a_frame_twice_is_a_frame_once(frames):
    assert tally(frames + frames).copies == tally(frames).copies


@given(FRAMES, st.sampled_from(["long", "short"]))
def test_sums_of_a_side(frames, side):
    found = tally(frames).side(side)

    assert 0.0 <= found.capped_sum_usd <= found.sum_usd
    assert found.largest_usd <= found.sum_usd
    assert len(found.seconds) <= min(found.count, 4)
    assert (found.count == 0) == (found.sum_usd == 0.0)
