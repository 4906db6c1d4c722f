"""The account of a fetch: every file once, gaps joined, everything odd told."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from liqwarn.sources.binance_files import ArchiveFile, FileSeries
from liqwarn.sources.outcome import FetchReport, Outcome

SERIES = [FileSeries(kind="metrics", symbol=s, interval="5m") for s in ("AUSDT", "BUSDT")]
FIRST = date(2024, 1, 30)


def outcomes(series, statuses):
    return [
        Outcome(file=ArchiveFile.of_day(series, FIRST + timedelta(days=n)), status=status)
        for n, status in enumerate(statuses)
    ]


STATUSES = st.lists(st.sampled_from(["fetched", "held", "missing", "awaited"]), max_size=12)


@given(a=STATUSES, b=STATUSES)
def test_gaps_hold_every_missing_day_once_and_no_other(a, b):
    told = [*outcomes(SERIES[0], a), *outcomes(SERIES[1], b)]

    gaps = FetchReport(outcomes=tuple(told)).gaps

    days = [(gap.series, gap.first + timedelta(days=n), gap.awaited)
            for gap in gaps for n in range(gap.days)]  # fmt: skip
    assert sorted(days) == sorted(
        (o.file.series, o.file.first, o.status == "awaited")
        for o in told
        if o.status in ("missing", "awaited")
    )
    for gap in gaps:  # none could be longer
        beside = {gap.first - timedelta(days=1), gap.last + timedelta(days=1)}
        assert not any((gap.series, day, gap.awaited) in days for day in beside)


def test_a_report_counts_and_names(capsys):
    odd = [
        Outcome(file=ArchiveFile.of_day(SERIES[0], FIRST), status="refused", reason="a page"),
        Outcome(file=ArchiveFile.of_day(SERIES[1], FIRST), status="withdrawn"),
        Outcome(file=ArchiveFile.of_day(SERIES[1], date(2024, 2, 1)), status="fetched", size=1_500),
    ]
    report = FetchReport(outcomes=tuple(odd), seconds=1.23456)

    assert report.to_text().splitlines() == [
        "files: 1 fetched, 1 withdrawn, 1 refused; 1,500 bytes came",
        f"{odd[1].file.path}: the provider has it no more, kept",
        "refused, a page",
    ]
    plain = report.to_dict()
    assert plain["files"]["refused"] == 1
    assert (plain["bytes"], plain["seconds"]) == (1_500, 1.235)
    assert report.symbols("metrics") == ("BUSDT",)
    assert report.symbols("klines") == ()


def test_a_long_list_is_cut_in_the_text_and_whole_in_the_file():
    days = [Outcome(file=ArchiveFile.of_day(SERIES[0], FIRST + timedelta(days=2 * n)),
                    status="missing") for n in range(50)]  # fmt: skip
    report = FetchReport(outcomes=tuple(days))

    assert report.to_text().splitlines()[-1] == "… and 30 more like this"
    assert len(report.to_dict()["gaps"]) == 50
