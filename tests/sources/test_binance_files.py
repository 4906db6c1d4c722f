"""Names of files: every day wanted is in exactly one file, and names say what they hold."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.data.mapping import DateSpan
from liqwarn.errors import ConfigError
from liqwarn.sources.binance_files import (
    INTERVALS,
    KINDS,
    ArchiveFile,
    FileSeries,
    check_symbol,
    files_of,
)

SERIES = st.builds(
    FileSeries,
    kind=st.sampled_from(KINDS),
    symbol=st.sampled_from(["BTCUSDT", "1000PEPEUSDT", "BTCUSDT_240628"]),
    interval=st.sampled_from(INTERVALS),
)
DAYS = st.dates(date(2019, 9, 1), date(2035, 12, 31))


def a_series(kind, interval="5m"):
    return FileSeries(kind=kind, symbol="BTCUSDT", interval=interval)


@pytest.mark.parametrize(
    ("kind", "month", "day"),
    [
        ("klines", "monthly/klines/BTCUSDT/5m/BTCUSDT-5m-2024-02.zip",
         "daily/klines/BTCUSDT/5m/BTCUSDT-5m-2024-02-29.zip"),
        ("markPriceKlines", "monthly/markPriceKlines/BTCUSDT/5m/BTCUSDT-5m-2024-02.zip",
         "daily/markPriceKlines/BTCUSDT/5m/BTCUSDT-5m-2024-02-29.zip"),
        ("indexPriceKlines", "monthly/indexPriceKlines/BTCUSDT/5m/BTCUSDT-5m-2024-02.zip",
         "daily/indexPriceKlines/BTCUSDT/5m/BTCUSDT-5m-2024-02-29.zip"),
        ("fundingRate", "monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-02.zip", None),
        ("metrics", None, "daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-02-29.zip"),
    ],
)  # fmt: skip
def test_paths_are_those_of_the_archive(kind, month, day):
    series, when = a_series(kind), date(2024, 2, 29)

    assert (series.has_months, series.has_days) == (month is not None, day is not None)
    if month:
        assert ArchiveFile.of_month(series, when).path == f"data/futures/um/{month}"
    if day:
        assert ArchiveFile.of_day(series, when).path == f"data/futures/um/{day}"


@given(series=SERIES, since=DAYS, length=st.integers(0, 800))
def test_every_day_is_in_exactly_one_file(series, since, length):
    until = since + timedelta(days=length)

    files = files_of(series, since, until)

    held = [day.first for file in files for day in file.days()]
    wanted = [since + timedelta(days=n) for n in range(length + 1)]
    if series.has_days:
        assert held == wanted
    else:
        assert held == sorted(set(held))
        assert set(wanted) <= set(held)
        assert all(file.monthly for file in files)
    assert len({file.path for file in files}) == len(files)
    assert list(files) == sorted(files)


@given(series=SERIES, day=DAYS)
def test_a_day_can_be_told_from_its_name(series, day):
    only = DateSpan(start=None, end=None).model_copy(update={"start": day, "end": day})

    assert only.holds(ArchiveFile.of_day(series, day).name)
    assert not only.holds(ArchiveFile.of_day(series, day + timedelta(days=1)).name)


@given(series=SERIES, day=DAYS)
def test_a_month_is_whole(series, day):
    month = ArchiveFile.of_month(series, day)

    assert month.monthly
    assert month.first.day == 1
    assert (month.last + timedelta(days=1)).day == 1
    assert month.first <= day <= month.last
    assert month.name.endswith(f"{day:%Y-%m}.zip")


@given(st.text(max_size=40))
def test_no_odd_symbol_becomes_a_path(text):
    try:
        symbol = check_symbol(text)
    except ConfigError as error:
        assert "expected capital letters" in str(error)  # noqa: PT017  either way is right
    else:
        assert symbol.replace("_", "").isalnum()
        assert symbol.isascii()


@pytest.mark.parametrize("name", ["btcusdt", "../BTC", "BTC/USDT", "", "B", "BTC USDT", "BTC\n"])
def test_what_is_no_symbol_is_refused(name):
    with pytest.raises(ConfigError, match="expected capital letters and digits: BTCUSDT"):
        check_symbol(name)
