import pytest

from liqwarn.serving.app import create_app
from liqwarn.serving.flag_file import FlagFile
from liqwarn.serving.scopes import OPEN, SCOPES

# routes that OpenAPI does not list: the socket, and the list itself
UNLISTED = {("GET", "/v1/ws"), ("GET", "/openapi.json")}


@pytest.fixture
def routes(policy, clock, tmp_path):
    paths = create_app(FlagFile(tmp_path), policy=policy, clock=clock).openapi()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def test_every_route_is_in_the_table_once(routes):
    assert routes | UNLISTED == set(SCOPES) | OPEN
    assert not set(SCOPES) & OPEN


def test_only_the_sign_of_life_is_open():
    assert {("GET", "/healthz")} == OPEN
    assert set(SCOPES.values()) == {"read", "score", "admin"}


def test_only_orders_need_admin():
    admin = {route for route, scope in SCOPES.items() if scope == "admin"}
    assert admin == {("GET", "/v1/orders"), ("POST", "/v1/orders")}
