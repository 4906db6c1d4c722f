"""Candles of a day of trades: the same whatever the order, and every drift in its words."""

import gzip
import os
import runpy
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.errors import DataError
from liqwarn.sources import bybit_trades, gzip_lines
from liqwarn.sources.bybit_trades import candles_of

FAKE = runpy.run_path(str(Path(__file__).parent / "fake_bybit.py"))
MANY = settings(
    max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
DAY = date(2024, 1, 15)
FIRST = FAKE["ms"]("2024-01-15") // 60_000
HEADER = FAKE["HEADER"]
NAMES = HEADER.split(",")


def rows_of(minutes=30):
    return [FAKE["row_of"]("BTCUSDT", *trade) for minute in range(FIRST, FIRST + minutes)
            for trade in FAKE["trades_of"]("BTCUSDT", minute)]  # fmt: skip


ROWS = rows_of()


def read(path, rows, **changes):
    content = rows if isinstance(rows, bytes) else FAKE["packed"](rows, **changes)
    path.write_bytes(content)
    return candles_of(path, "BTCUSDT", DAY, 300, "day.csv.gz")


@pytest.fixture
def place(tmp_path):
    return tmp_path / "x.gz"


def test_candles_are_those_of_the_venue(place):
    """The fake's own candles are made trade by trade."""
    venue = FAKE["FakeBybit"](FAKE["ms"]("2024-01-20"), {"BTCUSDT": 0})

    lines = read(place, ROWS).csv.splitlines()

    assert lines[0] == "open_time,open,high,low,close,volume,taker_buy_volume,trades"
    for n, line in enumerate(lines[1:]):
        told = venue.candle("BTCUSDT", (FIRST + 5 * n) * 60_000, 300_000)
        assert list(map(float, line.split(",")[:6])) == list(map(float, told[:6]))
    assert len(lines) == 7


def test_a_golden_day(place):
    rows = [
        "1705276800.0683,BTCUSDT,Sell,0.001,42500.10,MinusTick,a-1,4.25001e+09,0.001,42.5001",
        "1705276800.7000,BTCUSDT,Buy,0.020,42500.20,PlusTick,a-2,8.50004e+10,0.020,850.004",
        "1705277099.9999,BTCUSDT,Buy,0.015,42499.90,ZeroPlusTick,a-3,6.3e+10,0.015,637.4985",
        "1705277100,BTCUSDT,Sell,3,42510,PlusTick,a-4,1.2e+13,3,127530",
        "1705363199.9,BTCUSDT,Buy,0.5,42400.5,MinusTick,a-5,2.1e+12,0.5,21200.25",
    ]

    told = read(place, rows)

    assert told.csv == (
        "open_time,open,high,low,close,volume,taker_buy_volume,trades\n"
        "1705276800000,42500.1,42500.2,42499.9,42499.9,0.036,0.035,3\n"
        "1705277100000,42510,42510,42510,42510,3,0,1\n"
        "1705362900000,42400.5,42400.5,42400.5,42400.5,0.5,0.5,1\n"
    )
    assert (told.trades, told.repeated, told.strays, told.disordered) == (5, 0, 0, 0)


def test_a_column_that_newer_files_have_changes_nothing(place):
    assert read(place, ROWS, rpi=True) == read(place, ROWS)


def test_the_newest_first_is_the_same_day(place):
    assert read(place, ROWS[::-1]) == read(place, ROWS)


@MANY
@given(order=st.permutations(range(len(ROWS))))
def test_any_order_gives_the_same_candles(place, order):
    found = read(place, [ROWS[n] for n in order])

    assert found.csv == read(place, ROWS).csv
    assert found.trades == len(ROWS)


@pytest.mark.parametrize("piece", [200, 1_000, 1 << 22])
def test_small_pieces_give_the_same_candles(place, monkeypatch, piece):
    expected = read(place, ROWS)
    monkeypatch.setattr(gzip_lines.line_blocks, "__kwdefaults__", {"piece": piece})

    assert read(place, ROWS) == expected


@MANY
@given(copies=st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=20), data=st.data())
def test_copies_of_trades_are_counted_and_left_out(place, copies, data):
    rows = list(ROWS)
    for n in copies:
        rows.insert(data.draw(st.integers(0, len(rows))), ROWS[n])

    found = read(place, rows)

    assert found.csv == read(place, ROWS).csv
    assert (found.repeated, found.trades) == (len(copies), len(ROWS))


def test_a_day_that_is_there_twice_is_one_day(place):
    assert read(place, ROWS + ROWS).csv == read(place, ROWS).csv


def test_strays_of_another_day_are_counted_and_left_out(place):
    rows = rows_of(600)
    stray = FAKE["row_of"]("BTCUSDT", f"{(FIRST + 1_440) * 60}.0001", "Buy", 5, 9.5)

    found = read(place, [*rows, stray])

    assert found.csv == read(place, rows).csv
    assert found.strays == 1


def cell(name, value):
    def change(row):
        cells = row.split(",")
        cells[NAMES.index(name)] = value
        return ",".join(cells)

    return change


DRIFTS = [
    (cell("timestamp", "1705276800068"), "field 'timestamp': found '1705276800068.0', expected se"),
    (cell("timestamp", "1705276800068300"), "expected seconds since the epoch"),
    (cell("timestamp", "nan"), "field 'timestamp': found 'nan', expected seconds"),
    (cell("timestamp", "2024-01-15T00:00:00Z"), "invalid value '2024-01-15T00:00:00Z'"),
    (cell("timestamp", ""), "CSV conversion error to double: invalid value ''"),
    (cell("symbol", "ETHUSDT"), "field 'symbol': found 'ETHUSDT', expected BTCUSDT"),
    (cell("side", "buy"), "field 'side': found 'buy', expected Buy or Sell"),
    (cell("side", ""), "field 'side': found '', expected Buy or Sell"),
    (cell("side", "x" * 200), "field 'side': a text of 200 bytes, expected less"),
    (cell("size", "-0.001"), "field 'size': found '-0.001', expected a number above 0"),
    (cell("size", "0"), "field 'size': found '0.0', expected a number above 0"),
    (cell("size", "inf"), "field 'size': found 'inf', expected a number above 0"),
    (cell("price", "NaN"), "field 'price': found 'nan', expected a number above 0"),
    (cell("price", "0"), "field 'price': found '0.0', expected a number above 0"),
    (cell("price", "1,5"), "Expected 10 columns, got 11"),
    (cell("homeNotional", "0"), "field 'homeNotional': found '0.0', expected the size, if"),
    (cell("size", "425"), "field 'homeNotional'"),
    (cell("foreignNotional", "1"), "field 'foreignNotional': found '1.0', expected the price"),
    (lambda row: row.rsplit(",", 1)[0], "Expected 10 columns, got 9"),
    (lambda row: row + ",0", "Expected 10 columns, got 11"),
    (lambda row: row[: len(row) // 2], "Expected 10 columns, got"),
    (lambda _: "<html>", "Expected 10 columns, got 1"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "said"), DRIFTS)
def test_a_drift_is_refused_in_these_words(place, edit, said):
    with pytest.raises(DataError, match=r"^day\.csv\.gz, ") as refused:
        read(place, [ROWS[0], edit(ROWS[1]), *ROWS[2:]])
    assert said in str(refused.value)


@MANY
@given(at=st.integers(0, len(ROWS) - 1), drift=st.sampled_from(DRIFTS))
def test_a_mutant_is_refused(place, at, drift):
    rows = list(ROWS)
    rows[at] = drift[0](rows[at])

    with pytest.raises(DataError, match=r"^day\.csv\.gz, (row|below row|field)") as refused:
        read(place, rows)
    if refused.value.args[0].startswith("day.csv.gz, row"):
        assert f"row {at + 1}, " in str(refused.value)


@MANY
@given(at=st.integers(0, 2_000), to=st.integers(0, 255))
def test_a_byte_that_changed_is_a_day_or_refused(place, at, to):
    """A digit may become another one; it never ends otherwise."""
    text = "\n".join([HEADER, *ROWS[:20]]).encode() + b"\n"
    at %= len(text)
    content = gzip.compress(text[:at] + bytes([to]) + text[at + 1 :], 1)

    try:
        found = read(place, content)
    except DataError as error:
        told = str(error)
    else:
        told = f"day.csv.gz {found.trades + found.repeated + found.strays}"
    assert told.startswith("day.csv.gz")
    assert told.removeprefix("day.csv.gz ") in (told, "20")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("timestamp,symbol,side,price,size", "'timestamp,symbol,side,price,size'"),
        (HEADER.replace("size,price", "price,size"), "side,price,size"),
        (HEADER.replace("trdMatchID", "tradeId"), "tradeId"),
        (HEADER + ",RPI,fee", "RPI,fee"),
        (HEADER.replace("timestamp,", ""), "'symbol,side"),
        ("id,timestamp,price,volume,side,rpi", "'id,timestamp,price,volume,side,rpi'"),
        (ROWS[0], "'1705276800"),
        ("", "''"),
    ],
)
def test_another_header_is_refused(place, header, found):
    content = gzip.compress(("\n".join([header, *ROWS]) + "\n").encode())

    with pytest.raises(DataError, match=r"^day\.csv\.gz: found columns") as refused:
        read(place, content)
    assert found in str(refused.value)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (
            gzip.compress((HEADER + "\n").encode(), mtime=0),
            "found no trade, expected a day of them",
        ),
        (gzip.compress(b"", mtime=0), "found columns ''"),
        (FAKE["packed"](ROWS)[:-20], "a damaged gzip or one cut short"),
        (b"<html>Not found</html>", "a page of HTML or XML, expected a gzip"),
    ],
)
def test_what_is_no_day_of_trades_is_refused(place, content, match):
    with pytest.raises(DataError, match=match):
        read(place, content)


def test_trades_of_another_day_are_refused(place):
    place.write_bytes(FAKE["packed"](ROWS))

    with pytest.raises(DataError, match="60 of 60 trades are not of 2024-01-16, expected seconds"):
        candles_of(place, "BTCUSDT", date(2024, 1, 16), 300, "day.csv.gz")


def test_an_identifier_on_two_trades_is_refused(place):
    other = cell("side", "Sell" if ",Buy," in ROWS[0] else "Buy")(ROWS[0])

    with pytest.raises(DataError, match="row 61, field 'trdMatchID': that of an earlier trade"):
        read(place, [*ROWS, other])


def test_a_bomb_is_refused(place, monkeypatch):
    monkeypatch.setattr(bybit_trades, "MAX_UNPACKED", 1_000)

    with pytest.raises(DataError, match=r"day\.csv\.gz: unpacks to more than 1000 bytes"):
        read(place, ROWS)
