import pytest

from liqwarn.serving.scopes import OPEN, SCOPES, scope_of


@pytest.mark.parametrize(("method", "template"), sorted(SCOPES))
def test_every_route_of_the_table_finds_its_scope(method, template):
    assert scope_of(method, template.replace("{symbol}", "BTCUSDT")) == SCOPES[method, template]


def test_only_the_sign_of_life_is_open():
    assert {("GET", "/healthz")} == OPEN
    assert scope_of("GET", "/healthz") is None
    assert scope_of("POST", "/healthz") == "read"


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/flags/a/b/c", "/v1/score", "//healthz"])
def test_what_no_route_answers_still_needs_a_key(path):
    assert scope_of("GET", path) == "read"
