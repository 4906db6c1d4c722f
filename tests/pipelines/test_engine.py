"""The engine: the same results, in the same order, wherever the work runs."""

import math

import pytest

from liqwarn.errors import ConfigError
from liqwarn.pipelines.engine import open_engine


@pytest.mark.parametrize("cluster", [None, "local"])
def test_results_come_back_in_order_wherever_the_work_runs(cluster):
    with open_engine(cluster) as engine:
        found = list(engine.map(math.sqrt, range(20)))

    assert found == [math.sqrt(n) for n in range(20)]


def test_a_task_that_fails_on_a_cluster_fails_here():
    with open_engine("local") as engine, pytest.raises(TypeError, match="real number"):
        list(engine.map(math.sqrt, ["a"]))


def test_a_scheduler_that_does_not_answer_is_named():
    with (
        pytest.raises(ConfigError, match=r"tcp://127\.0\.0\.1:1"),
        open_engine("tcp://127.0.0.1:1"),
    ):
        pass
