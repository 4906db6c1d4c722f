"""The parser of Coin Metrics' pages: laws, mutants, and the samples as published."""

import csv
import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import DataError
from liqwarn.sources.coinmetrics import METRICS, read_page

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25,
                deadline=None)  # fmt: skip
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAY = 86_400_000
SPAN = (1_704_067_200_000, 1_704_067_200_000 + 40 * DAY)
NUMBERS = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,20})?", fullmatch=True)


def stamp(n):
    return f"{FIRST + timedelta(days=n):%Y-%m-%dT%H:%M:%S}.000000000Z"


def page(days, cell=lambda n, name: f"{n}.50"):
    return {"data": [{"asset": "btc", "time": stamp(n), **{m: cell(n, m) for m in METRICS}}
                     for n in days]}  # fmt: skip


def read(body, span=SPAN, asset="btc", metrics=METRICS):
    return read_page(json.dumps(body).encode(), asset, metrics, span, "page 1")


@MANY
@given(days=st.sets(st.integers(0, 39), max_size=12).map(sorted), data=st.data())
def test_every_text_comes_as_it_is(days, data):
    cells = {(n, m): data.draw(NUMBERS | st.none()) for n in days for m in METRICS}

    readings, token = read(page(days, lambda n, m: cells[n, m]))

    assert token is None
    assert [r.time for r in readings] == [SPAN[0] + n * DAY for n in days]
    assert [r.cells for r in readings] == [tuple(cells[n, m] or "" for m in METRICS) for n in days]


def _seconds(row):
    row["time"] = int(datetime.fromisoformat(row["time"]).timestamp())


def _unit(scale):
    def mutate(row):
        moment = datetime.fromisoformat(row["time"]).timestamp() * scale
        row["time"] = datetime.fromtimestamp(moment, UTC).isoformat()

    return mutate


def _set(name, value):
    return lambda row: row.update({name: value})


MUTANTS = [
    _seconds,
    _unit(1e-3),
    _unit(1e-6),
    _unit(10.0),
    _set("time", "2024-01-01"),
    _set("time", None),
    _set("asset", "BTC"),
    _set("PriceUSD", 1.5),
    _set("PriceUSD", "1,5"),
    _set("PriceUSD", "nan"),
    _set("PriceUSD", True),
    _set("PriceUSD", ["1"]),
    _set("FlowInExNtv", "1"),
    lambda row: row.pop("FlowInExUSD"),
    lambda row: row.update(FlowinExUSD=row.pop("FlowInExUSD")),
]


@MANY
@given(
    days=st.sets(st.integers(0, 39), min_size=1, max_size=8).map(sorted),
    mutate=st.sampled_from(MUTANTS),
    data=st.data(),
)
def test_a_mutant_is_refused_by_its_row_or_changes_nothing(days, mutate, data):
    body = page(days)
    at = data.draw(st.integers(0, len(days) - 1))
    mutate(body["data"][at])

    with pytest.raises(DataError, match=rf"page 1, row ({at + 1}|{at + 2}), field"):
        read(body)


@MANY
@given(
    days=st.sets(st.integers(0, 39), min_size=2, max_size=8).map(sorted),
    swap=st.booleans(),
    data=st.data(),
)
def test_rows_that_are_there_twice_or_out_of_order_are_refused(days, swap, data):
    rows = page(days)["data"]
    at = data.draw(st.integers(0, len(rows) - 2))
    if swap:
        rows[at], rows[at + 1] = rows[at + 1], rows[at]
    else:
        rows.insert(at, rows[at])

    with pytest.raises(DataError, match="later than the row before"):
        read({"data": rows})


def test_the_status_of_a_metric_is_let_pass():
    body = page([0])
    body["data"][0] |= {"PriceUSD-status": "reviewed", "PriceUSD-status-time": stamp(1)}

    assert len(read(body)[0]) == 1


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        ("coinmetrics_api_btc_selected_metrics_last100rows.csv", "btc"),
        ("coinmetrics_btc_csv_last2000rows.csv", "btc"),
        ("coinmetrics_community_v3_eth_csv_last50rows.csv", "eth"),
    ],
)
def test_the_samples_are_read_every_cell(raw_samples, name, asset):
    """They are kept as CSV; here they are what the API says, cell by cell."""
    with (raw_samples / name).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    metrics = [m for m in rows[0] if m not in ("time", "asset")]
    body = {"data": [{"asset": asset, "time": row["time"] + "T00:00:00.000000000Z",
                      **{m: row[m] or None for m in metrics}} for row in rows]}  # fmt: skip

    readings, _ = read(body, (0, 1 << 41), asset, metrics)

    assert [r.cells for r in readings] == [tuple(row[m] for m in metrics) for row in rows]
    assert len(readings) == len(rows) >= 50
