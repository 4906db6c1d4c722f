"""``liqwarn fetch bybit`` on loopback, and the command it names next."""

import runpy
import shlex
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

FAKE = runpy.run_path(str(Path(__file__).parents[1] / "sources" / "fake_bybit.py"))
TODAY = datetime.now(UTC).date()


@pytest.fixture
def venue(monkeypatch):
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return FAKE["FakeBybit"](int(time.time() * 1_000), {"BTCUSDT": 1_585_132_560_000})


@pytest.fixture
def words(venue, tmp_path):
    with FAKE["Serving"](venue) as serving:
        yield ("fetch", "bybit", "--symbols", "BTCUSDT", "--from", TODAY - timedelta(days=1),
               "--base-url", serving.url, "--archive-url", serving.url,
               "--out", tmp_path / "data")  # fmt: skip


def test_what_it_names_next_reads_what_was_fetched(run, words):
    first = run(*words, "--trades")

    assert first.code == 0, first.err
    assert "days of trades: 1 fetched" in first.out
    told = run(*shlex.split(first.out.splitlines()[-2])[1:], "--json").json
    assert told["new"] > 0
    assert told["quarantined"] == {}


def test_what_is_refused_ends_with_1_after_the_others(run, words, venue):
    venue.content[f"trading/BTCUSDT/BTCUSDT{TODAY - timedelta(days=1)}.csv.gz"] = b"<html>"

    told = run(*words, "--trades")

    assert (told.code, told.out) == (1, "")
    assert told.err.splitlines()[-1].startswith("liqwarn: series and files refused: 1, the first: ")
    assert "open-interest of BTCUSDT: " in told.err


def test_one_object_for_machines(run, words):
    told = run(*words, "--json").json

    assert {series["kind"] for series in told["series"]} >= {"candles-5m", "funding"}
    assert "trades" not in told
