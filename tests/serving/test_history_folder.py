from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.errors import StoreError
from liqwarn.serving import history_folder as subject
from liqwarn.serving.history_file import HISTORY_COLUMNS, HistoryFile
from liqwarn.serving.history_folder import HistoryFolder
from liqwarn.serving.ports import HistoryAsk

START = datetime(2024, 8, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(symbol="A", hour=0, side="long", issued=None, **changes):
    """A row of the bar that closed `hour` hours after the start."""
    as_of = START + hour * HOUR
    return {
        "symbol": symbol,
        "as_of": as_of,
        "side": side,
        "p_1h": 0.1,
        "p_4h": 0.2,
        "p_24h": 0.3,
        "tier": "T0",
        "state": "ACTIVE",
        "rule": "calm",
        "quality": "ok",
        "sequence": int(as_of.timestamp()),
        "issued_at": START + (hour if issued is None else issued) * HOUR + timedelta(minutes=1),
        "valid_until": as_of + HOUR,
        **changes,
    }


def write(folder, rows):
    """Files by day, each replaced whole, as the live loop does."""
    folder.mkdir(exist_ok=True)
    days = {}
    for one in rows:
        days.setdefault(one["as_of"].date().isoformat(), []).append(one)
    for day, content in days.items():
        write_one(folder / f"{day}.parquet", content)


def write_one(path, rows):
    table = pd.DataFrame(rows, columns=list(HISTORY_COLUMNS))
    for name in ("as_of", "issued_at", "valid_until"):
        table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
    part = path.with_suffix(".part")
    table.astype({"sequence": "int64"}).to_parquet(part, index=False)
    part.replace(path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "history"


@pytest.fixture
def opened(monkeypatch):
    """Names of the files that are asked for rows, in order."""
    names = []
    original = HistoryFile.rows

    def rows(self, ask):
        names.append(self._path.stem)
        return original(self, ask)

    monkeypatch.setattr(subject.HistoryFile, "rows", rows)
    return names


def walk(history, change=lambda: None, **asked):
    """The pages of one walk; `change` happens between them."""
    ask = {"symbol": "A", "limit": 3, **asked}
    pages = []
    while True:
        page = history.rows(HistoryAsk(**ask))
        assert len(page.rows) <= ask["limit"]
        assert page.behind is None or ask.get("after") is None or page.behind > ask["after"]
        pages.append(page)
        if page.behind is None:
            return pages
        ask |= {"known_by": page.known_by, "after": page.behind}
        change()


def found(pages):
    return [one for page in pages for one in page.rows]


def places(rows):
    return [(r["as_of"], r["side"], r["sequence"], r["issued_at"]) for r in rows]


def test_days_follow_each_other(folder):
    write(folder, [row(s, 6 * bar) for bar in range(12) for s in "AB"])
    got = found(walk(HistoryFolder(folder)))
    assert {r["symbol"] for r in got} == {"A"}
    assert [r["as_of"][8:13] for r in got] == [
        f"{day:02}T{hour:02}" for day in (5, 6, 7) for hour in (0, 6, 12, 18)
    ]


def test_a_history_that_is_not_there_yet_has_no_rows(folder):
    history = HistoryFolder(folder)
    page = history.rows(HistoryAsk(symbol="A"))
    assert (list(page.rows), page.known_by, page.behind) == ([], None, None)
    folder.mkdir()
    (folder / "20240805.parquet").write_bytes(b"not a day's name")
    (folder / "2024-08-05.parquet.part").write_bytes(b"half written")
    assert found(walk(history)) == []
    write(folder, [row()])
    assert len(found(walk(history))) == 1


def test_a_damaged_file_is_named(folder):
    write(folder, [row(hour=24 * day) for day in range(3)])
    (folder / "2024-08-06.parquet").write_bytes(b"PAR1 nothing PAR1")
    history = HistoryFolder(folder)
    with pytest.raises(StoreError, match=r"^2024-08-06\.parquet: .*expected a flag history"):
        walk(history)
    assert len(found(walk(history, end=START + 24 * HOUR))) == 1


def test_a_file_where_the_folder_should_be_is_a_store_error(folder):
    folder.write_bytes(b"")
    with pytest.raises(StoreError, match=r"^history: .*expected a folder of flag histories"):
        HistoryFolder(folder).rows(HistoryAsk(symbol="A"))


def test_what_a_walk_is_known_by_is_the_newest_issue(folder):
    write(folder, [row(hour=0), row(hour=24, issued=30), row(hour=25, issued=28)])
    history = HistoryFolder(folder)
    assert history.rows(HistoryAsk(symbol="A", limit=1)).known_by == row(issued=30)["issued_at"]
    assert history.rows(HistoryAsk(symbol="Z")).known_by == row(issued=30)["issued_at"]
    asked = START + 29 * HOUR
    page = history.rows(HistoryAsk(symbol="A", known_by=asked))
    assert (page.known_by, [r["as_of"][11:13] for r in page.rows]) == (asked, ["00", "01"])


def test_a_newest_file_without_rows_says_nothing_of_issues(folder):
    write(folder, [row()])
    write_one(folder / "2024-08-06.parquet", [])
    assert len(found(walk(HistoryFolder(folder)))) == 1


def test_only_days_that_can_hold_what_is_asked_are_opened(folder, opened):
    write(folder, [row(hour=24 * day + 6) for day in range(60)])
    history, known_by = HistoryFolder(folder), START + 2_000 * HOUR
    span = {"start": START + 48 * HOUR, "end": START + 96 * HOUR}

    assert len(found(walk(history, known_by=known_by, **span))) == 2
    assert opened == ["2024-08-07", "2024-08-08"]
    opened.clear()
    page = history.rows(HistoryAsk(symbol="A", limit=1, **span))
    assert (opened, page.behind[0]) == (["2024-10-03", "2024-08-07"], _micros(72))
    opened.clear()
    history.rows(HistoryAsk(symbol="A", limit=1, known_by=known_by, after=page.behind, **span))
    assert opened == ["2024-08-08"]


def _micros(hour):
    return int((START + hour * HOUR).timestamp()) * 1_000_000


def test_a_page_opens_no_more_days_than_it_may(folder, opened, monkeypatch):
    monkeypatch.setattr(subject, "MAX_DAYS", 4)
    write(folder, [row("A" if day == 9 else "B", 24 * day) for day in range(10)])
    pages = walk(HistoryFolder(folder), known_by=START + 2_000 * HOUR)
    assert [len(page.rows) for page in pages] == [0, 0, 1]
    assert len(opened) == len(set(opened)) == 10


def test_footers_of_a_few_files_are_kept(folder, monkeypatch):
    monkeypatch.setattr(subject, "MAX_KEPT", 2)
    write(folder, [row(hour=24 * day) for day in range(5)])
    history = HistoryFolder(folder)
    assert len(found(walk(history))) == 5
    made = history._file.cache_info()
    assert (made.currsize, made.maxsize) == (2, 2)


ROWS = st.lists(
    st.tuples(
        st.sampled_from("AAB"), st.integers(0, 15), st.sampled_from(["long", "short"]),
        st.integers(0, 9),
    ),
    max_size=25, unique=True,
)  # fmt: skip
MOMENTS = st.none() | st.integers(0, 100).map(lambda hour: START + hour * HOUR)
LAWFUL = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def emptied(folder):
    for file in folder.glob("*") if folder.exists() else ():
        file.unlink()


def rows_of(spots, first=0):
    """Rows of bars six hours apart, each issued up to nine hours after its bar."""
    return [
        row(s, first + 6 * bar, side, issued=first + 6 * bar + late) for s, bar, side, late in spots
    ]


@LAWFUL
@given(
    spots=ROWS,
    limit=st.integers(1, 9),
    bound=st.integers(1, 3),
    asked=st.fixed_dictionaries(
        {"start": MOMENTS, "end": MOMENTS, "side": st.sampled_from([None, "long", "short"])}
    ),
)
def test_pages_of_a_folder_are_those_of_one_file(folder, spots, limit, bound, asked):
    emptied(folder)
    write(folder, rows_of(spots))
    write_one(folder / "one.parquet", rows_of(spots))
    asked |= {"known_by": START + 1_000 * HOUR}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject, "MAX_DAYS", bound)
        patch.setattr(subject, "MAX_KEPT", bound)
        pages = walk(HistoryFolder(folder), limit=limit, **asked)
    whole = HistoryFile(folder / "one.parquet").rows(HistoryAsk(symbol="A", limit=5_000, **asked))
    assert found(pages) == list(whole.rows)


@LAWFUL
@given(spots=ROWS.filter(bool), added=st.lists(ROWS, max_size=4), limit=st.integers(1, 5))
def test_a_walk_shows_each_row_once_while_the_newest_day_grows(folder, spots, added, limit):
    """Bars that close meanwhile, today's and those of days that begin, belong to the next walk."""
    emptied(folder)
    known = rows_of(spots)
    write(folder, known)
    last = max(one["as_of"] for one in known)
    today = [one for one in known if one["as_of"].date() == last.date()]
    known_by = max(one["issued_at"] for one in today)

    def grow():
        if added:
            bars = rows_of(added.pop(), first=(last - START) // HOUR + 12)
            today.extend(one for one in bars if one["issued_at"] > known_by)
            write(folder, today)

    pages = walk(HistoryFolder(folder), grow, limit=limit)
    got = places(found(pages))
    visible = [one for one in known if one["symbol"] == "A" and one["issued_at"] <= known_by]
    assert {page.known_by for page in pages} == {known_by}
    assert got == sorted(set(got))
    assert len(got) == len(visible)
