import numpy as np
import pytest

from liqwarn.simulation.sphere_search import SphereSearch, search_sphere

N_DIMS = 12


def search_of(evaluations=300, **changed):
    given = {"axes": np.eye(N_DIMS), "severities": 2, "evaluations": evaluations, "seed": 1}
    return SphereSearch(**given | changed)


def target(seed):
    direction = np.random.default_rng(seed).standard_normal(N_DIMS)
    return direction / np.linalg.norm(direction)


def cliff(aim):
    """Rough on purpose: steps, a kink, and a floor."""

    def values(directions, severity):
        near = np.maximum(directions @ aim, 0.0)
        return np.floor(50.0 * near**2) + severity.sum(axis=1)

    return values


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_a_planted_direction_on_a_rough_surface(seed):
    aim = target(seed)
    found = search_sphere(cliff(aim), search_of())
    assert found.direction @ aim > 0.95
    assert found.severity.tolist() == [1.0, 1.0]
    rng = np.random.default_rng(100 + seed)
    drawn = rng.standard_normal((300, N_DIMS))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    assert found.value > cliff(aim)(drawn, np.ones((300, 2))).max() + 10.0


@pytest.mark.parametrize("evaluations", [1, 2, 7, 50, 301])
def test_it_never_values_more_points_than_it_may(evaluations):
    seen = []

    def values(directions, severity):
        seen.extend(np.linalg.norm(directions, axis=1))
        assert ((severity >= 0.0) & (severity <= 1.0)).all()
        return cliff(target(0))(directions, severity)

    found = search_sphere(values, search_of(evaluations))
    assert len(seen) == found.evaluations == evaluations
    np.testing.assert_allclose(seen, 1.0)


def test_it_spends_its_whole_budget_even_where_nothing_is_better():
    found = search_sphere(lambda d, _: np.zeros(len(d)), search_of(400))
    assert found.evaluations == 400


def test_a_milder_severity_is_found_where_it_is_worse():
    found = search_sphere(lambda d, s: d[:, 0] - 3.0 * (s[:, 0] - 0.4) ** 2, search_of())
    assert found.severity[0] == pytest.approx(0.4, abs=0.15)


def test_hints_are_tried_first():
    aim = target(3)
    found = search_sphere(cliff(aim), search_of(1, hints=(aim,)))
    np.testing.assert_array_equal(found.direction, aim)


def test_a_value_that_is_not_known_is_the_smallest():
    def values(directions, _):
        return np.where(directions[:, 0] > 0.5, np.nan, directions[:, 0])

    found = search_sphere(values, search_of(100))
    assert 0.0 < found.value <= 0.5


def test_the_same_search_finds_the_same_point():
    one, two = (search_sphere(cliff(target(2)), search_of(150)) for _ in range(2))
    np.testing.assert_array_equal(one.direction, two.direction)
    other = search_sphere(cliff(target(2)), search_of(150, seed=2))
    assert not np.array_equal(one.direction, other.direction)


def test_one_dimension_has_two_directions():
    search = search_of(6, axes=np.ones((1, 1)), severities=0)
    assert search_sphere(lambda d, _: -d[:, 0], search).direction.tolist() == [-1.0]
