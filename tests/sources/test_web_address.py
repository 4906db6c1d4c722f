"""Addresses of servers: where a key may go, and what of an address is shown."""

import pytest

from liqwarn.errors import ConfigError
from liqwarn.sources.api_key import ApiKey, KeyTerms
from liqwarn.sources.web_address import check_address, shown_address

KEY = ApiKey(KeyTerms(variable="LIQWARN_X_KEY", header="X-Key"), "0123456789abcdef")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_a_key_goes_to_this_machine(host):
    check_address(f"http://{host}", "http", host, has_more=False, key=KEY)


@pytest.mark.parametrize(
    "host", ["127.0.0.1.example", "localhost.example", "0.0.0.0", "2130706433"]
)
def test_a_key_goes_nowhere_else_in_the_clear(host):
    with pytest.raises(ConfigError, match="LIQWARN_X_KEY is not sent over a network in the clear"):
        check_address(f"http://{host}", "http", host, has_more=False, key=KEY)
    check_address(f"http://{host}", "http", host, has_more=False)


@pytest.mark.parametrize(("scheme", "host", "more"), [("ftp", "x", False), ("https", "", False),
                                                      ("https", "x", True)])  # fmt: skip
def test_what_is_no_address_is_refused(scheme, host, more):
    with pytest.raises(ConfigError, match=r"base URL is 'a\.b', expected https://host"):
        check_address("a.b", scheme, host, has_more=more)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://data.example/v1", "https://data.example/v1"),
        ("https://me:pw@data.example", "https://***@data.example"),
        ("me:pw@data.example", "***@data.example"),
        ("https://data.example?key=x@y#z", "https://***@y#***"),
        ("data.example", "data.example"),
        ("dGhpcyBpcyBh/key+0", "***"),
        ("https://data.example/a?key=x", "https://data.example/a?***"),
    ],
)
def test_passwords_and_queries_are_not_shown(text, shown):
    assert shown_address(text) == shown
