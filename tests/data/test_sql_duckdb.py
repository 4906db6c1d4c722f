"""DuckDB reads the data folder and nothing else, writes nothing, and stops in time."""

import multiprocessing
import os
import time
from datetime import timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.data import sql_duckdb
from liqwarn.data.queries import Query
from liqwarn.data.sql_duckdb import duckdb_rows
from liqwarn.errors import DataError

FULL = os.environ.get("LIQWARN_FAULTS") == "full"


@pytest.fixture
def folder(tmp_path):
    """A data folder with an apostrophe in its name, and a file outside of it."""
    data = tmp_path / "trader's data"
    data.mkdir()
    pq.write_table(pa.table({"t": [2, 1, 3], "v": [2.0, 1.0, 3.0]}), data / "a.parquet")
    (data / "a.csv").write_text("t,v\n1,1.5\n")
    pq.write_table(pa.table({"t": [1]}), tmp_path / "outside.parquet")
    (data / "link.parquet").symlink_to(tmp_path / "outside.parquet")
    with duckdb.connect(str(data / "m.duckdb")) as connection:
        connection.execute("create table oi as select 1 as t, 5.0 as v")
    return data


def ask(folder, sql, order=("t",), **changes):
    query = Query.model_validate({"engine": "duckdb", "sql": sql} | changes)
    with duckdb_rows(query, folder, order) as rows:
        return pa.concat_tables(rows)


@pytest.mark.parametrize(
    ("sql", "stamps"),
    [
        ("select * from '{data}/a.parquet'", [1, 2, 3]),
        ("from read_csv('{data}/*.csv')", [1]),
        ("with x as (from '{data}/a.parquet') select * from x where t > 1; ", [2, 3]),
        ("select t from '{data}/a.parquet' -- the last line is a comment", [1, 2, 3]),
    ],
)
def test_files_of_the_data_folder_are_read_in_order(folder, sql, stamps):
    assert ask(folder, sql).column("t").to_pylist() == stamps


def test_a_database_file_is_read_and_not_written(folder):
    before = (folder / "m.duckdb").read_bytes()

    assert ask(folder, "select * from oi", database="m.duckdb").to_pylist() == [{"t": 1, "v": 5.0}]
    assert (folder / "m.duckdb").read_bytes() == before


@pytest.mark.parametrize(
    "sql",
    [
        "select * from '{data}/../outside.parquet'",
        "select * from '{data}/link.parquet'",
        "select 1 as t from read_text('/etc/hostname')",
        "select 1 as t from glob('/etc/*')",
        "select * from 'https://host.invalid/a.parquet'",
        "select 1 as t from duckdb_secrets()",
        "select * from query",  # a variable of ours
    ],
)
def test_nothing_else_is_read(folder, sql):
    with pytest.raises(DataError, match="DuckDB refuses it"):
        ask(folder, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into oi values (2, 2)",
        "drop table oi",
        "create table x as select 1 as t",
        "copy (select 1 as t) to '{data}/w.parquet'",
        "select 1 as t; copy (select 1) to '{data}/w.parquet'",
        "attach '{data}/m.duckdb' as other",
        "set enable_external_access = true",
        "load httpfs",
        "install httpfs",
        "export database '{data}/x'",
        "select 1 as t) as a; copy (select 1) to '{data}/w.parquet'; select * from (select 1 as t",
        "",
        "-- nothing",
    ],
)
def test_only_one_select_is_asked(folder, sql):
    before = sorted(path.name for path in folder.iterdir())
    query = Query.model_construct(engine="duckdb", database="m.duckdb", sql=sql)

    with pytest.raises(DataError), duckdb_rows(query, folder, ("t",)) as rows:
        list(rows)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert ask(folder, "select * from oi", database="m.duckdb").num_rows == 1


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select 1 as t, '{}'::json as raw", "column 'raw' is JSON"),
        ("select 1 as t, [1] as list", r"column 'list' is INTEGER\[\]"),
        ("select 1 as ts", "no column 't', did you mean 'ts'"),
        ("select 1 as t, 2 as t", r"columns \['t'\] are there twice"),
        ("select nosuch as t from '{data}/a.parquet'", "nosuch"),
        ("select 1 as t from '{data}/missing.parquet'", "missing.parquet"),
        ("selekt", "syntax error"),
    ],
)
def test_what_cannot_be_read_is_named(folder, sql, says):
    with pytest.raises(DataError, match=says):
        ask(folder, sql)


def test_a_file_without_its_folder_is_told_how_to_name_it(folder):
    with pytest.raises(DataError, match=r"write '\{data\}/' before files"):
        ask(folder, "select * from 'a.parquet'")


@pytest.mark.timeout(3_600 if FULL else 300)
@settings(
    max_examples=2_000 if FULL else 25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.sampled_from(
            ["select", "1 as t", "*", "from", "oi", "'{data}/a.csv'", "(", ")", ";", "--", "/*",
             "*/", "'", '"', "copy", "to", "'{data}/w.csv'", "drop table oi", "attach", "as query",
             "insert into oi values (1, 2)", "union all", ",", "limit 0", "\n", "\0", "{", "}"]
        ),
        max_size=9,
    )
)  # fmt: skip
def test_any_words_give_rows_or_our_error_and_write_nothing(folder, words):
    before = sorted(path.name for path in folder.iterdir())
    told = Query.model_construct(
        engine="duckdb", database="m.duckdb", sql=" ".join(words), timeout=timedelta(seconds=20)
    )
    try:
        with duckdb_rows(told, folder, ("t",)) as rows:
            list(rows)
    except DataError:
        pass
    assert sorted(path.name for path in folder.iterdir()) == before


def test_names_of_columns_are_quoted(folder):
    name = 't"; drop table oi; --'
    found = ask(folder, 'select 2 as "t""; drop table oi; --" union all select 1', order=(name,))

    assert found.column(name).to_pylist() == [1, 2]


def test_a_query_is_stopped_in_time(folder):
    began = time.monotonic()

    with pytest.raises(DataError, match=r"longer than 0:00:01 \(query.timeout\)"):
        ask(
            folder,
            "select count(*) as t from range(1000000) a, range(1000000) b "
            "where hash(a.range + b.range) = 5",
            timeout="1s",
        )
    assert time.monotonic() - began < 10.0


@pytest.mark.timeout(60)
def test_a_query_is_stopped_when_its_time_ran_out_between_two_statements(folder, monkeypatch):
    """DuckDB forgets an interruption that finds nothing to interrupt."""
    checked = sql_duckdb.check_columns

    def slow(*told):
        time.sleep(0.3)
        checked(*told)

    monkeypatch.setattr(sql_duckdb, "check_columns", slow)
    sql = (
        "select count(*) as t from range(1000000) a, range(1000000) b "
        "where hash(a.range + b.range) = 5"
    )
    told = Query.model_construct(engine="duckdb", sql=sql, timeout=timedelta(seconds=0.2))
    with (
        pytest.raises(DataError, match=r"longer than 0:00:00\.2"),
        duckdb_rows(told, folder, ("t",)) as rows,
    ):
        list(rows)


def test_rows_that_are_taken_too_slowly_are_out_of_time(folder):
    told = Query.model_construct(
        engine="duckdb", sql="select i as t from range(400000) r(i)", timeout=timedelta(seconds=0.5)
    )
    with duckdb_rows(told, folder, ("t",)) as rows:
        next(rows)
        time.sleep(0.8)
        with pytest.raises(DataError, match=r"longer than 0:00:00.5\d* \(query.timeout\)"):
            list(rows)


def test_a_database_that_another_process_writes_is_told(folder):
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(folder / "m.duckdb"), held, done))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(DataError, match="lock"):
            ask(folder, "select * from oi", database="m.duckdb")
    finally:
        done.set()
        other.join(30)


def hold(path, held, done):
    with duckdb.connect(path):
        held.set()
        done.wait(30)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 300])
def test_a_damaged_database_file_is_told(folder, content):
    (folder / "bad.duckdb").write_bytes(content)

    with pytest.raises(DataError, match=r"DuckDB refuses it|no such table|does not exist"):
        ask(folder, "select * from oi", database="bad.duckdb")


def test_a_database_elsewhere_is_refused(folder, tmp_path):
    (folder / "out.duckdb").symlink_to(tmp_path / "outside.parquet")

    with pytest.raises(DataError, match="leads out of the data folder"):
        ask(folder, "select 1 as t", database="out.duckdb")
    with pytest.raises(DataError, match="no such file"):
        ask(folder, "select 1 as t", database="none.duckdb")
