"""Requests are counted by route and status, whoever answers them."""

import asyncio

import pytest

from liqwarn.serving.measured import Measured
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.refusals import refuse
from liqwarn.serving.route_scopes import served_routes


@pytest.fixture
def metrics(clock):
    return ServingMetrics(clock)


@pytest.fixture
def measured(metrics, clock):
    return lambda app: Measured(app, metrics, served_routes(), clock)


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(f"liqwarn_{name}", labels)


def test_a_request_is_counted_under_its_template(ask, measured, metrics, clock):
    async def app(scope, receive, send):
        clock.run(seconds=0.02)
        await refuse(scope, send, 404, "no flag")

    for symbol in ("A", "B", "C"):
        ask(measured(app), path=f"/v1/flags/{symbol}")

    route = "/v1/flags/{symbol}"
    assert value(metrics, "http_requests_total", route=route, method="GET", status="404") == 3
    assert value(metrics, "http_request_seconds_sum", route=route) == pytest.approx(0.06)


def test_made_up_paths_and_methods_share_one_label(ask, measured, metrics):
    async def app(scope, receive, send):
        await refuse(scope, send, 404, "no")

    for n in range(5):
        ask(measured(app), f"M{n}", f"/{n}")

    found = value(metrics, "http_requests_total", route="other", method="other", status="404")
    assert found == 5


def test_a_failure_without_an_answer_counts_as_500(ask, measured, metrics):
    async def app(scope, receive, send):
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        ask(measured(app))

    route = {"route": "/v1/flags", "method": "GET", "status": "500"}
    assert value(metrics, "http_requests_total", **route) == 1


def test_what_is_no_request_is_not_counted(measured, metrics):
    async def app(scope, receive, send):
        await asyncio.sleep(0)

    asyncio.run(measured(app)({"type": "lifespan"}, None, None))

    assert b"liqwarn_http_requests_total{" not in metrics.render()
