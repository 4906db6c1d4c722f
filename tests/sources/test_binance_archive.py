"""Years in a folder: what is asked for, what is not, and what is told."""

from concurrent.futures import as_completed
from datetime import date

import pytest

from liqwarn.errors import ConfigError, SourceError, StoreError
from liqwarn.sources.binance_files import ArchiveFile, FileSeries

ROOT = "data/futures/um"


def series(kind, symbol="BTCUSDT"):
    return FileSeries(kind=kind, symbol=symbol, interval="1h")


def counts(report):
    return {status: n for status, n in report.to_dict()["files"].items() if n}


def test_months_and_the_days_around_them_are_fetched_once(archive, fetch):
    report = fetch()

    # three kinds of candles: a month and two days; one month and a further one of funding; 31 days
    assert counts(report) == {"fetched": 3 * 3 + 2 + 31}
    assert report.gaps == ()
    asked = archive.zips_asked()
    assert len(asked) == len(set(asked)) == 42
    assert f"{ROOT}/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-02.zip" in asked
    assert f"{ROOT}/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2024-03-02.zip" in asked
    assert report.size == sum(len(archive.zip_at(path)) for path in asked)

    again = fetch()

    assert counts(again) == {"held": 42}
    assert again.size == 0
    assert archive.zips_asked() == asked


def test_no_more_files_at_a_time_than_told(archive, fetch):
    archive.delay_s = 0.005

    fetch(jobs=3)

    assert archive.most_at_once == 3


def test_a_month_that_is_not_published_yet_comes_as_days(archive, fetch):
    archive.published = date(2024, 3, 30)
    archive.listed["BTCUSDT"] = date(2024, 3, 1)

    kinds = ("klines", "fundingRate")
    span = {"since": date(2024, 3, 1), "until": date(2024, 3, 31)}
    report = fetch(**span, today=date(2024, 4, 1), kinds=kinds)

    assert report.count("by_days") == 1
    assert {str(gap) for gap in report.gaps} == {
        "klines of BTCUSDT: 2024-03-31 not published yet (1 day)",
        "fundingRate of BTCUSDT: 2024-03-01 to 2024-03-31 not published yet (31 days)",
    }


MARCH = {"since": date(2024, 3, 1), "until": date(2024, 3, 31), "kinds": ("klines", "fundingRate")}


def test_a_month_that_is_here_as_days_is_not_fetched_again(archive, fetch):
    month = ArchiveFile.of_month(series("klines"), date(2024, 3, 1)).path
    archive.content = {month: None, f"{month}.CHECKSUM": None}
    fetch(**MARCH)
    archive.content = {}
    archive.asked.clear()

    report = fetch(**MARCH)

    assert archive.zips_asked() == []
    assert counts(report) == {"held": 31 + 1, "by_days": 1}


def test_a_month_whose_day_is_missing_comes_as_a_month_once_it_is_published(archive, fetch):
    archive.published = date(2024, 3, 30)
    fetch(**MARCH)
    archive.published, archive._made = date(2024, 4, 2), {}

    report = fetch(**MARCH)

    months = [o.file.name for o in report.of("fetched") if o.file.monthly]
    assert months == ["BTCUSDT-fundingRate-2024-03.zip", "BTCUSDT-1h-2024-03.zip"]
    assert report.gaps == ()


def test_missing_days_are_told_as_gaps(archive, fetch):
    for day in (10, 11, 20):
        path = ArchiveFile.of_day(series("metrics"), date(2024, 2, day)).path
        archive.content |= {path: None, f"{path}.CHECKSUM": None}

    report = fetch()

    assert [str(gap) for gap in report.gaps] == [
        "metrics of BTCUSDT: 2024-02-10 to 2024-02-11 missing (2 days)",
        "metrics of BTCUSDT: 2024-02-20 missing (1 day)",
    ]
    assert "2024-02-10 to 2024-02-11 missing" in report.to_text()


def test_an_old_month_of_which_the_ends_are_missing_is_a_gap_after_three_questions(archive, fetch):
    archive.listed["BTCUSDT"] = date(2023, 3, 5)

    report = fetch(since=date(2023, 1, 1), until=date(2023, 4, 30))

    asked = [path for _, path in archive.asked if "klines/" in path and "2023-01" in path]
    assert len({path.removesuffix(".CHECKSUM") for path in asked}) == 3
    assert "klines of BTCUSDT: 2023-01-01 to 2023-02-28 missing (59 days)" in map(str, report.gaps)


def test_before_the_first_candle_nothing_else_is_asked_for(archive, fetch):
    report = fetch(("ETHUSDT",), since=date(2024, 1, 1))

    assert {str(gap) for gap in report.unlisted} == {
        f"{kind} of ETHUSDT: 2024-01-01 to 2024-01-31 missing (31 days)"
        for kind in ("markPriceKlines", "indexPriceKlines", "fundingRate", "metrics")
    }
    assert not any("metrics-2024-01" in path for _, path in archive.asked)
    assert report.symbols("klines") == ("ETHUSDT",)
    assert "before its first candle" in report.to_text()


def test_a_name_that_is_none_has_only_gaps(archive, fetch):
    report = fetch(("BTCUSDT", "XXXUSDT"))

    assert report.symbols("klines") == ("BTCUSDT",)
    assert not any("metrics/XXXUSDT" in path for _, path in archive.asked)
    assert report.unlisted == ()


def test_a_file_that_changed_is_told_and_the_others_are_not_asked_for(archive, fetch, fake):
    fetch()
    path = ArchiveFile.of_day(series("metrics"), date(2024, 2, 9)).path
    archive.content[path] = fake["zipped"]("a.csv", "create_time,symbol\n")
    archive.asked.clear()

    report = fetch()

    assert [o.file.path for o in report.of("replaced")] == [path]
    assert archive.zips_asked() == [path]
    assert f"{path}: replaced by the provider" in report.to_text()


def test_what_is_here_can_be_taken_as_it_is(archive, fetch):
    fetch()
    archive.asked.clear()

    assert fetch(ask_again=False).count("held") == 42
    assert archive.asked == []


def test_one_bad_file_is_refused_and_the_others_come(archive, fetch, fake):
    path = ArchiveFile.of_day(series("metrics"), date(2024, 2, 9)).path
    archive.replies[path] = [fake["page"]] * 2
    busy = ArchiveFile.of_month(series("fundingRate"), date(2024, 2, 9)).path
    archive.replies[busy] = [500] * 4

    report = fetch()

    assert counts(report) == {"fetched": 40, "refused": 2}
    refused = report.to_dict()["refused"]
    assert "a page of HTML" in refused[path]
    assert "asked 4 times" in refused[busy]
    assert "refused, " in report.to_text()
    assert counts(fetch()) == {"held": 40, "fetched": 2}


def test_a_server_that_refuses_ends_the_fetch(archive, fetch):
    path = ArchiveFile.of_day(series("metrics"), date(2024, 2, 9)).path
    archive.replies[f"{path}.CHECKSUM"] = [403]

    with pytest.raises(SourceError, match="status 403"):
        fetch()


def test_a_server_that_is_down_is_not_asked_for_every_file(archive, fetch):
    asked = []
    archive.enter = lambda _, path: asked.append(path) or 503

    with pytest.raises(SourceError, match=r"8 files in a row did not come, the last: .*503"):
        fetch(jobs=1, kinds=("klines",), since=date(2024, 2, 2))
    assert (len(set(asked)), len(asked)) == (8, 8 * 4)


def test_a_disk_that_is_full_ends_the_fetch(fetch, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("liqwarn.sources.keeper.replace_file", full)

    with pytest.raises(StoreError, match=r"No space left on device.*make room and run again"):
        fetch()


def test_an_interruption_ends_it_at_once_and_leaves_nothing_half(archive, fetch, monkeypatch):
    def interrupted(futures):
        yield next(as_completed(futures))
        raise KeyboardInterrupt

    archive.delay_s = 0.01
    with monkeypatch.context() as patch:
        patch.setattr("liqwarn.sources.binance_archive.as_completed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(since=date(2024, 2, 2), until=date(2024, 2, 28))
    assert len(archive.zips_asked()) < 20

    archive.delay_s = 0.0
    assert counts(fetch(since=date(2024, 2, 2), until=date(2024, 2, 28)))["held"] >= 1
    assert len(archive.zips_asked()) <= 4 * 27 + 1 + 4  # what was under way may come again


def test_leftovers_of_a_killed_run_are_removed(fetch, tmp_path):
    folder = tmp_path / "archive" / ROOT / "daily/metrics/BTCUSDT"
    folder.mkdir(parents=True)
    (folder / ".BTCUSDT-metrics-2024-02-09.abc.tmp.zip").write_bytes(b"half")

    fetch()

    assert not [p for p in (tmp_path / "archive").rglob("*") if ".tmp" in p.name]


def test_progress_ends_where_everything_is_settled(fetch):
    told = []

    report = fetch(("BTCUSDT", "ETHUSDT"), on_fetch=told.append)

    assert told[-1].done == told[-1].total
    assert told[-1].size == report.size


def test_days_that_run_backwards_are_refused(fetch):
    with pytest.raises(ConfigError, match="from 2024-03-03 is after to 2024-03-02"):
        fetch(since=date(2024, 3, 3))
