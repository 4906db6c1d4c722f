"""How many frames that cannot be read are kept."""

from liqwarn.collectors.session_refused import RefusedBudget


def test_so_many_a_minute_and_the_others_are_counted():
    budget = RefusedBudget()

    kept = [budget.take(10, now=1.0) for _ in range(1_500)]

    assert kept == [True] * 1_000 + [False] * 500
    assert budget.untold() is None
    assert budget.take(10, now=61.5)
    assert budget.untold() == 500
    assert budget.untold() is None


def test_large_ones_fill_the_minute_sooner():
    budget = RefusedBudget()

    assert [budget.take(400_000, now=1.0) for _ in range(4)] == [True, True, False, False]
    assert budget.take(100, now=1.0)
