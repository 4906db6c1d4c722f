"""liqwarn event: a picture, one JSON object or text, the catalogue, and refusals in one line."""

import pytest

DAY = "2022-03-09"


@pytest.fixture
def event(run, market_options):
    def command(*words):
        return run("event", *words, *market_options)

    return command


def test_an_event_as_picture_and_json(event, model, tmp_path):
    told = event(DAY, "--model", model, "--out", tmp_path / "out", "--json").json

    assert told["schema"] == "liqwarn.event/1"
    assert told["out"] == str(tmp_path / "out")
    assert told["choice"]["asked"] == DAY
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["event.json", "event.png", "event.svg"]


def test_an_event_in_words_with_a_bundle_that_has_not_seen_it(event, model, tmp_path):
    told = event(DAY, "--model", model, "--out", tmp_path / "out", "--side", "short")

    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert "(SIMULATED market)" in lines[0]
    assert "short cascade" in lines[0]
    assert any(line.startswith("Out of sample") for line in lines)
    assert lines[-1] == f"picture: {tmp_path / 'out' / 'event.png'}"


def test_the_catalogue_for_people_and_machines(event):
    rows = event("--list", "--json").json["events"]
    longs = event("--list", "--side", "long", "--symbol", "BTCUSDT", "--json").json["events"]
    told = event("--list")

    assert 0 < len(longs) < len(rows)
    assert {(row["symbol"], row["side"]) for row in longs} == {("BTCUSDT", "long")}
    assert rows[0]["onset"].startswith("2022-01")
    assert told.out.splitlines()[-1] == f"{len(rows)} events"


def test_a_day_without_an_event_near_names_the_nearest(event, model):
    told = event("2021-01-01", "--model", model)

    assert "no event within 48 h of 2021-01-01; the nearest: " in told.refusal


def test_an_unknown_symbol_is_refused(event):
    assert "symbol is 'BTC', expected one of BTCUSDT" in event("--list", "--symbol", "BTC").refusal


def test_too_little_history_says_what_is_needed(event):
    told = event("2022-01-20")

    assert "a model needs 90 days of known outcomes" in told.refusal
    assert "--model" in told.refusal


def test_a_file_in_the_way_is_refused_before_any_work(event, tmp_path):
    (tmp_path / "taken").write_text("")

    told = event(DAY, "--out", tmp_path / "taken")

    assert "is a file, expected a folder" in told.refusal
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [(), ("yesterday",), (DAY, "--side", "both"), (DAY, "--hours", "0"), (DAY, "--threads", "0")],
    ids=str,
)
def test_wrong_usage_exits_with_2(event, words):
    told = event(*words)

    assert told.code == 2
    assert told.out == ""
