"""The public archive's files when their schema drifts: a clear error or a counted quarantine."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest
from liqwarn.errors import ConflictError, DataError

ROOT = Path(__file__).parents[2]
FAKE = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_archive.py"))
NOW = datetime(2026, 12, 31, tzinfo=UTC)
START = int(datetime(2024, 3, 5, tzinfo=UTC).timestamp())
FILES = {
    "perp": "data/futures/um/daily/klines/BTCUSDT/5m/BTCUSDT-5m-2024-03-05.zip",
    "metrics": "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-03-05.zip",
    "funding": "data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-03.zip",
}


@pytest.fixture(scope="module")
def panel():
    raw = load_panel(ROOT / "conf/panels/binance_um_5m.yaml")
    return raw.model_copy(update={"symbols": raw.symbols[:1]})


@pytest.fixture(scope="module")
def tables():
    """Two hours of each kind, as published."""
    market = FAKE["Market"]("BTCUSDT")
    candles = [FAKE["candle"](market, START + 300 * n, 300) for n in range(24)]
    metrics = [
        f"{datetime.fromtimestamp(START + 300 * (n + 1), UTC):%Y-%m-%d %H:%M:%S},BTCUSDT,"
        f"{1000 + n}.000,5000.0000,1.9,1.2,1.4,1.01"
        for n in range(24)
    ]
    funding = [f"{START * 1000 + 7},8,0.00010000"]
    return {
        "perp": [FAKE["CANDLES"], *candles],
        "metrics": [FAKE["METRICS"], *metrics],
        "funding": [FAKE["FUNDING"], *funding],
    }


@pytest.fixture
def load_files(panel, store, data_dir):
    """Write tables as the archive's zips, read them through the shipped panel, build the frame."""

    def run(tables):
        for kind, lines in tables.items():
            path = data_dir / FILES[kind]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(FAKE["zipped"]("a.csv", "\n".join(lines) + "\n"))
        summary = ingest(panel, data_dir, store, now=NOW)
        return summary, market_frame(store, panel)

    return run


def columns_of(lines):
    return [line.split(",") for line in lines]


def moved(lines, order):
    """The columns in another order, header included."""
    return [",".join(cells[i] for i in order) for cells in columns_of(lines)]


def changed(lines, column, change, *, header=None):
    """One column of every row changed."""
    rows = columns_of(lines)
    at = rows[0].index(column)
    for cells in rows[1:]:
        cells[at] = change(cells[at])
    rows[0][at] = header or column
    return [",".join(cells) for cells in rows]


def without(lines, column):
    at = lines[0].split(",").index(column)
    return [",".join(cells[:at] + cells[at + 1 :]) for cells in columns_of(lines)]


def with_column(lines):
    return [lines[0] + ",new_column", *(line + ",1" for line in lines[1:])]


def values(frame):
    return {name: frame.field(name).tobytes() for name in frame.fields}


def test_as_published_every_value_is_there(load_files, tables):
    summary, frame = load_files(tables)

    assert summary.quarantined == {}
    assert frame.shape == (1, 24)
    assert frame.field("open_interest")[0].tolist() == [1000.0 + n for n in range(24)]
    assert np.isfinite(frame.field("close")).all()
    assert frame.field("funding_rate")[0].tolist() == [1e-4] * 24


HARMLESS = {
    "perp without a header": lambda t: t | {"perp": t["perp"][1:]},
    "perp columns in another order": lambda t: t | {"perp": moved(t["perp"], range(11, -1, -1))},
    "metrics columns in another order": lambda t: t | {
        "metrics": moved(t["metrics"], range(7, -1, -1))},
    "a new metrics column": lambda t: t | {"metrics": with_column(t["metrics"])},
    "a new funding column": lambda t: t | {"funding": with_column(t["funding"])},
    "an unused metrics column gone": lambda t: t | {
        "metrics": without(t["metrics"], "sum_taker_long_short_vol_ratio")},
    "rows in another order": lambda t: t | {"perp": [t["perp"][0], *t["perp"][:0:-1]]},
    "every row twice": lambda t: t | {"metrics": t["metrics"] + t["metrics"][1:]},
    "spaces around the cells": lambda t: t | {
        "metrics": [line.replace(",", ", ") for line in t["metrics"]]},
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_what_changes_no_meaning_changes_no_value(load_files, tables, store, name, panel, tmp_path):
    told = HARMLESS[name](tables)

    _, frame = load_files(told)

    for kind, lines in tables.items():
        (tmp_path / "data" / FILES[kind]).write_bytes(
            FAKE["zipped"]("a.csv", "\n".join(lines) + "\n")
        )
    again = ingest(panel, tmp_path / "data", store, now=NOW)
    assert (again.total("new"), again.total("replaced")) == (0, 0)  # the same bits, cell by cell
    assert values(market_frame(store, panel)) == values(frame)


WRONG = {
    "a new candle column": (
        lambda t: t | {"perp": with_column(t["perp"])}, "13 columns found, the panel names 12"),
    "a candle column gone": (
        lambda t: t | {"perp": without(t["perp"], "count")}, "11 columns found"),
    "a candle column renamed": (
        lambda t: t | {"perp": changed(t["perp"], "close", str, header="last")},
        r"its header has \['last'\], the panel names"),
    "a metrics column gone": (
        lambda t: t | {"metrics": without(t["metrics"], "sum_open_interest")},
        "no column 'sum_open_interest'"),
    "a metrics column renamed": (
        lambda t: t | {"metrics": changed(t["metrics"], "sum_open_interest", str, header="oi")},
        "no column 'sum_open_interest'"),
    "candles in microseconds": (
        lambda t: t | {"perp": changed(t["perp"], "open_time", lambda c: c + "000")},
        "set time.unit to us"),
    "candles in seconds": (
        lambda t: t | {"perp": changed(t["perp"], "open_time", lambda c: c[:-3])},
        "set time.unit to s"),
    "candles of another interval": (
        lambda t: t | {"perp": changed(t["perp"], "open_time", lambda c: str(int(c) + 60_000))},
        "another step, zone or label"),
    "metrics in milliseconds": (
        lambda t: t | {"metrics": changed(t["metrics"], "create_time", lambda _: "1709596800000")},
        "expected a time"),
    "text for numbers": (
        lambda t: t | {"metrics": changed(t["metrics"], "sum_open_interest", lambda _: "n/a!")},
        "expected numbers"),
    "another symbol's file": (
        lambda t: t | {"metrics": changed(t["metrics"], "symbol", lambda _: "ETHUSDT")},
        "no row of BTCUSDT"),
    "a page inside the zip": (
        lambda t: t | {"metrics": ["<html>", "<body>Please log in</body>", "</html>"]},
        "no column"),
    "a header and no row": (lambda t: t | {"metrics": t["metrics"][:1]}, "no rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_as_a_whole_is_an_error(load_files, tables, name):
    change, match = WRONG[name]

    with pytest.raises(DataError, match=match):
        load_files(change(tables))


def test_two_values_of_one_moment_are_both_refused(load_files, tables):
    double = tables["metrics"][5].replace(",1004.000,", ",1234.000,")

    summary, frame = load_files(tables | {"metrics": [*tables["metrics"], double]})

    assert sum(summary.quarantined.values()) == 2
    assert frame.field("open_interest")[0, 4] == 1003.0  # the last one that is not in doubt


def test_blank_and_zero_open_interest_is_missing_and_counted(load_files, tables):
    lines = list(tables["metrics"])
    lines[3] = lines[3].replace(",1002.000,", ",,")
    lines[4] = lines[4].replace(",1003.000,", ",0.000,")
    lines[5] = lines[5].replace(",1004.000,", ',"",')

    summary, frame = load_files(tables | {"metrics": lines})

    assert sum(summary.quarantined.values()) == 1
    assert frame.field("open_interest")[0, 2:5].tolist() == [1001.0] * 3


def test_a_day_that_says_otherwise_in_another_file_is_a_conflict(load_files, tables, data_dir):
    monthly = data_dir / "data/futures/um/monthly/klines/BTCUSDT/5m/BTCUSDT-5m-2024-03.zip"
    monthly.parent.mkdir(parents=True)
    other = changed(tables["perp"], "volume", lambda _: "13.500")
    monthly.write_bytes(FAKE["zipped"]("a.csv", "\n".join(other) + "\n"))

    with pytest.raises(ConflictError, match=r"BTCUSDT-5m-2024-03\.zip .*, the store has "):
        load_files(tables)


def test_a_zip_of_two_tables_is_refused(load_files, tables, data_dir):
    path = data_dir / FILES["metrics"]
    path.parent.mkdir(parents=True)
    path.write_bytes(FAKE["zipped"]("a.csv", "\n".join(tables["metrics"]), members=2))

    with pytest.raises(DataError, match=r"expected exactly one \.csv"):
        load_files({kind: tables[kind] for kind in ("perp", "funding")})
