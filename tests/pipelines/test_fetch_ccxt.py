"""Funding and open interest through a made-up ccxt, from nothing to files and a frame."""

import runpy
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from liqwarn.errors import ConfigError, SourceError, StoreError
from liqwarn.pipelines.fetch_ccxt import CcxtJob, fetch_ccxt
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.sources.web import Patience

ROOT = Path(__file__).parents[2]
ENVIRONMENT = runpy.run_path(str(ROOT / "tests" / "sources" / "ccxt_environment.py"))["Environment"]
QUICK = Patience(attempts=2, first_wait_s=0.001)
NOW = 1_707_091_200_000  # 2024-02-05
PANEL = """
name: gate_1h
market: real
venue: binance
bar: 1h
symbols: [BTCUSDT]
core: [open_interest]
sources:
- name: prices
  file: prices.csv
  symbol: BTCUSDT
  time: {column: time_ms, unit: ms, label: start, step: 1h}
  fields: {close: close}
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    return ENVIRONMENT(tmp_path_factory.mktemp("ccxt") / "env")


@pytest.fixture
def fetch(environment, tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    environment.tell(now=NOW)

    def run(*, now=NOW, **changes):
        told = {
            "exchange": "gate", "symbols": ("BTC/USDT:USDT",), "since": date(2024, 1, 20),
            "python": environment.python, "out": tmp_path / "out", "patience": QUICK,
            "reply_s": 20.0, "clock": lambda: now / 1_000,
        }  # fmt: skip
        return fetch_ccxt(CcxtJob(**(told | changes)), on_fetch=lambda _: None)

    return run


def rows(path):
    header, *lines = [line.split(",") for line in path.read_text().splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def test_everything_of_a_span_is_recorded(fetch, tmp_path):
    done = fetch()

    told = {outcome.kind: outcome for outcome in done.report.outcomes}
    assert told["funding"].kept.new == 16 * 3
    assert told["open-interest-1h"].kept.new == 16 * 24
    assert told["funding"].gaps == told["open-interest-1h"].gaps == ()
    place = tmp_path / "out" / "open-interest-1h" / "BTC_USDT_USDT"
    first = rows(place / "BTC_USDT_USDT-open-interest-1h-2024-01.csv")[0]
    assert first == {
        "time_ms": "1705708800000", "openInterestAmount": "2851725", "contractSize": "0.0001",
        "openInterest": "285.1725", "seen_at": "2024-02-05T00:00:00.000Z",
    }  # fmt: skip


def test_a_rerun_asks_for_the_newest(fetch, environment):
    fetch()
    environment.tell(now=NOW + 3_600_000)

    done = fetch(now=NOW + 3_600_000)

    kinds = [(what, *asked) for what, *asked in environment.asked if what != "markets"]
    assert [kind[0] for kind in kinds] == ["funding", "open-interest"]
    assert kinds[1][3] == NOW - 2 * 3_600_000
    assert [outcome.kept.new for outcome in done.report.outcomes] == [1, 1]


def test_the_end_of_a_span_is_told_in_the_words_of_the_exchange(fetch, environment):
    fetch(exchange="okx", since=date(2024, 2, 4))

    asked = {what: told[-1] for what, *told in environment.asked if told}
    assert asked == {"funding": {"after": NOW}, "open-interest": {"until": NOW - 1}}


def test_a_panel_reads_it_as_the_page_says(fetch, environment, tmp_path):
    """The lines of the documentation, with the folder of this test."""
    done = fetch()
    page = (ROOT / "docs" / "fetch.md").read_text()
    lines = page.split("<!-- ccxt panel -->")[1].split("```yaml\n")[1].split("```")[0]
    raw = yaml.safe_load(PANEL + lines.replace("gate/", ""))
    panel = tmp_path / "gate.yaml"
    panel.write_text(yaml.safe_dump(raw))
    hours = range(1_705_708_800_000, NOW, 3_600_000)
    prices = "\n".join(["time_ms,close", *(f"{t},42000.0" for t in hours)])
    (done.folder / "prices.csv").write_text(prices + "\n")

    job = MarketJob(panel=panel, data=done.folder, store=tmp_path / "store")
    frame = open_market(job, now=datetime.fromtimestamp(NOW / 1_000, UTC)).frame

    np.testing.assert_array_equal(frame.field("open_interest")[0][-3:], [285.1725] * 3)
    assert frame.field("funding_rate")[0][-1] == pytest.approx(0.0008, abs=0.01)
    assert frame.field("funding_interval_h")[0][-1] == 8.0


def test_a_series_that_is_refused_leaves_the_other(fetch, environment):
    environment.tell(now=NOW, open_interest=["bad"])

    done = fetch()

    assert [outcome.status for outcome in done.report.outcomes] == ["fetched", "refused"]
    assert "BadRequest contract not found" in done.report.refused[0].reason


def test_what_passes_is_asked_again(fetch, environment):
    environment.tell(now=NOW, funding=["busy"])

    assert fetch().report.refused == ()


@pytest.mark.parametrize("act", ["die", "kill", "hang"])
def test_a_worker_that_dies_ends_the_run_and_a_rerun_goes_on(fetch, environment, act):
    environment.tell(now=NOW, funding=[None, None, None, act])

    with pytest.raises(SourceError, match=r"the ccxt worker (died|said nothing)"):
        fetch(reply_s=3.0)
    environment.tell(now=NOW)
    done = fetch()
    assert done.report.outcomes[0].kept.new < 16 * 3  # January is whole
    assert done.report.outcomes[0].gaps == ()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"timestamp": 1_705_708_800, "fundingRate": "0.1"}], "another unit, or another page?"),
        ([{"timestamp": NOW, "symbol": "ETH/USDT:USDT"}], "a row of ETH/USDT:USDT, expected BTC"),
        ([{"timestamp": NOW}], "field 'fundingRate': found null, expected a number as text"),
        ([{"fundingRate": "1"}], "ccxt cannot read its reply: KeyError 'timestamp'"),
        ([7], "ccxt cannot read its reply: AttributeError"),
        (7, "ccxt cannot read its reply: TypeError"),
    ],
)
def test_rows_that_cannot_be_are_refused(fetch, environment, rows, reason):
    environment.tell(now=NOW, funding=[{"rows": rows}])

    assert reason in fetch().report.refused[0].reason


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"exchange": "../x"}, "exchange is '../x', expected ccxt's name such as gate"),
        ({"symbols": ()}, "symbols: expected at least one, each once"),
        ({"symbols": ("BTCUSDT",)}, "symbol is 'BTCUSDT', expected a perpetual such as BTC/USDT"),
        ({"symbols": ("BTC/USDT:USDT",) * 2}, "each once"),
        ({"timeframe": "7m"}, "interval is '7m', expected one of 5m, 15m, 30m, 1h, 4h, 1d"),
        ({"amount_in": "usd"}, "amount-in is 'usd', expected base or contracts"),
        ({"since": date(2030, 1, 1)}, "expected days in order, not to come"),
        ({"python": None}, r"no Python with ccxt: name it with --python or LIQWARN_CCXT_PYTHON; p"),
        ({"exchange": "quiet"}, "has no history of its funding or open interest"),
    ],
)
def test_what_cannot_be_is_told(fetch, changes, match):
    with pytest.raises(ConfigError, match=match):
        fetch(**changes)


def test_the_environment_names_the_python(fetch, environment, monkeypatch):
    monkeypatch.setenv("LIQWARN_CCXT_PYTHON", str(environment.python))

    assert fetch(python=None).report.refused == ()


def test_a_folder_that_is_being_written_is_refused(fetch, tmp_path):
    from filelock import FileLock  # noqa: PLC0415  for this test only

    (tmp_path / "out").mkdir()
    with (
        FileLock(tmp_path / "out" / ".fetch.lock"),
        pytest.raises(StoreError, match="another fetch is writing there"),
    ):
        fetch()
