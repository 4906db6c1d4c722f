"""``liqwarn fetch coinmetrics`` and its like on loopback, and the command they name next."""

import runpy
import shlex
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

API = runpy.run_path(str(Path(__file__).parents[1] / "sources" / "fake_api.py"))
SINCE = datetime.now(UTC).date() - timedelta(days=3)


@pytest.fixture
def serve(monkeypatch):
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    began = []

    def start(kind):
        api = API[kind](int(time.time() * 1_000), API["ms"]("2020-01-01"))
        began.append(API["Serving"](api))
        return api, began[-1].__enter__().url

    yield start
    for serving in began:
        serving.__exit__()


@pytest.mark.parametrize(
    ("command", "kind", "option"),
    [("coinmetrics", "CoinMetrics", "--assets"), ("hyperliquid", "Hyperliquid", "--assets")],
)
def test_what_it_names_next_reads_what_was_fetched(run, serve, tmp_path, command, kind, option):
    _, url = serve(kind)
    words = ("fetch", command, option, "BTC", "--from", SINCE, "--base-url", url,
             "--out", tmp_path / "data")  # fmt: skip

    first = run(*words)

    assert first.code == 0, first.err
    assert f"fetch {command}: " in first.err
    told = run(*shlex.split(first.out.splitlines()[-1])[1:], "--json").json
    assert told["new"] > 0
    assert told["quarantined"] == {}


def test_a_series_that_is_refused_ends_with_1_after_the_others(run, serve, tmp_path):
    api, url = serve("Deribit")
    api.value = lambda *_: "50.0"
    api.replies[:] = [API["says"]({"error": "no"})]

    told = run("fetch", "deribit-dvol", "--assets", "BTC,ETH", "--interval", "1d",
               "--from", SINCE, "--base-url", url, "--out", tmp_path / "data")  # fmt: skip

    assert (told.code, told.out) == (1, "")
    assert told.err.splitlines()[-1].startswith("liqwarn: series refused: 1, the first: dvol-1d")
    assert "dvol-1d of ETH: 3 new" in told.err


def test_what_cannot_be_is_refused_in_a_line(run, tmp_path):
    told = run("fetch", "coinmetrics", "--assets", ",", "--from", "2024-01-01",
               "--out", tmp_path)  # fmt: skip

    assert "names: none, expected at least one such as BTC" in told.refusal
