"""``liqwarn fetch cryptoquant`` and ``glassnode`` on loopback, and the command they name next."""

import runpy
import shlex
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

FAKE = runpy.run_path(str(Path(__file__).parents[1] / "sources" / "fake_onchain.py"))
SINCE = datetime.now(UTC).date() - timedelta(days=2)
KEY = "0123456789abcdef-secret"


@pytest.fixture
def serve(monkeypatch):
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    began = []

    def start(kind):
        api = FAKE[kind](int(time.time() * 1_000), FAKE["API"]["ms"]("2020-01-01"), page=1_000)
        began.append(FAKE["Serving"](api))
        return api, began[-1].__enter__().url

    yield start
    for serving in began:
        serving.__exit__()


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """No waiting between two questions."""
    monkeypatch.setattr("liqwarn.sources.pace.Pace.take", lambda *_, **__: None)


@pytest.mark.parametrize(
    ("command", "kind"), [("cryptoquant", "CryptoQuant"), ("glassnode", "Glassnode")]
)
def test_what_it_names_next_reads_what_was_fetched(
    run, serve, tmp_path, monkeypatch, command, kind
):
    monkeypatch.setenv(f"LIQWARN_{command.upper()}_KEY", KEY)
    _, url = serve(kind)

    first = run("fetch", command, "--assets", "btc", "--from", SINCE, "--base-url", url,
                "--out", tmp_path / "data")  # fmt: skip

    assert first.code == 0, first.err
    assert KEY not in first.out + first.err + (tmp_path / "data" / "fetch.json").read_text()
    told = run(*shlex.split(first.out.splitlines()[-1])[1:], "--json").json
    assert told["new"] > 0
    assert told["quarantined"] == {}


def test_without_a_key_it_says_which_variable(run, tmp_path):
    told = run("fetch", "glassnode", "--assets", "BTC", "--from", "2024-01-01", "--out", tmp_path)

    assert "LIQWARN_GLASSNODE_KEY is not set" in told.refusal


def test_what_the_plan_lacks_ends_with_1_after_the_others(run, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_CRYPTOQUANT_KEY", KEY)
    api, url = serve("CryptoQuant")
    api.refused = {"reserve"}

    told = run("fetch", "cryptoquant", "--assets", "BTC", "--metrics", "reserve,price",
               "--from", SINCE, "--base-url", url, "--out", tmp_path / "data")  # fmt: skip

    assert (told.code, told.out) == (1, "")
    assert "price-hour of BTC: " in told.err
    assert "status 403" in told.err.splitlines()[-1]
