from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from liqwarn.errors import StoreError
from liqwarn.serving import history_folder as subject
from liqwarn.serving.history_file import HISTORY_COLUMNS, HistoryFile
from liqwarn.serving.history_folder import HistoryFolder
from liqwarn.serving.ports import HistoryAsk
from liqwarn.tables import write_table

START = datetime(2024, 8, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(symbol="A", hour=0, side="long", issued=None, **changes):
    """A row of the bar that closed `hour` hours after the start; six hours are a bar."""
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
        table = pd.DataFrame(content, columns=list(HISTORY_COLUMNS))
        for name in ("as_of", "issued_at", "valid_until"):
            table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
        write_table(table, folder / f"{day}.parquet")


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
