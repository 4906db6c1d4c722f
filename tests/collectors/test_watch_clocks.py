"""Clocks that jump and clocks that are wrong."""

import pytest

from liqwarn.collectors.watch_clocks import JumpWatch, SkewWatch, SystemClocks


@pytest.mark.parametrize(
    ("step", "told"), [(0.4, 0.0), (-0.4, 0.0), (0.6, 0.6), (-3600.0, -3600.0)]
)
def test_a_step_of_the_wall_is_told_once(step, told):
    watch = JumpWatch(1_000.0, 10.0)

    assert watch.jump(1_001.0 + step, 11.0) == pytest.approx(told)
    assert watch.jump(1_002.0 + step, 12.0) == 0.0


def test_a_wrong_clock_is_told_when_it_goes_wrong_and_when_it_is_right_again():
    watch = SkewWatch(late_s=5.0, early_s=1.0, window=5)

    def heard(lag_s):
        for _ in range(5):
            watch.heard(1_000_000 + int(lag_s * 1_000), 1_000_000)
        return watch.changed()

    assert watch.skew_s() is None
    assert watch.changed() is None
    assert heard(0.1) is None
    assert heard(-2.0) == "frames are -2.0 s behind our clock, expected -1 to 5 s"
    assert heard(-2.0) is None
    assert heard(1.0) == "frames are 1.0 s behind our clock, as expected"
    watch.restart()
    assert watch.skew_s() is None


def test_the_machines_clocks_are_themselves():
    clocks = SystemClocks()

    assert clocks.real_s(2.5) == 2.5
    assert clocks.wall() > 1.7e9
    assert clocks.monotonic() <= clocks.monotonic()


def test_a_skew_that_grows_or_is_there_after_a_jump_is_told_again():
    skew = SkewWatch(window=3)
    found = []
    for lag in (100, 6_000, 7_000, 20_000, 30_000, 50):
        for _ in range(3):
            skew.heard(1_000_000 + lag, 1_000_000)
        found.append(skew.changed())
    assert [told is not None for told in found] == [False, True, False, True, False, True]

    for _ in range(2):
        skew.restart()
        for _ in range(3):
            skew.heard(1_060_000, 1_000_000)
        assert "60.0 s behind" in (skew.changed() or "")
