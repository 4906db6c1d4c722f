"""What serve can be told: nothing is served by default, nothing unsigned unless asked for."""

from dataclasses import fields

import pytest

from liqwarn.cli.live_options import ServeOptions


def test_by_default_it_is_loopback_and_nobody_is_trusted():
    options = ServeOptions()

    assert (options.host, options.port) == ("127.0.0.1", 8000)
    assert not options.unsigned
    assert not options.behind_tls_proxy
    assert {one.name for one in fields(options) if getattr(options, one.name)} == {
        "patience_s",
        "host",
        "port",
    }


@pytest.mark.parametrize(
    "words", [("--port", "0"), ("--port", "65536"), ("--patience-s", "-1"), ("--from", "noon")]
)
def test_values_that_cannot_be_are_wrong_usage(run, words):
    told = run("serve", "--panel", "x.yaml", *words)

    assert told.code == 2
    assert told.out == ""


def test_help_names_every_option(run):
    told = run("serve", "--help").out
    renamed = {"replay_from": "from"}

    for one in fields(ServeOptions):
        assert f"--{renamed.get(one.name, one.name.replace('_', '-'))}" in told
