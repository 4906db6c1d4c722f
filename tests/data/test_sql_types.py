"""Columns of databases become what a file would hold, exactly, or are refused by name."""

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.data.sql_types import as_plain, check_columns
from liqwarn.errors import DataError


def plain(array):
    return as_plain(pa.record_batch({"a": array})).column("a")


@given(st.lists(st.decimals(-(10**20), 10**20, places=12), min_size=1, max_size=50))
def test_a_decimal_becomes_the_nearest_float(values):
    column = plain(pa.array(values, pa.decimal128(38, 12)))

    assert column.to_pylist() == [float(value) for value in values]


def test_the_cast_by_text_is_needed():
    value = Decimal("70964031.8829640000")
    drawn = [value * k for k in range(1, 2_000)]
    column = pa.array(drawn, pa.decimal128(38, 10))

    assert plain(column).to_pylist() == [float(one) for one in drawn]


def test_numerics_of_postgres_come_as_text_and_keep_their_infinity():
    texts = ["1.10", "nan", "-inf", None, "1" + "0" * 400, "1e-400"]
    column = plain(
        pa.ExtensionArray.from_storage(
            pa.opaque(pa.string(), "numeric", "PostgreSQL"), pa.array(texts)
        )
    )

    found = column.to_numpy()
    assert found[[0, 2, 4, 5]].tolist() == [1.1, -np.inf, np.inf, 0.0]
    assert np.isnan(found[[1, 3]]).all()


def test_times_of_no_calendar_are_missing():
    dates = pa.array([date(2024, 1, 1).toordinal() - 719_163, -2_147_472_692, None], pa.int32())
    micros = pa.array([1_704_067_200_000_000, -9_222_425_352_054_775_809, 2**63 - 1], pa.int64())

    assert plain(dates.cast(pa.date32())).is_null().to_pylist() == [False, True, True]
    zoned = plain(micros.cast(pa.timestamp("us", "UTC")))
    assert zoned.is_null().to_pylist() == [False, True, True]
    assert str(zoned.type) == "timestamp[us, tz=UTC]"


def test_an_enum_is_text_and_an_empty_column_holds_numbers():
    assert plain(pa.array(["a", "b", "a"]).dictionary_encode()).to_pylist() == ["a", "b", "a"]
    assert plain(pa.nulls(2)).type == pa.float64()


@pytest.mark.parametrize(
    "kind",
    ["json", "JSON", "jsonb", "_int4", "INTEGER[]", "DECIMAL(3,1)[]", "STRUCT(a INTEGER)",
     "MAP(INTEGER, INTEGER)", "money", "interval", "INTERVAL", "bytea", "BLOB", "uuid", "oid",
     "TIME", "timetz", "BIGNUM", "UNION(a INTEGER)"],
)  # fmt: skip
def test_what_is_no_plain_column_is_refused_by_name(kind):
    with pytest.raises(DataError, match=r"column 'raw' is .*cast it in the query or leave it out"):
        check_columns({"t": "timestamptz", "raw": kind}, ["t", "raw"], ["t"])


def test_every_fault_of_a_result_is_told_at_once():
    with pytest.raises(DataError) as raised:
        check_columns({"ts": "int8", "a": "json"}, ["ts", "a", "a"], ["t"])

    assert "columns ['a'] are there twice" in str(raised.value)
    assert "column 'a' is json" in str(raised.value)
    assert "no column 't', did you mean 'ts'?" in str(raised.value)


def test_plain_types_pass():
    check_columns({"a": "DECIMAL(38,10)", "b": "ENUM('x', 'y')", "c": '"NULL"'}, "abc", "a")
