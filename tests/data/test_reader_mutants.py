"""A provider file that was damaged or changed: our error, a counted refusal, or what it says.

Two laws over every format. Bytes: whatever is flipped, cut or put in, nothing but our own errors
comes out, and what is kept is a value that could be true. Cells: a cell that is replaced is
refused, refuses the file, or is read as the number that stands there; no other row changes.
"""

import io
import json
import math
import os
import zipfile
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.data.accepted import accept_rows
from liqwarn.data.panel import Panel
from liqwarn.data.quarantine import Rejects
from liqwarn.data.readers import read_table
from liqwarn.errors import LiqwarnError

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
MANY = settings(
    max_examples=20_000 if FULL else 60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FORMATS = ("csv", "csv.zip", "json", "parquet", "feather")
NOW = datetime(2027, 1, 1, tzinfo=UTC)
START = 1_704_067_200
ROWS = 6
FIELDS = ("open", "high", "low", "close", "volume")


def table():
    rows = np.arange(ROWS)
    close = 40_000.0 + 10.0 * rows
    return pd.DataFrame(
        {
            "t": START + 3_600 * rows,
            "open": close - 10.0,
            "high": close + 25.5,
            "low": close - 30.25,
            "close": close,
            "volume": 10.5 + rows,
        }
    )


def encoded(frame, name):
    """A table as bytes of a format."""
    if name == "json":
        return frame.to_json(orient="records").encode()
    stream = io.BytesIO()
    if name == "parquet":
        frame.to_parquet(stream, index=False)
    elif name == "feather":
        frame.to_feather(stream)
    else:
        text = frame.to_csv(index=False).encode()
        if name == "csv":
            return text
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", text)
    return stream.getvalue()


def panel(name):
    source = {
        "name": "klines",
        "file": f"a.{name}",
        "time": {"column": "t", "unit": "s", "label": "start", "step": "1h"},
        "symbol": "BTCUSDT",
        "fields": {field: field for field in FIELDS},
    }
    return Panel.model_validate(
        {
            "name": "test",
            "market": "real",
            "bar": "1h",
            "symbols": [{"name": "BTCUSDT", "asset": "BTC", "plausible": {"close": [1e3, 1e6]}}],
            "sources": [source],
        }
    )


PANELS = {name: panel(name) for name in FORMATS}
GOOD = {name: encoded(table(), name) for name in FORMATS}


def read(content, name, folder):
    """What is kept of a file, and what was refused."""
    path = folder / f"a.{name}"
    path.write_bytes(content)
    ours, rejects = PANELS[name], Rejects()
    found = accept_rows(
        read_table(path, ours.sources[0]), ours.sources[0], ours, None, NOW, rejects
    )
    return found, rejects


def values(found):
    """Field values by moment."""
    rows = found.rows
    return {
        int(event): {name: float(rows.values[name][k]) for name in FIELDS}
        for k, event in enumerate(rows.event)
    }


TRUE = {
    int(row.t) + 3_600: {name: float(getattr(row, name)) for name in FIELDS}
    for row in table().itertuples()
}


@pytest.mark.parametrize("name", FORMATS)
def test_as_it_was_written_everything_is_there(tmp_path, name):
    found, rejects = read(GOOD[name], name, tmp_path)

    assert values(found) == TRUE
    assert not rejects.refusals


@st.composite
def damaged(draw, content):
    """Bytes flipped, cut, put in, doubled or taken out."""
    found = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(found) - 1, 0)))
        length = draw(st.integers(1, 40))
        match draw(st.sampled_from(["flip", "cut", "put", "double", "take"])):
            case "flip" if found:
                found[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del found[at:]
            case "put":
                found[at:at] = draw(st.binary(min_size=1, max_size=12))
            case "double":
                found[at:at] = found[at : at + length]
            case _:
                del found[at : at + length]
    return bytes(found)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_bytes_are_told_or_could_be_true(tmp_path, name):
    @MANY
    @given(content=damaged(GOOD[name]))
    def law(content):
        try:
            found, _ = read(content, name, tmp_path)
        except LiqwarnError:
            return
        for cells in values(found).values():
            prices = [cells[field] for field in ("open", "high", "low", "close")]
            assert all(math.isnan(p) or 1e3 <= p <= 1e6 for p in prices)
            assert math.isnan(cells["volume"]) or 0.0 <= cells["volume"] < math.inf

    law()


ODD = st.one_of(
    st.sampled_from(
        ["", " ", "nan", "NaN", "inf", "-inf", "1e999", "None", "null", "true", "-1", "0", "0x10",
         "1,000", "1_000", "١٢", "40000.0", " 40000", "40000 ", "4e4", "1704067200000", "+40000",
         "<html>", "1704067200.5", "2024-01-01T00:00:00Z", "\x00", "NaN(1)", "1e-400"]
    ),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.text(st.characters(codec="utf-8", exclude_characters='",\r\n'), max_size=8),
)  # fmt: skip


def number(text):
    """The number that stands in a cell, None when there is none that could be true."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


@pytest.mark.parametrize("name", ["csv", "csv.zip", "json"])
def test_a_replaced_cell_changes_no_other_row_and_is_never_another_number(tmp_path, name):
    @MANY
    @given(text=ODD, row=st.integers(0, ROWS - 1), column=st.sampled_from(FIELDS))
    def law(text, row, column):
        frame = table().astype(object)
        frame.loc[row, column] = text
        try:
            found, rejects = read(encoded(frame, name), name, tmp_path)
        except LiqwarnError:
            return
        kept = values(found)
        moment = START + 3_600 * (row + 1)
        for event, cells in kept.items():
            if event != moment:
                assert cells == TRUE[event]
                continue
            for field, value in cells.items():
                said = number(text) if field == column else TRUE[event][field]
                assert math.isnan(value) or value == said
        if moment not in kept or math.isnan(kept[moment][column]):
            assert rejects.refusals or number(text) is None

    law()


@pytest.mark.parametrize("name", ["csv", "csv.zip", "json"])
def test_a_replaced_stamp_moves_no_value_to_a_moment_that_is_not_written_there(tmp_path, name):
    @MANY
    @given(text=ODD, row=st.integers(0, ROWS - 1))
    def law(text, row):
        frame = table().astype(object)
        frame.loc[row, "t"] = text
        try:
            found, _ = read(encoded(frame, name), name, tmp_path)
        except LiqwarnError:
            return
        said = number(text)
        allowed = set(TRUE) | (
            {int(said) + 3_600} if said is not None and said == int(said) else set()
        )
        kept = values(found)
        assert set(kept) <= allowed
        for event, cells in kept.items():
            others = [TRUE.get(event), list(TRUE.values())[row]]
            assert cells in others

    law()


DRIFTS = {
    "no rows": lambda t: t.iloc[:0],
    "a field renamed": lambda t: t.rename(columns={"close": "last"}),
    "a field removed": lambda t: t.drop(columns="low"),
    "the time renamed": lambda t: t.rename(columns={"t": "time"}),
    "milliseconds": lambda t: t.assign(t=t["t"] * 1_000),
    "microseconds": lambda t: t.assign(t=t["t"] * 1_000_000),
    "days": lambda t: t.assign(t=t["t"] // 86_400),
    "prices in cents": lambda t: t.assign(**{f: t[f] * 1_000 for f in FIELDS[:4]}),
    "words for numbers": lambda t: t.assign(close=["forty"] * len(t)),
    "columns swapped": lambda t: t.rename(columns={"high": "low", "low": "high"}),
    "all negative": lambda t: t.assign(**{f: -t[f] for f in FIELDS[:4]}),
    "text stamps": lambda t: t.assign(t=pd.to_datetime(t["t"], unit="s").astype(str)),
    "a column twice": lambda t: pd.concat([t, t[["close"]] + 1.0], axis=1),
}


@pytest.mark.parametrize("name", ["csv", "csv.zip"])
@pytest.mark.parametrize("drift", DRIFTS)
def test_a_table_that_drifted_is_refused_as_a_whole_or_every_row_of_it(tmp_path, name, drift):
    changed = DRIFTS[drift](table())
    try:
        found, rejects = read(encoded(changed, name), name, tmp_path)
    except LiqwarnError:
        return
    assert all(math.isnan(cells["close"]) for cells in values(found).values())
    assert len(rejects.refusals) >= len(changed) > 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
        json.dumps({"code": "50001", "msg": "rate limit"}).encode(),
        json.dumps({"retCode": 10001, "result": {"list": []}}).encode(),
        b"\x1f\x8b\x08\x00\x00\x00",
        b"PK\x03\x04",
        b"\x00" * 64,
        b"\xff\xfe" + "t,open\n".encode("utf-16-le"),
    ],
)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_table_is_refused(tmp_path, name, content):
    with pytest.raises(LiqwarnError, match=r"."):
        read(content, name, tmp_path)
