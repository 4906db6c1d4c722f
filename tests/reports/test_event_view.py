import pandas as pd

from liqwarn.reports.event_view import SHOWN_EVENTS, driver_rows, events_view


def test_the_latest_event_comes_first_and_the_page_is_capped(build):
    events = pd.concat([build["events"](seed=s) for s in range(4)], ignore_index=True)
    view = events_view(events)
    onsets = [row.onset for row in view.rows]

    assert view.total == len(events) > SHOWN_EVENTS == len(view.rows)
    assert onsets == sorted(onsets, reverse=True)
    assert sum(n for _, n in view.per_side) == view.total


def test_missing_liquidations_are_dashes(build):
    view = events_view(build["events"]())

    assert {row.short_liq for row in view.rows if row.side == "long"} == {"–"}


def test_no_events(build):
    view = events_view(build["events"]().iloc[:0])

    assert (view.total, view.rows, view.first) == (0, (), "")


def test_flags_may_be_text_or_a_list(build):
    events = build["events"]().head(3).assign(flags=["severe;flow_unknown", ["severe"], None])
    shown = {row.flags for row in events_view(events).rows}

    assert shown == {"severe, flow unknown", "severe", ""}


def test_a_driver_in_every_score_has_a_share_of_one(build):
    scores = build["scores"](symbols=("BTCUSDT",), days=5)
    scores["driver_1"], scores["contribution_1"] = "rv_1h", 0.5
    scores[["driver_2", "driver_3"]] = None
    rows = driver_rows(scores, pd.Timestamp(0, tz="UTC"))

    assert [(r.side, r.name, r.share, r.mean) for r in rows] == [
        ("long", "rv_1h", 1.0, "+0.50"),
        ("short", "rv_1h", 1.0, "+0.50"),
    ]


def test_older_scores_do_not_count(build):
    scores = build["scores"](symbols=("BTCUSDT",), days=5)

    assert driver_rows(scores, scores["time"].max() + pd.Timedelta(hours=1)) == []
