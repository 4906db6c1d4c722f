"""``liqwarn fetch binance`` on a loopback archive, and the commands it names next."""

import runpy
import shlex
from datetime import date
from pathlib import Path

import pytest

FAKE = runpy.run_path(str(Path(__file__).parents[1] / "sources" / "fake_archive.py"))
METRICS = "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2022-03-02.zip"


@pytest.fixture
def archive():
    return FAKE["FakeArchive"](dict.fromkeys(("BTCUSDT", "ETHUSDT"), date(2022, 1, 1)),
                               date(2024, 1, 1), metrics_step=3_600)  # fmt: skip


@pytest.fixture
def fetch(run, archive, tmp_path, monkeypatch):
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FAKE["Serving"](archive) as serving:

        def command(*words):
            return run("fetch", "binance", "--base-url", serving.url, "--from", "2022-03-01",
                       "--to", "2022-03-03", "--interval", "1h", "--out", tmp_path / "archive",
                       *words)  # fmt: skip

        yield command


def test_what_it_names_next_works_on_what_was_fetched(fetch, run):
    first = fetch("--symbols", "BTCUSDT, ETHUSDT")

    assert first.code == 0, first.err
    assert first.out.startswith("files: 26 fetched; ")
    assert "fetch binance: 26 of 26" in first.err
    ingest, train = (line.strip() for line in first.out.splitlines()[-2:])
    told = run(*shlex.split(ingest)[1:], "--json").json
    assert told["panel"] == "binance_um_1h"
    assert told["new"] == 2 * (3 * (3 * 24 + 24) + 31 * 3)
    assert told["quarantined"] == {}
    assert train.startswith("liqwarn train --panel ")


def test_the_second_time_nothing_is_fetched(fetch, archive):
    fetch("--symbols", "BTCUSDT")
    archive.asked.clear()

    told = fetch("--symbols", "BTCUSDT", "--no-check", "--json").json

    assert told["files"]["held"] == 13
    assert told["bytes"] == 0
    assert archive.asked == []


def test_a_gap_is_told(fetch, archive):
    archive.content |= {METRICS: None, f"{METRICS}.CHECKSUM": None}

    told = fetch("--symbols", "BTCUSDT")

    assert told.code == 0
    assert "metrics of BTCUSDT: 2022-03-02 missing (1 day)" in told.out


def test_a_refused_file_ends_with_1_after_all_the_others(fetch, archive):
    archive.content[f"{METRICS}.CHECKSUM"] = b"<html>"

    told = fetch("--symbols", "BTCUSDT", "--json")

    assert (told.code, told.out) == (1, "")
    reason = told.err.splitlines()[-1]
    assert reason.startswith("liqwarn: files refused: 1, the first: BTCUSDT-metrics-2022-03-02")
    assert "files: 12 fetched, 1 refused" in told.err
    archive.content.clear()
    assert fetch("--symbols", "BTCUSDT", "--json").json["files"]["fetched"] == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--symbols", "btcusdt"), "symbol is 'btcusdt', expected capital letters"),
        (("--symbols", ","), "symbols: none, expected at least one"),
        (("--symbols", "BTCUSDT", "--interval", "9m"), "interval is '9m', expected one of"),
        (("--symbols", "BTCUSDT", "--panel", "conf/panels/none.yaml"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(fetch, words, reason):
    assert reason in fetch(*words).refusal


def test_a_day_that_is_none_is_wrong_usage(run):
    told = run("fetch", "binance", "--symbols", "BTCUSDT", "--from", "yesterday")

    assert told.code == 2
