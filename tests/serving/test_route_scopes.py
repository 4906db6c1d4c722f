"""Which scope: what is in no table is shut."""

import tracemalloc

import pytest

from liqwarn.serving.route_scopes import OTHER, Route, RouteScopes, served_routes
from liqwarn.serving.scopes import OPEN, SCOPES


def filled(template):
    return template.replace("{symbol}", "BTCUSDT")


@pytest.mark.parametrize(("method", "template"), SCOPES)
def test_every_route_needs_what_the_table_says(method, template):
    found = served_routes().of(method, filled(template))

    assert found == Route(template=template, scope=SCOPES[method, template])


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
def test_what_is_open_is_open_for_its_method_alone(method, path):
    assert served_routes().of(method, path).scope is None
    assert served_routes().of("POST", path).scope == "admin"


@pytest.mark.parametrize(
    "path",
    ["", "//v1/flags", "/v1/flags/", "/v1/flags/A/B", "/healthz/", "/Healthz", "/healthz\n"],
)
def test_a_path_that_only_resembles_one_is_shut(path):
    assert served_routes().of("GET", path) == Route(template=OTHER, scope="admin")


def test_a_parameter_may_span_segments_where_it_says_so():
    routes = RouteScopes({("GET", "/files/{name:path}"): "read", ("GET", "/a.b"): "read"})

    assert routes.of("GET", "/files/a/b").scope == "read"
    assert routes.of("GET", "/files/").scope == "admin"
    assert routes.of("GET", "/aXb").scope == "admin"


def test_long_paths_of_strangers_are_not_kept():
    routes = RouteScopes({("GET", "/v1/flags/{symbol}"): "read"})
    tracemalloc.start()
    try:
        for number in range(500):
            assert routes.of("GET", f"/{number}" + "x" * 30_000).scope == "admin"
            assert routes.of("GET", "/v1/flags/" + "x" * 30_000).scope == "read"
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 1_000_000
