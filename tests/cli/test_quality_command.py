"""quality: a table for a person, an object for a machine, a file for later."""

import json


def test_text_is_for_a_person(run, market_options):
    told = run("quality", *market_options)

    assert told.code == 0
    assert told.out.startswith("demo: 2,160 bars of 1:00:00")
    assert "no bar in doubt" in told.out


def test_json_and_a_file_say_the_same(run, market_options, tmp_path):
    out = tmp_path / "quality.json"

    told = run("quality", *market_options, "--from", "2022-03-01", "--out", out, "--json").json

    assert told == json.loads(out.read_text())
    assert told["since"] == "2022-03-01T00:00:00+00:00"
    assert {row["symbol"] for row in told["fields"]} == {"BTCUSDT", "DOGEUSDT"}


def test_a_panel_is_the_same_as_itself(run, market_options, given):
    panel = given / "panel.yaml"

    told = run("quality", *market_options, "--against", panel, "--json").json

    assert all(row["worst"] == 0.0 for row in told["disagreements"] if "demo" in row["one"])


def test_a_day_to_come_is_refused(run, market_options):
    assert (
        "expected not later than the last close"
        in run("quality", *market_options, "--from", "2030-01-01").refusal
    )
