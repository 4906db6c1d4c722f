"""The account of days of trades."""

from datetime import date

from liqwarn.sources.bybit_days import DayFile, DayOutcome, DaysReport, days_of

COUNTS = (
    "days of trades: 1 fetched, 1 replaced, 1 awaited, 1 withdrawn, 1 refused; 1,500 bytes came"
)


def outcome(day, status, symbol="BTCUSDT", **changes):
    file = DayFile(symbol=symbol, day=date(2024, 1, day), interval="5m")
    return DayOutcome(file=file, status=status, **changes)


def report(*outcomes):
    return DaysReport(outcomes=tuple(outcomes))


def test_days_are_all_of_a_span_for_each_symbol():
    found = days_of(["A", "B"], date(2024, 2, 28), date(2024, 3, 1), "1h")

    assert [file.place for file in found][2:4] == [
        "trades-1h/A/A-trades-1h-2024-03-01.csv",
        "trades-1h/B/B-trades-1h-2024-02-28.csv",
    ]
    assert len(found) == 6
    assert days_of(["A"], date(2024, 2, 2), date(2024, 2, 1), "1h") == []


def test_gaps_are_joined_where_they_touch_and_mean_the_same():
    told = report(
        outcome(1, "missing"), outcome(2, "missing"), outcome(3, "fetched"),
        outcome(4, "missing"), outcome(5, "awaited"), outcome(5, "missing", "ETHUSDT"),
    )  # fmt: skip

    assert told.gaps == (
        ("BTCUSDT", date(2024, 1, 1), date(2024, 1, 2), False),
        ("BTCUSDT", date(2024, 1, 4), date(2024, 1, 4), False),
        ("BTCUSDT", date(2024, 1, 5), date(2024, 1, 5), True),
        ("ETHUSDT", date(2024, 1, 5), date(2024, 1, 5), False),
    )
    assert told.symbols == ("BTCUSDT",)


def test_everything_that_is_not_as_it_should_be_is_told():
    told = report(
        outcome(1, "fetched", size=1_000, left_out=3),
        outcome(2, "replaced", size=500),
        outcome(3, "withdrawn"),
        outcome(4, "refused", reason="x, row 1: bad"),
        outcome(5, "awaited"),
    )

    assert told.to_text().splitlines() == [
        COUNTS,
        "trades of BTCUSDT: 2024-01-05 not published yet",
        "trading/BTCUSDT/BTCUSDT2024-01-02.csv.gz: replaced by the provider",
        "trading/BTCUSDT/BTCUSDT2024-01-03.csv.gz: the provider has it no more, candles kept",
        "trading/BTCUSDT/BTCUSDT2024-01-01.csv.gz: 3 copies and strays left out",
        "refused, x, row 1: bad",
    ]
    assert told.to_dict()["refused"] == {
        "trading/BTCUSDT/BTCUSDT2024-01-04.csv.gz": "x, row 1: bad"
    }


def test_long_lists_are_cut_in_text_only():
    told = report(*(outcome(day, "replaced") for day in range(1, 31)))

    assert "… and 10 more like this" in told.to_text()
    assert len(told.to_dict()["replaced"]) == 30
    assert report().to_text() == "days of trades: none; 0 bytes came"
