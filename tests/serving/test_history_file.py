from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.errors import StoreError
from liqwarn.serving import history_file as subject
from liqwarn.serving.history_file import HISTORY_COLUMNS, HistoryFile
from liqwarn.serving.ports import HistoryAsk
from liqwarn.tables import write_table

START = datetime(2024, 8, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def row(symbol="A", bar=0, side="long", issued=None, **changes):
    as_of = START + 5 * bar * MINUTE
    return {
        "symbol": symbol,
        "as_of": as_of,
        "side": side,
        "p_1h": 0.1,
        "p_4h": 0.2,
        "p_24h": float("nan"),
        "tier": "T0",
        "state": "ACTIVE",
        "rule": "calm",
        "quality": "ok",
        "sequence": int(as_of.timestamp()),
        "issued_at": as_of + MINUTE if issued is None else START + issued * MINUTE,
        "valid_until": as_of + 70 * MINUTE,
        **changes,
    }


def write(path, rows, group=1_000):
    table = pd.DataFrame(rows, columns=list(HISTORY_COLUMNS))
    for name in ("as_of", "issued_at", "valid_until"):
        table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
    table = table.astype({"sequence": "int64"})
    part = path.with_suffix(".part")
    table.to_parquet(part, index=False, row_group_size=group)
    part.replace(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "flags.parquet"


def walk(history, change=lambda: None, **asked):
    """All pages of one walk; `change` happens between them."""
    ask = HistoryAsk(**{"symbol": "A", "limit": 3, **asked})
    found = []
    while True:
        page = history.rows(ask)
        assert len(page.rows) <= ask.limit
        found += page.rows
        if page.behind is None:
            return found
        assert ask.after is None or page.behind > ask.after
        ask = HistoryAsk(
            symbol=ask.symbol,
            side=ask.side,
            start=ask.start,
            end=ask.end,
            known_by=page.known_by,
            after=page.behind,
            limit=ask.limit,
        )
        change()


def places(rows):
    return [(r["as_of"], r["side"], r["sequence"], r["issued_at"]) for r in rows]


def test_a_row_is_what_was_issued(path):
    write(path, [row()])
    [found] = HistoryFile(path).rows(HistoryAsk(symbol="A")).rows
    assert list(found) == list(HISTORY_COLUMNS)
    assert found["as_of"] == "2024-08-05T00:00:00.000Z"
    assert (found["tier"], found["rule"], found["p_4h"]) == ("T0", "calm", 0.2)


def test_it_selects_by_symbol_side_and_time(path):
    write(path, [row(s, bar, side) for bar in range(6) for s in "AB" for side in ("long", "short")])
    history = HistoryFile(path.parent)
    assert len(walk(history)) == 12
    assert {r["side"] for r in walk(history, side="short")} == {"short"}
    found = walk(history, start=START + 5 * MINUTE, end=START + 15 * MINUTE)
    assert {r["as_of"][11:16] for r in found} == {"00:05", "00:10"}
    assert walk(history, symbol="Z") == []


def test_known_by_hides_what_was_issued_later(path):
    rows = [row(bar=0, issued=1, tier="T0"), row(bar=0, issued=9, tier="T3"), row(bar=1, issued=6)]
    write(path, rows)
    history = HistoryFile(path)
    assert [r["tier"] for r in walk(history, known_by=START + 8 * MINUTE)] == ["T0", "T0"]
    assert walk(history, known_by=START) == []
    assert len(walk(history)) == 3


def test_an_empty_history_has_no_rows(path):
    write(path, [])
    page = HistoryFile(path).rows(HistoryAsk(symbol="A"))
    assert (list(page.rows), page.behind) == ([], None)
    assert walk(HistoryFile(path), known_by=START) == []


ROWS = st.lists(
    st.tuples(
        st.sampled_from("AAB"), st.integers(0, 9), st.sampled_from(["long", "short"]),
        st.integers(0, 50),
    ),
    max_size=40, unique=True,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, added=ROWS, group=st.integers(1, 9), limit=st.integers(1, 7), sort=st.booleans())
def test_a_walk_shows_each_row_once_whatever_is_added_meanwhile(
    path, rows, added, group, limit, sort
):
    """Rows issued after the first page belong to the next walk; none is lost, none shown twice."""
    known = [row(s, bar, side, issued=issued) for s, bar, side, issued in rows]
    later = [row(s, bar, side, issued=100 + issued) for s, bar, side, issued in added]
    write(path, sorted(known, key=lambda r: r["as_of"]) if sort else known, group)
    history = HistoryFile(path)
    found = walk(history, lambda: write(path, [*later, *known], group), limit=limit)
    assert len(set(places(found))) == len(found)
    assert places(found) == sorted(places(found))
    assert len(found) == sum(symbol == "A" for symbol, *_ in rows)


def test_a_page_reads_no_more_groups_than_it_may(path, monkeypatch):
    write(path, [row("A" if bar in (0, 39) else "B", bar) for bar in range(40)], group=1)
    monkeypatch.setattr(subject, "MAX_GROUPS", 3)
    monkeypatch.setattr(subject, "wanted", lambda groups, ask, known_by: _all(groups, ask))
    read = []
    original = pq.ParquetFile.read_row_group

    def count(self, number, **more):
        read.append(number)
        return original(self, number, **more)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", count)
    history = HistoryFile(path)
    first = history.rows(HistoryAsk(symbol="A"))
    assert (len(first.rows), first.behind is not None, len(set(read))) == (1, True, 3)
    assert [r["as_of"][11:16] for r in walk(history)] == ["00:00", "03:15"]


def _all(groups, ask):
    start = ask.after[0] if ask.after else 0
    return [group for group in groups if group.as_of[1] >= start]


def test_a_year_of_bars_is_not_read_for_a_day_of_them(path, monkeypatch):
    write(path, [row(s, bar) for bar in range(400) for s in "AB"], group=50)
    read = set()
    original = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_group",
        lambda self, number, **more: read.add(number) or original(self, number, **more),
    )
    start = START + 5 * 100 * MINUTE
    found = walk(HistoryFile(path), start=start, end=start + 50 * MINUTE, limit=100)
    assert (len(found), len(read)) == (10, 1)


def test_what_a_scoring_writes_is_read(path):
    table = pd.DataFrame([row(bar=n) for n in range(3)])
    write_table(table, path)
    assert len(walk(HistoryFile(path))) == 3


def test_a_missing_damaged_or_other_file_is_a_store_error(path):
    history = HistoryFile(path)
    with pytest.raises(StoreError, match=r"flags\.parquet: .*No such file"):
        history.rows(HistoryAsk(symbol="A"))
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(StoreError, match=r"flags\.parquet: .*expected a flag history"):
        history.rows(HistoryAsk(symbol="A"))
    pd.DataFrame({"symbol": ["A"]}).to_parquet(path)
    with pytest.raises(StoreError, match="expected a flag history"):
        history.rows(HistoryAsk(symbol="A"))
    write(path, [row()])
    assert len(walk(history)) == 1


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_damaged_pages_are_not_served(path, cut):
    table = pd.DataFrame([row(bar=n) for n in range(500)])
    write_table(table, path)
    content = bytearray(path.read_bytes())
    place = int(cut * (len(content) - 8_000))
    content[place : place + 40] = bytes(40)
    path.write_bytes(content)
    try:
        found = walk(HistoryFile(path), limit=500)
    except StoreError:
        return
    assert len(found) == 500
