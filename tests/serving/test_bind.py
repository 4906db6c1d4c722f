"""Where to listen: the public only with keys and a sealed way."""

import pytest

from liqwarn.errors import ConfigError
from liqwarn.serving.bind import check_bind, is_loopback

PUBLIC = ["0.0.0.0", "::", "192.168.1.4", "example.org", "", "127.0.0.1.example.org"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_nothing(host):
    assert is_loopback(host)
    check_bind(host, 8000, auth=False, tls=False)


@pytest.mark.parametrize("host", PUBLIC)
@pytest.mark.parametrize(
    ("auth", "tls", "proxy", "missing"),
    [
        (False, False, False, "expected API keys .* and TLS"),
        (False, True, False, "expected API keys"),
        (False, False, True, "expected API keys"),
        (True, False, False, "expected TLS"),
    ],
)
def test_a_public_address_names_all_it_lacks(host, auth, tls, proxy, missing):
    assert not is_loopback(host)
    with pytest.raises(ConfigError, match=missing):
        check_bind(host, 8000, auth=auth, tls=tls, behind_tls_proxy=proxy)


@pytest.mark.parametrize("host", PUBLIC)
@pytest.mark.parametrize(("tls", "proxy"), [(True, False), (False, True), (True, True)])
def test_a_public_address_with_keys_and_a_sealed_way_is_served(host, tls, proxy):
    check_bind(host, 0, auth=True, tls=tls, behind_tls_proxy=proxy)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ConfigError, match="expected 0 to 65535"):
        check_bind("127.0.0.1", port, auth=True, tls=True)
