"""The whole of an event as one document, one picture, and files that are written whole."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import orjson
import pytest

from liqwarn.errors import ConfigError
from liqwarn.pipelines.event_choice import EventQuery
from liqwarn.pipelines.event_explorer import (
    EventOrder,
    check_out,
    event_name,
    explore_event,
    write_event,
)
from liqwarn.pipelines.event_forecast import Source
from liqwarn.pipelines.event_scene import span_of
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.reports.canvas import heat_map_from_canvas
from liqwarn.reports.event_text import event_lines


@pytest.fixture(scope="module")
def event(study):
    """A day of the unseen part of the market on which the leader alone has an event."""
    return [e for e in study.events if (e.symbol, e.side) == ("BTCUSDT", "long")][-1]


@pytest.fixture(scope="module")
def query(event):
    return EventQuery(day=event.onset.date(), symbol="BTCUSDT", side="long")


@pytest.fixture(scope="module")
def told(study, policy, bundle_folder, query):
    steps = []
    order = EventOrder(query=query, source=Source(model=bundle_folder, policy=policy))
    document = explore_event(study, order, on_progress=lambda *step: steps.append(step))
    return document, steps


def test_the_document_is_of_the_event_asked_for(told, event, study):
    document, steps = told

    assert document["schema"] == "liqwarn.event/1"
    assert (document["market"], document["bar_s"]) == ("simulated", 3600)
    assert document["event"]["side"] == "long"
    assert datetime.fromisoformat(document["event"]["onset"]) == event.onset
    assert document["choice"]["exact"]
    assert ("score", 1, 1) in steps
    span = span_of(study, event)
    assert len(document["series"]["time"]) == span.last - span.first + 1


def test_it_is_json_as_it_stands(told):
    document, _ = told

    back = orjson.loads(orjson.dumps(document))
    assert set(back) == set(document)
    assert back["series"]["time"] == document["series"]["time"]


def test_the_map_begins_a_bar_before_the_picture(told):
    document, _ = told
    times = heat_map_from_canvas(document["map"]).times
    first = np.datetime64(document["series"]["time"][0][:-1], "s")

    assert times[0] == first - np.timedelta64(3600, "s")
    assert str(times[-1]) == document["series"]["time"][-1][:19]


def test_a_model_trained_before_has_not_seen_the_event(told):
    document, _ = told

    assert not document["model"]["seen_event"]
    assert document["model"]["seen_bars"] == 0
    assert any(line.startswith("Out of sample") for line in event_lines(document))


def test_a_model_trained_on_everything_has(study, policy, query, small, tmp_path):
    fit_bundle(study, (), TrainOrder(settings=small), tmp_path / "all")
    order = EventOrder(query=query, source=Source(model=tmp_path / "all", policy=policy))

    document = explore_event(study, order)

    assert document["model"]["seen_event"]
    assert document["model"]["seen_bars"] > 0
    assert any("THE MODEL HAS SEEN THIS EVENT" in line for line in event_lines(document))


def test_a_model_trained_into_the_picture_says_how_far(
    study, policy, query, event, small, tmp_path
):
    until = event.onset - timedelta(hours=10)
    fit_bundle(study, (), TrainOrder(until=until, settings=small), tmp_path / "close")
    order = EventOrder(query=query, source=Source(model=tmp_path / "close", policy=policy))

    model = explore_event(study, order)["model"]

    assert not model["seen_event"]
    assert 0 < model["seen_bars"] < 48


def test_by_default_a_model_is_fitted_that_knew_nothing_of_the_picture(study, policy, query, small):
    source = Source(model=None, policy=policy, train=TrainOrder(settings=small))

    document = explore_event(
        study, EventOrder(query=query, source=source, before=timedelta(hours=12))
    )

    first = datetime.fromisoformat(document["series"]["time"][0])
    until = datetime.fromisoformat(document["model"]["trained_until"])
    assert document["model"]["fitted"]
    assert until <= first - timedelta(days=1)
    assert len([t for t in document["series"]["time"] if t < document["event"]["onset"]]) == 12


def test_without_open_interest_there_is_no_map(study, policy, bundle_folder, query):
    frame = study.market.frame
    nothing = np.full(frame.shape, np.nan)
    bare = replace(
        study, market=replace(study.market, frame=frame.joined({"open_interest": nothing}))
    )
    order = EventOrder(query=query, source=Source(model=bundle_folder, policy=policy))

    assert explore_event(bare, order)["map"] is None


def test_a_long_picture_has_a_map_of_few_columns_with_the_one_before_the_onset(
    study, policy, bundle_folder, query, event
):
    source = Source(model=bundle_folder, policy=policy)
    order = EventOrder(query=query, source=source, before=timedelta(days=40))

    document = explore_event(study, order)

    times = heat_map_from_canvas(document["map"]).times
    assert len(document["series"]["time"]) > 900
    assert len(times) <= 301
    assert np.datetime64(document["event"]["onset_start"][:-1], "s") in times


def test_files_are_written_and_the_same_again(told, tmp_path):
    document, _ = told
    for folder in ("one", "two"):
        write_event(document, tmp_path / folder)

    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == [
        "event.json", "event.png", "event.svg"
    ]  # fmt: skip
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert (tmp_path / "one" / "event.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_is_named_after_the_event(told, event):
    assert event_name(told[0]) == f"BTCUSDT-long-{event.onset:%Y%m%dT%H%MZ}"


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")

    check_out(tmp_path / "free")
    with pytest.raises(ConfigError, match="is a file, expected a folder"):
        check_out(tmp_path / "taken" / "below")
