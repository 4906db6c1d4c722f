"""Providers: each has an address, a variable of its own, a pace, and its way with a key."""

import re

from liqwarn.sources.providers import PROVIDERS


def test_each_has_what_it_needs_and_no_other_has_the_same():
    told = list(PROVIDERS.values())

    assert all(provider.address.startswith("https://") for provider in told)
    assert all(not provider.address.endswith("/") for provider in told)
    assert all(provider.between_s > 0 for provider in told)
    assert len({provider.variable for provider in told}) == len(told)
    assert all(provider.variable.startswith("LIQWARN_") for provider in told)


def test_keys_are_named_by_variables_of_their_own_and_sent_as_the_providers_say():
    told = {name: provider.key for name, provider in PROVIDERS.items() if provider.key}

    assert {n: (k.variable, k.header, k.before) for n, k in told.items()} == {
        "coinalyze": ("LIQWARN_COINALYZE_KEY", "api_key", ""),
        "coinglass": ("LIQWARN_COINGLASS_KEY", "CG-API-KEY", ""),
        "cryptoquant": ("LIQWARN_CRYPTOQUANT_KEY", "Authorization", "Bearer "),
        "glassnode": ("LIQWARN_GLASSNODE_KEY", "X-Api-Key", ""),
    }


def test_names_are_parts_of_a_path_and_nothing_else():
    for provider in PROVIDERS.values():
        for name in ("", "..", "a/b", "a b", "a?b", "a,b", "a\nb", "x" * 99):
            assert not re.fullmatch(provider.name, name), (provider, name)
    for name in ("BTCUSDT_PERP.A", "BTCUSDT.6", "BTC-USD.8"):
        assert re.fullmatch(PROVIDERS["coinalyze"].name, name)
    assert re.fullmatch(PROVIDERS["coinalyze"].name, "BTCUSDT") is None
