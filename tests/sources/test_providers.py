"""Providers: each has an address, a variable of its own and a pace."""

from liqwarn.sources.providers import PROVIDERS


def test_each_has_what_it_needs_and_no_other_has_the_same():
    told = list(PROVIDERS.values())

    assert all(provider.address.startswith("https://") for provider in told)
    assert all(not provider.address.endswith("/") for provider in told)
    assert all(provider.between_s > 0 for provider in told)
    assert len({provider.variable for provider in told}) == len(told)
    assert all(provider.variable.startswith("LIQWARN_") for provider in told)
