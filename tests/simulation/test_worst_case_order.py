from datetime import timedelta

import pytest

from liqwarn.errors import ConfigError
from liqwarn.simulation.worst_case_order import WorstCaseSearch


def test_every_fault_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        WorstCaseSearch(
            objective="pain",
            radii=(-1.0, 2.0, 2.0, float("nan")),
            seed=-1,
            threads=0,
            paths=0,
            evaluations=0,
            over=timedelta(0),
            depth_min=0.0,
            haircut_max=1.01,
        )
    said = str(caught.value)
    for fault in (
        "objective is 'pain', expected one of loss, liquidated",
        "seed is -1, expected 0",
        "threads is 0, expected 1",
        "paths is 0, expected 2",
        "evaluations is 0, expected 1",
        "expected at least one, each once",
        "radius is -1.0, expected above 0",
        "radius is nan, expected above 0",
        "depth_min is 0.0, expected in (0, 1]",
        "haircut_max is 1.01, expected in [0, 1]",
        "over is 0:00:00, expected above 0",
    ):
        assert fault in said


@pytest.mark.parametrize("wrong", [{"depth_min": 1.5}, {"haircut_max": -0.1}, {"radii": ()}])
def test_what_lies_outside_its_bounds_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}|expected at least one"):
        WorstCaseSearch(**wrong)


def test_each_use_of_chance_has_its_own_seed():
    search = WorstCaseSearch(seed=5)
    seeds = {
        search.seed_of(use, k) for use in ("paths", "fresh", "starts", "random") for k in (0, 1)
    }
    assert len(seeds) == 8
    assert max(seeds) < 2**63
    assert search.seed_of("fresh") == WorstCaseSearch(seed=5, threads=2).seed_of("fresh")
