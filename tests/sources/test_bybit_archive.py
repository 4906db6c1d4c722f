"""Candles of public trades on loopback: resumed, replaced, missing, cut, and as bad as a server."""

import json
import runpy
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from liqwarn.errors import SourceError, StoreError
from liqwarn.sources import bybit_archive
from liqwarn.sources.bybit_archive import TradesOrder, fetch_trades
from liqwarn.sources.bybit_days import days_of
from liqwarn.sources.web import Patience

FAKE = runpy.run_path(str(Path(__file__).parent / "fake_bybit.py"))
ms = FAKE["ms"]
QUICK = Patience(attempts=3, first_wait_s=0.001, longest_wait_s=0.01, read_s=5.0, grace_s=0.1)
FIRST, LAST = date(2024, 1, 14), date(2024, 1, 16)
DAY = "trading/BTCUSDT/BTCUSDT2024-01-15.csv.gz"
PLACE = "trades-1h/BTCUSDT/BTCUSDT-trades-1h-2024-01-15.csv"


@pytest.fixture
def venue():
    return FAKE["FakeBybit"](ms("2024-01-20"), {"BTCUSDT": ms("2020-03-25"), "X": ms("2024-01-16")})


@pytest.fixture
def fetch(venue, tmp_path):
    with FAKE["Serving"](venue) as serving:

        def run(symbols=("BTCUSDT",), *, until=LAST, on_fetch=lambda _: None, **changes):
            told = {
                "files": tuple(days_of(symbols, FIRST, until, "1h")),
                "folder": tmp_path / "out",
                "base_url": serving.url,
                "today": date(2024, 1, 20),
                "patience": QUICK,
            }
            return fetch_trades(TradesOrder(**(told | changes)), on_fetch=on_fetch)

        yield run


def told(report):
    return {outcome.file.day.day: outcome.status for outcome in report.outcomes}


def here(tmp_path):
    out = tmp_path / "out"
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_candles_and_a_note_of_their_source_are_kept_and_the_trades_are_not(fetch, venue, tmp_path):
    states = []
    report = fetch(on_fetch=states.append)

    assert told(report) == {14: "fetched", 15: "fetched", 16: "fetched"}
    files = here(tmp_path)
    assert len(files) == 6
    note = json.loads(files[f"{PLACE}.json"])
    assert note["source_sha256"] == sha256(venue.file(DAY)).hexdigest()
    assert note["sha256"] == sha256(files[PLACE]).hexdigest()
    assert note["headers"]["etag"].startswith('"')
    assert (note["trades"], note["repeated"], note["source"]) == (2_880, 0, DAY)
    assert (states[-1].done, states[-1].total) == (3, 3)
    assert states[-1].size == sum(outcome.size for outcome in report.outcomes)


def test_a_rerun_asks_and_fetches_nothing(fetch, venue, tmp_path):
    fetch()
    before = here(tmp_path)
    venue.asked.clear()

    assert told(fetch()) == dict.fromkeys((14, 15, 16), "held")
    assert venue.paths("GET") == []
    assert here(tmp_path) == before

    venue.asked.clear()
    assert told(fetch(ask_again=False)) == dict.fromkeys((14, 15, 16), "held")
    assert venue.asked == []


def test_a_file_that_the_provider_changed_is_fetched_and_told(fetch, venue, tmp_path):
    fetch()
    before = here(tmp_path)[PLACE]
    rows = [FAKE["row_of"]("BTCUSDT", "1705276800.5", "Buy", 9, 77.0)]
    venue.content[DAY] = FAKE["packed"](rows)

    report = fetch()

    assert told(report) == {14: "held", 15: "replaced", 16: "held"}
    assert here(tmp_path)[PLACE] != before
    assert b",77,77,77,77,0.009,0.009,1\n" in here(tmp_path)[PLACE]


def test_a_change_that_cannot_be_used_leaves_what_is_here(fetch, venue, tmp_path):
    fetch()
    before = here(tmp_path)
    venue.content[DAY] = FAKE["packed"](["1,2,3"])

    report = fetch()

    assert told(report)[15] == "refused"
    assert here(tmp_path) == before


def test_the_same_file_with_other_headers_is_no_change(fetch, venue, tmp_path):
    fetch()
    note = json.loads(here(tmp_path)[f"{PLACE}.json"])
    note["headers"]["etag"] = '"older"'
    (tmp_path / "out" / f"{PLACE}.json").write_text(json.dumps(note))

    assert told(fetch()) == dict.fromkeys((14, 15, 16), "held")
    assert venue.paths("GET").count(DAY) == 2
    assert json.loads(here(tmp_path)[f"{PLACE}.json"])["headers"]["etag"] != '"older"'


@pytest.mark.parametrize("how", ["edited", "no note", "no candles", "note of nothing", "half"])
def test_what_is_not_what_was_written_is_fetched_again(fetch, venue, tmp_path, how):
    fetch()
    before, target = here(tmp_path), tmp_path / "out" / PLACE
    note = target.with_name(target.name + ".json")
    {
        "edited": lambda: target.write_text("open_time\n"),
        "no note": note.unlink,
        "no candles": target.unlink,
        "note of nothing": lambda: note.write_text("[]"),
        "half": lambda: note.write_bytes(note.read_bytes()[:40]),
    }[how]()

    assert told(fetch())[15] == "fetched"
    assert here(tmp_path) == before


def test_days_without_a_file_are_gaps_and_young_ones_are_awaited(fetch, venue):
    venue.content[DAY] = None

    report = fetch(("BTCUSDT", "X"), until=date(2024, 1, 20))

    assert [(symbol, first.day, last.day, young) for symbol, first, last, young in report.gaps] == [
        ("BTCUSDT", 15, 15, False),
        ("BTCUSDT", 20, 20, True),
        ("X", 14, 15, False),
        ("X", 20, 20, True),
    ]


def test_a_file_that_is_withdrawn_is_kept_and_told(fetch, venue, tmp_path):
    fetch()
    venue.content[DAY] = None

    assert told(fetch())[15] == "withdrawn"
    assert PLACE in here(tmp_path)


@pytest.mark.parametrize("how", ["cut", "silent", "drip"])
def test_a_reply_that_breaks_off_is_asked_for_again(fetch, venue, how):
    venue.replies[DAY] = [None, FAKE["ARCHIVE"][how]]  # the first question is of its headers

    assert told(fetch())[15] == "fetched"
    assert venue.paths("GET").count(DAY) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>Please log in</html>", "found a page of HTML or XML, expected a gzip"),
        (FAKE["packed"]([])[:-5], "a damaged gzip or one cut short"),
        (FAKE["packed"]([]), "found no trade"),
        (FAKE["packed"](["0" * (1 << 23)]), "a line of more than 4194304 bytes"),
        (b"", "found columns ''"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_the_others_come(
    fetch, venue, tmp_path, content, reason
):
    venue.content[DAY] = content

    report = fetch()

    assert told(report) == {14: "fetched", 15: "refused", 16: "fetched"}
    assert report.of("refused")[0].reason.startswith(DAY)
    assert reason in report.of("refused")[0].reason
    assert PLACE not in here(tmp_path)
    assert not list((tmp_path / "out" / ".trades").iterdir())


def test_too_large_a_file_is_refused(fetch, monkeypatch):
    monkeypatch.setattr(bybit_archive, "MAX_GZIP", 1_000)

    report = fetch()

    assert set(told(report).values()) == {"refused"}
    assert "more than 1000 bytes, refused" in report.of("refused")[0].reason


def test_a_server_that_refuses_ends_the_run_and_what_is_whole_stays(fetch, venue, tmp_path):
    venue.replies[DAY] = [403]

    with pytest.raises(SourceError, match="status 403 Forbidden"):
        fetch(jobs=1)
    assert len(here(tmp_path)) == 2
    assert told(fetch()) == {14: "held", 15: "fetched", 16: "fetched"}


def test_a_server_that_does_not_answer_ends_the_run(fetch, venue):
    files = days_of(["BTCUSDT"], date(2023, 12, 1), LAST, "1h")
    for file in files:
        venue.replies[file.path] = [503] * 9

    with pytest.raises(SourceError, match=r"8 files in a row did not come, the last: .*503"):
        fetch(files=tuple(files))


def test_what_a_killed_run_left_goes(fetch, tmp_path):
    left = tmp_path / "out" / ".trades" / "tmpx"
    left.mkdir(parents=True)
    (left / "x.csv").write_text("half")
    half = tmp_path / "out" / "trades-1h" / "BTCUSDT" / ".BTCUSDT.x.tmp.csv"
    half.parent.mkdir(parents=True)
    half.write_text("half")

    fetch()

    assert not left.exists()
    assert not half.exists()


def test_a_folder_that_cannot_be_written_is_told(fetch, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "trades-1h").write_text("a file")

    with pytest.raises(StoreError, match=r"2024-01-1\d.csv: cannot be written \(.*\)$"):
        fetch()
