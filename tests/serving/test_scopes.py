import pytest

from liqwarn.serving.app import create_app
from liqwarn.serving.flag_file import FlagFile
from liqwarn.serving.scopes import OPEN, SCOPES


@pytest.fixture
def routes(policy, clock, tmp_path):
    app = create_app(FlagFile(tmp_path), policy=policy, clock=clock)
    found = {
        (method, route.path)
        for route in app.routes
        for method in getattr(route, "methods", None) or {"GET"}  # a WebSocket has none
    }
    return {(method, path) for method, path in found if method != "HEAD"}


def test_every_route_is_in_the_table_once(routes):
    assert routes == set(SCOPES) | OPEN
    assert not set(SCOPES) & OPEN


def test_only_the_sign_of_life_is_open():
    assert {("GET", "/healthz")} == OPEN
    assert set(SCOPES.values()) == {"read", "score"}
