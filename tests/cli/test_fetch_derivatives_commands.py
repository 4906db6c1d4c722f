"""``liqwarn fetch coinglass`` and ``coinalyze`` on loopback, and the command they name next."""

import runpy
import shlex
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

KEYED = runpy.run_path(str(Path(__file__).parents[1] / "sources" / "fake_keyed_api.py"))
KEY = KEYED["KEY"]
SINCE = datetime.now(UTC).date() - timedelta(days=3)
ASKED = {
    "coinglass": ("CoinGlass", ("--assets", "BTC", "--series", "price,open-interest-all")),
    "coinalyze": ("Coinalyze", ("--symbols", "BTCUSDT_PERP.A", "--series", "candles,funding")),
}


@pytest.fixture
def serve(monkeypatch):
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("liqwarn.sources.pace._MINUTE", 0.001)
    began = []

    def start(command):
        monkeypatch.setenv(f"LIQWARN_{command.upper()}_KEY", KEY)
        api = KEYED[ASKED[command][0]](int(time.time() * 1_000), 0)
        began.append(KEYED["Serving"](api))
        return api, began[-1].__enter__().url

    yield start
    for serving in began:
        serving.__exit__()


@pytest.mark.parametrize("command", ASKED)
def test_what_it_names_next_reads_what_was_fetched(run, serve, tmp_path, command):
    api, url = serve(command)

    first = run("fetch", command, *ASKED[command][1], "--from", SINCE, "--base-url", url,
                "--out", tmp_path / "data")  # fmt: skip

    assert first.code == 0, first.err
    assert f"fetch {command}: " in first.err
    assert KEY not in first.out + first.err
    assert {asked["key"] for asked in api.asked} == {KEY}
    told = run(*shlex.split(first.out.splitlines()[-1])[1:], "--json").json
    assert told["new"] > 0
    assert told["quarantined"] == {}


@pytest.mark.parametrize("command", ASKED)
def test_without_a_key_it_says_which_variable_is_wanted(run, serve, tmp_path, monkeypatch, command):
    api, url = serve(command)
    monkeypatch.delenv(f"LIQWARN_{command.upper()}_KEY")

    told = run("fetch", command, *ASKED[command][1], "--from", SINCE, "--base-url", url,
               "--out", tmp_path / "data")  # fmt: skip

    assert told.code == 1
    assert f"LIQWARN_{command.upper()}_KEY is not set" in told.err
    assert api.asked == []
