"""A real PostgreSQL: what is read, what is refused, what fails, and what never shows."""

import os
import random
import threading
import time
from decimal import Decimal

import pyarrow as pa
import pytest
from adbc_driver_postgresql import dbapi
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.data.queries import Query
from liqwarn.data.sql_postgres import postgres_rows
from liqwarn.errors import DataError

FULL = os.environ.get("LIQWARN_FAULTS") == "full"


@pytest.fixture(scope="module")
def server(postgres):
    tell(
        postgres.uri(),
        "create table oi as select i as t, i / 7.0 as v from generate_series(1, 100) i",
    )
    return postgres


def tell(uri, *statements):
    with dbapi.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def query(sql, **changes):
    told = {"engine": "postgres", "database": "market", "sql": sql} | changes
    return Query.model_construct(**{"timeout": Query.model_fields["timeout"].default} | told)


def ask(uri, sql, order=("t",), **changes):
    told = Query.model_validate({"engine": "postgres", "database": "market", "sql": sql} | changes)
    with postgres_rows(told, uri, order) as rows:
        return pa.concat_tables(rows)


def test_rows_come_in_order(server):
    found = ask(server.uri(), "select t, v, v::text as s from oi order by v desc; ")

    assert found.column("t").to_pylist() == list(range(1, 101))
    assert found.column("v").to_pylist() == [float(s) for s in found.column("s").to_pylist()]


def test_numerics_become_the_nearest_float(server):
    rng = random.Random(1)
    drawn = [f"{rng.randint(-(10**20), 10**20)}.{rng.randint(0, 10**15)}" for _ in range(500)]
    rows = ", ".join(f"({i}, {text}::numeric)" for i, text in enumerate(drawn))

    found = ask(server.uri(), f"select * from (values {rows}) as x (t, v)")

    assert found.column("v").to_pylist() == [float(Decimal(text)) for text in drawn]


def test_each_type_is_read_as_a_file_would_hold_it(server):
    found = ask(
        server.uri(),
        "select 1 as t, 2::int8 as i, 1.5::float4 as f, 'NaN'::float8 as n, "
        "'Infinity'::numeric as x, "
        "null::numeric as e, '1.25'::text as s, 'ab'::varchar(3) as c, true as b, "
        "timestamptz '2024-01-01 00:00+03' as z, timestamp '2024-01-01' as w, "
        "date '2024-01-01' as d, "
        "'infinity'::timestamptz as y",
    )  # fmt: skip
    row = found.to_pylist()[0]

    assert (row["i"], row["f"], row["x"], row["e"]) == (2, 1.5, float("inf"), None)
    assert row["n"] != row["n"]
    assert (row["s"], row["c"], row["b"]) == ("1.25", "ab", True)
    assert row["z"].isoformat() == "2023-12-31T21:00:00+00:00"
    assert row["w"] == row["d"]
    assert row["w"].tzinfo is None
    assert row["y"] is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [("'{}'::json", "json"), ("'{}'::jsonb", "jsonb"), ("array[1]", "_int4"),
     ("'2'::money", "money"), ("interval '1 day'", "interval"), ("'a'::bytea", "bytea"),
     ("row(1, 2)", "record"),
     ("time '10:00'", "time"), ("int4range(1, 2)", "oid:3904")],
)  # fmt: skip
def test_other_types_are_refused_by_name(server, value, kind):
    with pytest.raises(DataError, match=f"column 'raw' is .*{kind}.*cast it in the query"):
        ask(server.uri(), f"select 1 as t, {value} as raw")


def count(server, what):
    return ask(server.uri(), f"select count(*) as t from {what}").column("t")[0].as_py()


@pytest.mark.parametrize(
    "sql",
    [
        "insert into oi values (101, 1)",
        "insert into oi values (101, 1) returning t",
        "with x as (insert into oi values (101, 1) returning t) select * from x",
        "drop table oi",
        "create table made as select 1 as t",
        "copy (select 1) to '/tmp/out'",
        "copy oi to program 'true'",
        "select t from oi; drop table oi",
        "select t from oi) as a; drop table oi; select * from (select t from oi",
        "select t from oi) to program 'true'; --",
        "select t from oi) as query; commit; drop table oi; --",
        "commit",
        "rollback; drop table oi",
        "set transaction read write",
        "select set_config('transaction_read_only', 'off', true) as t",
        "select lo_create(0)::int8 as t",
        "select nextval('counter') as t",
        "do $$ begin perform 1; end $$",
        "explain select 1 as t",
        "select t from oi for update",
        "select t /* from oi",
        "",
    ],
)
def test_nothing_is_written(server, sql):
    tell(server.uri(), "create sequence if not exists counter")

    with (
        pytest.raises(DataError, match="PostgreSQL refuses it"),
        postgres_rows(query(sql), server.uri(), ("t",)) as rows,
    ):
        list(rows)
    assert count(server, "oi") == 100
    assert count(server, "pg_tables where tablename = 'made'") == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "wr0ng-word"}, "it refuses the user or the password"),
        ({"user": "str4nger"}, "it refuses the user or the password"),
        ({"database": "n0where"}, "no such database or user"),
        ({"password": "sl/ash:ed@word"}, "address is not understood|host name is unknown"),
    ],
)
def test_a_failed_connection_says_its_kind_and_nothing_of_the_address(server, change, says):
    address = server.uri(**change)

    with pytest.raises(DataError, match=says) as raised:
        ask(address, "select 1 as t")
    assert raised.value.__cause__ is None
    shown = str(raised.value) + repr(raised.value.__context__)
    for word in (server.uri().split(":")[2].split("@")[0], "wr0ng", "str4nger", "n0where", "sl/ash",
                 "127.0.0.1", str(server.port)):  # fmt: skip
        assert word not in shown


@pytest.mark.parametrize(
    "address", ["garbage hush", "mysql://a:hush@b/c", "postgresql://a:hush@b?hush=1"]
)
def test_an_address_that_is_none_is_not_repeated(address):
    with pytest.raises(DataError, match="not understood") as raised:
        ask(address, "select 1 as t")
    assert "hush" not in str(raised.value)


def test_nobody_listening_is_told():
    with pytest.raises(DataError, match="nothing listens there"):
        ask("postgresql://a:b@127.0.0.1:1/c", "select 1 as t")
    with pytest.raises(DataError, match="nothing listens there"):
        ask("host=127.0.0.1 port=1 user=a password=b", "select 1 as t")


def test_encryption_that_is_asked_for_is_not_waived(server):
    with pytest.raises(DataError, match="offers no encryption"):
        ask(server.uri() + "?sslmode=require", "select 1 as t")


def test_a_slow_statement_is_stopped_by_the_server(server):
    began = time.monotonic()

    with pytest.raises(DataError, match=r"longer than 0:00:01 \(query.timeout\)"):
        ask(server.uri(), "select pg_sleep(30)::text as t", timeout="1s")
    assert time.monotonic() - began < 10.0


def test_a_dropped_column_and_a_changed_type_are_told(server):
    tell(server.uri(), "create table moving (t int8, v float8)")
    sql = "select t, v from moving"
    with postgres_rows(query(sql), server.uri(), ("t",)) as rows:
        assert list(rows) == []

    tell(server.uri(), "alter table moving drop column v")
    with pytest.raises(DataError, match='column "v" does not exist'):
        ask(server.uri(), sql)
    tell(server.uri(), "alter table moving add column v jsonb")
    with pytest.raises(DataError, match="column 'v' is jsonb"):
        ask(server.uri(), sql)
    tell(server.uri(), "drop table moving")
    with pytest.raises(DataError, match='relation "moving" does not exist'):
        ask(server.uri(), sql)


def test_a_role_that_may_not_read_is_told(server):
    tell(server.uri(), "create role blind login password 'blind-word'")

    with pytest.raises(DataError, match="permission denied for table oi"):
        ask(server.uri(user="blind", password="blind-word"), "select t from oi")


def test_text_of_another_encoding_is_text(server):
    tell(server.uri(), "create database latin encoding latin1 template template0")
    uri = server.uri("latin")
    tell(uri, "create table names as select 1 as t, chr(233) as s")

    assert ask(uri, "select * from names").to_pylist() == [{"t": 1, "s": "é"}]


def test_bytes_that_are_no_text_are_told(server):
    tell(server.uri(), "create database bytes encoding sql_ascii template template0")

    with pytest.raises(DataError, match="invalid byte sequence for encoding"):
        ask(server.uri("bytes"), "select 1 as t, chr(255) as s")


@pytest.mark.timeout(3_600 if FULL else 300)
@settings(
    max_examples=1_000 if FULL else 12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.sampled_from(
            ["select", "1 as t", "*", "from", "oi", "(", ")", ";", "--", "/*", "*/", "'", '"', "$$",
             "copy oi", "to", "program 'true'", "drop table oi", "as query", "commit", "begin",
             "insert into oi values (0, 2)", "returning t", "with x as", "union all", ",", "%s",
             "limit 0", "\n", "$1", ":t"]
        ),
        max_size=9,
    )
)  # fmt: skip
def test_any_words_give_rows_or_our_error_and_write_nothing(server, words):
    try:
        with postgres_rows(query(" ".join(words)), server.uri(), ("t",)) as rows:
            list(rows)
    except DataError:
        pass
    assert count(server, "oi") == 100


def test_a_read_sees_one_snapshot_whatever_is_written(server):
    tell(
        server.uri(), "create table busy as select i as t, 0 as v from generate_series(1, 200000) i"
    )
    stop = threading.Event()

    def write():
        with dbapi.connect(server.uri(), autocommit=True) as other, other.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("update busy set v = v + 1 where t <= 2 or t > 199998")
                cursor.execute("insert into busy select max(t) + 1, max(v) from busy")

    with postgres_rows(query("select t, v from busy"), server.uri(), ("t",)) as rows:
        first = next(rows)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            time.sleep(0.2)
            whole = pa.concat_tables([first, *rows])
        finally:
            stop.set()
            writer.join()
    assert whole.column("t").to_pylist() == list(range(1, 200_001))
    assert set(whole.column("v").to_pylist()) == {0}
    assert len(ask(server.uri(), "select t from busy")) > 200_000


def test_a_server_that_goes_away_in_the_middle_is_told_and_can_be_asked_again(server):
    sql = "select i as t, repeat('x', 100) as s from generate_series(1, 300000) i"

    with postgres_rows(query(sql), server.uri(), ("t",)) as rows:
        next(rows)
        server.stop()
        with pytest.raises(DataError, match=r"connection was lost|refuses it: terminating"):
            list(rows)
    with pytest.raises(DataError, match="nothing listens there"):
        ask(server.uri(), sql)
    server.start()
    assert len(ask(server.uri(), sql)) == 300_000


def test_leaving_early_ends_the_connection(server):
    sql = "select i as t from generate_series(1, 1000000) i"
    with postgres_rows(query(sql), server.uri(), ("t",)) as rows:
        next(rows)
    time.sleep(0.2)

    others = "pg_stat_activity where query like '%1000000%' and pid <> pg_backend_pid()"
    assert count(server, others) == 0


def test_names_of_columns_are_quoted(server):
    name = 't"; drop table oi; --'
    found = ask(
        server.uri(), 'select 2 as "t""; drop table oi; --" union all select 1', order=(name,)
    )

    assert found.column(name).to_pylist() == [1, 2]
