"""A bounded memory of keys."""

from liqwarn.collectors.recent import Recent


def test_the_oldest_is_forgotten_first():
    recent = Recent(3)
    recent.add([1, 2, 3])
    recent.add([4])

    assert [key in recent for key in (1, 2, 3, 4)] == [False, True, True, True]


def test_a_key_that_comes_again_takes_no_second_place():
    recent = Recent(2)
    recent.add([1, 1, 1])
    recent.add([2])

    assert 1 in recent
    assert 2 in recent
