"""Faults of a choice are told, every one."""

import pytest

from liqwarn.pipelines.fetch_choice import faults_of_choice


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (["inflow"], []),
        ([], ["metrics: none, expected of inflow, price"]),
        (["price", "price"], ["metrics: price, price, expected each once"]),
        (["prise"], ["metric is 'prise', did you mean 'price'? expected of inflow, price"]),
        (["x"], ["metric is 'x', expected of inflow, price"]),
    ],
)
def test_each_fault_is_a_line(chosen, told):
    assert list(faults_of_choice("metric", chosen, ["inflow", "price"])) == told
