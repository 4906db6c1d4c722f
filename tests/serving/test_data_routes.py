from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import StoreError
from liqwarn.serving.app import create_app, folder_sources
from liqwarn.serving.data_schema import EventsAnswer, HistoryAnswer, MapAnswer
from liqwarn.serving.examples import EVENTS, HISTORY, MAP
from liqwarn.serving.history_groups import micros_of
from liqwarn.serving.ports import HistoryPage, Sources
from liqwarn.serving.shelf import FlagShelf
from liqwarn.tables import write_table

NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)
ROW = HISTORY["rows"][0]


class Ledger:
    """A history in memory: rows of (bar, issue), to which more can be added at any time."""

    def __init__(self, rows=()):
        self.entries = list(rows)

    def rows(self, ask):
        known_by = ask.known_by or max((issued for _, issued in self.entries), default=None)
        if known_by is None:
            return HistoryPage(rows=[], known_by=None, behind=None)
        keys = sorted(
            (micros_of(as_of), "long", 1, micros_of(issued))
            for as_of, issued in self.entries
            if issued <= known_by
        )
        keys = [key for key in keys if ask.after is None or key > ask.after]
        shown = [
            {**ROW, "sequence": as_of * 2 + issued} for as_of, _, _, issued in keys[: ask.limit]
        ]
        behind = keys[ask.limit - 1] if len(keys) > ask.limit else None
        return HistoryPage(rows=shown, known_by=known_by, behind=behind)


class Broken:
    def rows(self, ask):
        raise StoreError("flags.parquet: damaged")

    def events(self, *asked):
        raise StoreError("events.csv: damaged")

    def profile(self, symbol):
        raise StoreError("no map in force")


class Catalogue:
    def events(self, symbol, side, start, end):
        event = EVENTS["events"][0]
        return [{**event, "onset": NOON, "move": float("nan"), "severity": n} for n in range(5)]


class Maps:
    def profile(self, symbol):
        return MAP if symbol == "BTCUSDT" else None


@pytest.fixture
def app_of(policy, clock):
    return lambda **sources: create_app(
        FlagShelf(), policy=policy, clock=clock, sources=Sources(**sources)
    )


@pytest.fixture
def get(ask):
    def get(app, path, **query):
        return ask(app, path=path, query_string=urlencode(query).encode())

    return get


def test_a_history_is_served_page_by_page(get, app_of):
    app = app_of(history=Ledger((NOON + timedelta(hours=n), NOON) for n in range(5)))
    first = get(app, "/v1/flags/BTCUSDT/history", limit=3)
    HistoryAnswer.model_validate(first.json)
    assert first.json["known_by"] == "2024-08-05T12:00:00.000Z"
    second = get(app, "/v1/flags/BTCUSDT/history", limit=3, cursor=first.json["next"])
    assert (len(first.json["rows"]), len(second.json["rows"])) == (3, 2)
    assert second.json["next"] is None


STEPS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=40)


@settings(max_examples=12, deadline=None)
@given(steps=STEPS, limit=st.integers(1, 4))
def test_no_row_is_lost_or_shown_twice_while_rows_are_added(policy, ask, steps, limit):
    clock = NOON
    ledger = Ledger()
    app = create_app(FlagShelf(), policy=policy, clock=_Still(), sources=Sources(history=ledger))
    for bar, _ in steps[::2]:
        clock += timedelta(seconds=1)
        ledger.entries.append((NOON + timedelta(hours=bar), clock))
    expected, found, cursor = len(ledger.entries), [], ""
    later = iter([*steps, *[(0, True)] * 100])
    while cursor is not None:
        query = f"limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        answer = ask(app, path="/v1/flags/BTCUSDT/history", query_string=query.encode()).json
        found += [row["sequence"] for row in answer["rows"]]
        cursor = answer["next"]
        clock += timedelta(seconds=1)
        ledger.entries.append((NOON + timedelta(hours=next(later)[0]), clock))
    assert len(set(found)) == len(found) == expected


def test_what_a_scoring_left_is_found_in_its_folder(get, policy, clock, tmp_path):
    times = {name: pd.Timestamp(ROW[name]) for name in ("as_of", "issued_at", "valid_until")}
    write_table(pd.DataFrame([{**ROW, **times}]), tmp_path / "flags.parquet")
    event = {**EVENTS["events"][0], "flags": "severe"}
    pd.DataFrame([event]).to_csv(tmp_path / "events.csv", index=False)
    app = create_app(FlagShelf(), policy=policy, clock=clock, sources=folder_sources(tmp_path))
    assert get(app, "/v1/flags/BTCUSDT/history").json["rows"] == [ROW]
    assert get(app, "/v1/events", symbol="BTCUSDT").json == EVENTS


def test_events_are_the_newest_and_what_is_unknown_is_null(get, app_of):
    answer = get(app_of(events=Catalogue()), "/v1/events", limit=2)
    EventsAnswer.model_validate(answer.json)
    assert (answer.json["total"], [e["severity"] for e in answer.json["events"]]) == (5, [3, 4])
    assert answer.json["events"][0]["move"] is None
    assert answer.json["events"][0]["onset"] == "2024-08-05T12:00:00.000Z"


def test_a_map_is_served_or_not_found(get, app_of):
    app = app_of(maps=Maps())
    assert get(app, "/v1/map/BTCUSDT").json == MAP
    MapAnswer.model_validate(MAP)
    answer = get(app, "/v1/map/NOPE")
    assert (answer.status, answer.json) == (404, {"detail": "no map for symbol 'NOPE'"})


ROUTES = {
    "history": ("/v1/flags/A/history", "the flag history is not configured here"),
    "events": ("/v1/events", "the event catalogue is not configured here"),
    "maps": ("/v1/map/A", "the liquidation map is not configured here"),
}


@pytest.mark.parametrize("name", ROUTES)
def test_what_is_not_configured_or_broken_is_said_to_be(get, app_of, name):
    path, missing = ROUTES[name]
    answer = get(app_of(), path)
    assert (answer.status, answer.json) == (503, {"detail": missing})
    answer = get(app_of(**{name: Broken()}), path)
    assert answer.status == 503
    assert list(answer.json) == ["detail"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cursor=x", 400),
        ("cursor=" + quote("a b"), 400),
        ("cursor=" + "x" * 401, 422),
        ("start=yesterday", 422),
        ("start=2024-08-05T12:00:00", 422),
        ("side=both", 422),
        ("limit=5001", 422),
        ("known=1", 422),
        ("start=2024-08-05T12:00:00%2B02:00", 200),
        ("known_by=0001-01-01T00:00:00Z&end=9999-12-31T23:59:59Z", 200),
    ],
)
def test_a_history_is_asked_for_in_one_way(ask, app_of, query, status):
    answer = ask(app_of(history=Ledger()), path="/v1/flags/A/history", query_string=query.encode())
    assert answer.status == status


class _Still:
    def wall(self):
        return NOON

    def monotonic(self):
        return 0.0
