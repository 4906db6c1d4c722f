"""Bybit's histories page by page: no question that a reply cannot hold, no row lost or twice."""

import runpy
import threading
from pathlib import Path

import pytest

from liqwarn.errors import BusyError, DataError, RefusedError
from liqwarn.sources.bybit import INTERVALS, bybit_series
from liqwarn.sources.web import Patience, Web

FAKE = runpy.run_path(str(Path(__file__).parent / "fake_bybit.py"))
ms = FAKE["ms"]
QUICK = Patience(attempts=3, first_wait_s=0.001, longest_wait_s=0.01, read_s=5.0, grace_s=0.1)
SPAN = (ms("2024-01-01"), ms("2024-01-08"))
LIMITS = {"kline": 1_000, "mark-price-kline": 1_000, "index-price-kline": 1_000,
          "funding/history": 200, "open-interest": 200, "account-ratio": 500}  # fmt: skip


@pytest.fixture
def venue():
    return FAKE["FakeBybit"](ms("2024-01-20T12:00:05"), {"BTCUSDT": ms("2020-03-25T10:36")})


@pytest.fixture
def histories(venue):
    """Rows of each kind, and the series."""
    with (
        FAKE["Serving"](venue) as serving,
        Web(serving.url, connections=1, patience=QUICK, stop=threading.Event()) as web,
    ):

        def run(span=SPAN, interval="5m", kind=None, symbol="BTCUSDT"):
            return {
                series.kind: [reading for rows, _ in series.ask(span) for reading in rows]
                for series in bybit_series(web, [symbol], interval)
                if kind in (None, series.kind)
            }

        yield run


def times(readings):
    return sorted(reading.time for reading in readings)


def grid(step, span=SPAN):
    return list(range(*span, step))


def test_every_row_of_a_span_comes_once(histories, venue):
    found = histories()

    assert times(found["funding"]) == grid(8 * 3_600_000)
    for kind in ("candles-5m", "mark-5m", "index-5m", "open-interest", "account-ratio"):
        assert times(found[kind]) == grid(300_000), kind
    for _, path, query in venue.asked[1:]:
        kind = path.removeprefix("v5/market/")
        ends = ("start", "end") if kind.endswith("kline") else ("startTime", "endTime")
        if kind in LIMITS:  # both ends, and never more than a reply holds
            step = 3_600_000 if kind == "funding/history" else 300_000
            assert int(query[ends[1]]) - int(query[ends[0]]) < LIMITS[kind] * step
            assert int(query["limit"]) == LIMITS[kind]


def test_the_listing_is_asked_for_once_and_nothing_of_before(histories, venue):
    venue.launch["BTCUSDT"] = ms("2024-01-06T10:36")

    found = histories()

    assert times(found["open-interest"]) == grid(300_000, (ms("2024-01-06T10:40"), SPAN[1]))
    assert venue.paths().count("v5/market/instruments-info") == 1
    assert histories(span=(ms("2023-01-01"), ms("2024-01-01")), kind="funding") == {"funding": []}
    assert venue.paths()[-1] == "v5/market/instruments-info"


@pytest.mark.parametrize("most", [50, 150])
def test_replies_that_hold_fewer_rows_are_gone_on_from(histories, venue, most):
    venue.most = most

    found = histories(span=(SPAN[0], SPAN[0] + 86_400_000))

    assert times(found["candles-5m"]) == times(found["account-ratio"]) == grid(
        300_000, (SPAN[0], SPAN[0] + 86_400_000)
    )  # fmt: skip
    assert times(found["funding"]) == grid(8 * 3_600_000, (SPAN[0], SPAN[0] + 86_400_000))


def test_a_hole_in_the_history_is_asked_around(histories, venue):
    hole = set(grid(300_000, (SPAN[0] + 3_600_000, SPAN[0] + 90_000_000)))
    venue.absent = {("open-interest", t) for t in hole}

    found = histories(kind="open-interest")["open-interest"]

    assert times(found) == [t for t in grid(300_000) if t not in hole]


@pytest.mark.parametrize("interval", sorted(INTERVALS))
def test_every_interval_has_its_name_and_step(histories, interval):
    step = {"5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000, "4h": 14_400_000,
            "1d": 86_400_000}[interval]  # fmt: skip

    assert times(histories(interval=interval, kind=f"candles-{interval}").popitem()[1]) == grid(
        step
    )


def test_a_perpetual_that_is_none_is_refused(histories):
    with pytest.raises(RefusedError, match="no perpetual 'NOUSDT'"):
        histories(symbol="NOUSDT", kind="funding")


@pytest.mark.parametrize("how", ["cut", "silent", "drip", 429, 502])
def test_what_passes_is_asked_again(histories, venue, how):
    venue.replies["v5/market/kline"] = [FAKE["ARCHIVE"].get(how, how)]

    assert times(histories(kind="candles-5m")["candles-5m"]) == grid(300_000)


def test_too_many_visits_are_waited_for_and_have_an_end(histories, venue):
    busy = FAKE["says"]({"retCode": 10006, "retMsg": "Too many visits!", "result": {}})
    venue.replies["v5/market/funding/history"] = [busy, busy]
    assert len(histories(kind="funding")["funding"]) == 21

    venue.replies["v5/market/funding/history"] = [busy] * 3
    with pytest.raises(BusyError, match="found 10006"):
        histories(kind="funding")


def test_a_page_that_comes_again_is_refused(histories, venue):
    first = []

    def again(page):
        first[:] = first or [json_list(page)]
        page["result"]["list"] = first[0]

    def json_list(page):
        return list(page["result"]["list"])

    venue.replies["v5/market/open-interest"] = [FAKE["edited"](again)] * 2

    with pytest.raises(DataError, match=r"another unit, or another page\?"):
        histories(kind="open-interest")
