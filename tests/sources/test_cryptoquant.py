"""The parser of CryptoQuant's rows: golden values, drift, laws, mutants, and the samples."""

import csv
import json
import os
import re
from datetime import UTC, datetime, timedelta
from itertools import cycle, product

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from liqwarn.errors import BusyError, DataError
from liqwarn.sources.cryptoquant import ENDPOINTS, WINDOWS, read_rows

pytestmark = pytest.mark.timeout(1_200)

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
MANY = settings(max_examples=20_000 if FULL else 25, deadline=None)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
START = 1_704_067_200_000
SPAN = (START, START + 31 * 86_400_000)
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
STAMPS = {"hour": ("datetime", "%Y-%m-%d %H:%M:%S"), "day": ("date", "%Y-%m-%d")}
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,17})?", fullmatch=True)
LISTED = st.sets(st.integers(0, 30), max_size=8).map(lambda n: sorted(n, reverse=True))
SOME = st.sets(st.integers(0, 30), min_size=1, max_size=6).map(lambda n: sorted(n, reverse=True))

LIQUIDATIONS = """{"status": {"code": 200, "message": "success"}, "result": {"window": "hour",
"data": [
 {"datetime": "2024-01-01 02:00:00", "long_liquidations": 0.0, "short_liquidations": 1.5,
  "long_liquidations_usd": 0.0, "short_liquidations_usd": 63450.75000},
 {"datetime": "2024-01-01 01:00:00", "long_liquidations": 2.232, "short_liquidations": 0.25,
  "long_liquidations_usd": 94410.5, "short_liquidations_usd": 10575}]}}"""


def stamp(n, window="hour"):
    return (FIRST + n * STEPS[window]).strftime(STAMPS[window][1])


def page(steps, name="liquidations", window="hour", cell=lambda n, name: 1.5):
    stamped = STAMPS[window][0]
    rows = [{stamped: stamp(n, window), **{c: cell(n, c) for c in ENDPOINTS[name].columns}}
            for n in steps]  # fmt: skip
    status = {"code": 200, "message": "success"}
    return {"status": status, "result": {"window": window, "data": rows}}


def read(body, name="liquidations", window="hour", span=SPAN):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_rows(content, ENDPOINTS[name], window, span, "page 1")


def test_golden_values_of_both_sides_the_oldest_first():
    first, second = read(LIQUIDATIONS.encode())

    columns = ENDPOINTS["liquidations"].columns
    assert first.time == START + 3_600_000
    assert dict(zip(columns, first.cells, strict=True)) == {
        "long_liquidations": "2.232",
        "short_liquidations": "0.25",
        "long_liquidations_usd": "94410.5",
        "short_liquidations_usd": "10575",
    }
    assert second.cells == ("0.0", "1.5", "0.0", "63450.75000")


GOOD = LIQUIDATIONS.replace("\n", "")
ROW = '"datetime": "2024-01-01 02:00:00"'


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


DRIFT = {
    "empty": ("", "page 1: found nothing, expected JSON"),
    "html": ("<html>busy</html>", "page 1: found a page of HTML or XML, expected JSON"),
    "cut": (GOOD[:-9], "page 1: found b'{"),
    "list": ("[]", "page 1: found [], expected an object"),
    "refused with status 200": (
        '{"status": {"code": 403, "message": "forbidden"}}',
        "page 1: found an error {'code': '403', 'message': 'forbidden'}, expected success",
    ),
    "no status": ('{"result": {}}', "page 1, field 'status': found null, expected an object"),
    "no result": (
        '{"status": {"code": 200, "message": "success"}}',
        "page 1: found fields ['status'], expected result and status",
    ),
    "no data": (
        '{"status": {"code": 200, "message": "success"}, "result": {"window": "hour"}}',
        "page 1, field 'result': found fields ['window'], expected data and window",
    ),
    "other window": (
        changed('"window": "hour"', '"window": "day"'),
        "page 1, field 'window': found 'day', expected 'hour'",
    ),
    "added": (
        changed(ROW, f'{ROW}, "side": "long"'),
        "page 1, row 1, field 'side': new, expected datetime",
    ),
    "removed": (
        changed(', "short_liquidations_usd": 10575', ""),
        "page 1, row 2, field 'short_liquidations_usd': missing, found datetime",
    ),
    "renamed": (
        changed('"long_liquidations_usd": 0.0', '"long_liquidation_usd": 0.0'),
        "short_liquidations_usd, renamed to 'long_liquidation_usd'?",
    ),
    "numbers as text": (
        changed("10575", '"10575"'),
        "page 1, row 2, field 'short_liquidations_usd': found '10575', expected a number",
    ),
    "not a number": (changed("10575", "NaN"), "page 1: found NaN, expected a finite number"),
    "infinite": (changed("10575", "1e999"), "field 'short_liquidations_usd': found 1e999"),
    "daily stamp": (
        changed("2024-01-01 02:00:00", "2024-01-01"),
        "page 1, row 1, field 'datetime': found '2024-01-01', expected a time such as",
    ),
    "milliseconds": (
        changed('"2024-01-01 02:00:00"', "1704074400000"),
        "page 1, row 1, field 'datetime': found 1704074400000, expected text",
    ),
    "no such hour": (
        changed("2024-01-01 02:00:00", "2024-01-01 25:00:00"),
        "page 1, row 1, field 'datetime': found '2024-01-01 25:00:00', expected a time such as",
    ),
    "a stamp within the hour, as of blocks": (
        changed("02:00:00", "02:17:09"),
        "field 'time': found 1704075429000 ms, expected a multiple of 3600000 ms",
    ),
    "twice": (
        changed("02:00:00", "01:00:00"),
        "from the oldest on, row 2, field 'time': found 1704070800000 ms, expected later",
    ),
    "not asked for": (
        changed("2024-01-01 02", "2023-01-01 02"),
        "field 'time': found 1672538400000 ms, expected from 1704067200000",
    ),
}


@pytest.mark.parametrize("name", DRIFT)
def test_drift_is_told_by_its_place(name):
    body, told = DRIFT[name]

    with pytest.raises(DataError, match=re.escape(told)):
        read(body.encode())


def test_the_error_that_asks_for_patience_passes():
    with pytest.raises(BusyError, match="too_many_requests"):
        read({"status": {"code": 429, "message": "too_many_requests"}})


def test_a_metric_that_will_be_removed_is_still_read():
    body = page([3, 2])
    body["status"]["message"] = "deprecated"

    assert len(read(body)) == 2


def test_other_fields_of_flows_pass_and_are_left_out():
    body = page([1], "inflow")
    body["result"]["data"][0] |= {"inflow_top10": None, "inflow_mean": 0.5, "inflow_mean_ma7": 0.4}

    assert read(body, "inflow")[0].cells == ("1.5",)


@MANY
@given(
    steps=LISTED,
    name=st.sampled_from(sorted(ENDPOINTS)),
    window=st.sampled_from(sorted(WINDOWS)),
    newest=st.booleans(),
    texts=st.lists(NUMBERS | st.none(), min_size=1, max_size=4),
)
def test_every_number_comes_as_its_text(steps, name, window, newest, texts):
    columns = ENDPOINTS[name].columns
    told = dict(zip(product(steps, columns), cycle(texts), strict=False))
    body = json.dumps(
        page(steps if newest else steps[::-1], name, window, lambda n, c: f"<{n} {c}>")
    )
    for (n, c), text in told.items():
        body = body.replace(f'"<{n} {c}>"', "null" if text is None else text)

    readings = read(body.encode(), name, window)

    step = WINDOWS[window]
    assert [r.time for r in readings] == [START + n * step for n in sorted(steps)]
    assert [r.cells for r in readings] == [
        tuple(told[n, c] or "" for c in columns) for n in sorted(steps)
    ]


def _set(name, value):
    return lambda row: row.update({name: value})


def _moved(**delta):
    def mutate(row):
        moment = datetime.fromisoformat(row["datetime"]) + timedelta(**delta)
        row["datetime"] = f"{moment:%Y-%m-%d %H:%M:%S}"

    return mutate


MUTANTS = [
    _moved(seconds=1),
    _moved(minutes=30),
    _moved(days=400),
    _moved(days=-400),
    _set("datetime", START),
    _set("datetime", START // 1000),
    _set("datetime", None),
    _set("datetime", "2024-01-01T00:00:00Z"),
    _set("datetime", "2024-1-1 0:00:00"),
    _set("datetime", "2024-02-30 00:00:00"),
    _set("long_liquidations_usd", "1.5"),
    _set("long_liquidations_usd", True),
    _set("short_liquidations", [1.5]),
    _set("blockheight", 823_786),
    lambda row: row.pop("short_liquidations_usd"),
    lambda row: row.pop("datetime"),
    lambda row: row.update(date=row.pop("datetime")),
    lambda row: row.update(longs=row.pop("long_liquidations")),
]


@MANY
@given(steps=SOME, mutate=st.sampled_from(MUTANTS), data=st.data())
def test_a_mutant_is_refused_by_its_row(steps, mutate, data):
    body = page(steps)
    rows = body["result"]["data"]
    mutate(rows[data.draw(st.integers(0, len(rows) - 1))])

    with pytest.raises(DataError, match=r"page 1(, from the oldest on)?, row \d, field"):
        read(body)


@MANY
@given(steps=SOME.filter(lambda n: len(n) > 1), how=st.sampled_from(["twice", "swap"]),
       data=st.data())  # fmt: skip
def test_rows_that_are_there_twice_or_in_disorder_are_refused(steps, how, data):
    body = page(steps)
    rows = body["result"]["data"]
    at = data.draw(st.integers(0, len(rows) - 2))
    if how == "twice" or len(rows) == 2:
        rows.insert(at, rows[at])
    else:
        rows[at], rows[at + 1] = rows[at + 1], rows[at]

    with pytest.raises(DataError, match="later than the row before"):
        read(body)


def outcome(content):
    try:
        return read(content), ""
    except (DataError, BusyError) as error:
        return [], str(error)


@MANY
@given(cut=st.integers(0, len(GOOD) - 2), noise=st.binary(max_size=3))
def test_a_cut_or_noisy_page_is_a_clear_error_or_the_same(cut, noise):
    content = GOOD[:cut].encode() + noise + GOOD[cut:].encode() if noise else GOOD[:cut].encode()
    readings, told = outcome(content)

    assert len(readings) in (1, 2) or "page 1" in told


SAMPLES = {
    "cryptoquant_btc_binance_inflow_hour_head.csv": "inflow",
    "cryptoquant_btc_binance_outflow_hour_head.csv": "outflow",
    "cryptoquant_btc_binance_netflow_hour_head.csv": "netflow",
    "cryptoquant_btc_binance_exchange-flows_reserve_hour_head.csv": "reserve",
    "cryptoquant_btc_binance_flow-indicator_exchange-whale-ratio_hour_head.csv": "whale-ratio",
    "cryptoquant_btc_binance_market-data_open-interest_hour_head.csv": "open-interest",
    "cryptoquant_btc_binance_market-data_liquidations_hour_head.csv": "liquidations",
    "cryptoquant/binance_btc_open-interest_hour_2024.csv": "open-interest",
    "cryptoquant/binance_btc_liquidations_hour_2024.csv": "liquidations",
}


def as_object_text(row):
    """A row of the file as JSON, each number as it stands."""
    cells = [f'"{k}": "{v}"' if k == "datetime" else f'"{k}": {v}' for k, v in row.items()]
    return "{" + ", ".join(cells) + "}"


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_samples_are_read_every_cell(raw_samples, sample):
    """They are kept as CSV; here they are what the API says, the newest first."""
    name = SAMPLES[sample]
    with (raw_samples / sample).open(newline="") as stream:
        rows = [{k: v for k, v in row.items() if k != "start_time"}
                for row in csv.DictReader(stream)]  # fmt: skip
    body = (
        '{"status": {"code": 200, "message": "success"}, "result": {"window": "hour", "data": ['
        + ", ".join(map(as_object_text, reversed(rows)))
        + "]}}"
    )

    readings = read(body.encode(), name, span=(0, 1 << 41))

    columns = ENDPOINTS[name].columns
    assert [r.cells for r in readings] == [tuple(row[c] for c in columns) for row in rows]
    assert [r.time for r in readings] == [
        int(datetime.fromisoformat(row["datetime"] + "+00:00").timestamp()) * 1000 for row in rows
    ]
    assert len(rows) >= 199


def test_an_hour_is_stamped_with_its_start_as_prices_say(raw_samples, real_data):
    """Longs are liquidated in the hour in which the price falls, of candles stamped with starts."""
    with (raw_samples / "cryptoquant/binance_btc_liquidations_hour_2024.csv").open() as stream:
        rows = {row["datetime"]: row for row in csv.DictReader(stream)}
    candles = pq.read_table(real_data / "klines/binance_um_perp_1h_BTCUSDT.parquet").to_pylist()
    moved, tilted = [], []
    for candle in candles:
        row = rows.get(f"{candle['timestamp']:%Y-%m-%d %H:%M:%S}")
        if row:
            moved.append(candle["close_usdt"] - candle["open_usdt"])
            tilted.append(
                float(row["long_liquidations_usd"]) - float(row["short_liquidations_usd"])
            )

    there = {by: spearmanr(np.roll(moved, by), tilted).statistic for by in (-1, 0, 1)}

    assert len(moved) == 8_784
    assert there[0] < -0.6
    assert abs(there[1]) < 0.3
    assert abs(there[-1]) < 0.1
