"""liqwarn simulate: a scenario's results as text and JSON, refusals in one line."""

from pathlib import Path

import orjson
import pytest
import yaml

SMALL = {
    "schema": "liqwarn.scenario/1",
    "name": "small",
    "title": "A small fall",
    "description": "For a test.",
    "symbols": ["BTCUSDT"],
    "initial": {"kind": "synthetic", "days": 2},
    "horizon": "1h",
    "shocks": [{"at": "15m", "kind": "price", "move": -0.06, "over": "15m"}],
}


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


def test_a_scenario_for_machines_and_on_disk(run, scenario, tmp_path):
    out = tmp_path / "out"
    told = run("simulate", scenario, "--paths", 20, "--seed", 2, "--out", out, "--json").json

    assert told.pop("out") == str(out)
    assert told == orjson.loads((out / "scenario.json").read_bytes())
    assert (told["schema"], told["paths"], told["seed"]) == ("liqwarn.scenario_result/1", 20, 2)
    assert (out / "scenario.html").is_file()


def test_a_scenario_in_words(run, scenario, tmp_path):
    told = run("simulate", "--out", tmp_path / "out", "--paths", "20", scenario)

    assert told.code == 0
    assert told.out.startswith("A small fall (small)\nSimulated paths from a simulated state")
    assert told.out.strip().endswith(f"page: {tmp_path / 'out' / 'scenario.html'}")
    assert "simulate paths: 20 of 20" in told.err


def test_threads_change_no_byte(run, scenario, tmp_path):
    for threads in (1, 2):
        options = ("--paths", 70, "--threads", threads, "--out", tmp_path / str(threads))
        assert run("simulate", scenario, *options).code == 0

    one, two = ((tmp_path / str(k) / "scenario.json").read_bytes() for k in (1, 2))
    assert one == two


def test_an_impossible_scenario_is_refused_whole(run, tmp_path):
    bad = tmp_path / "bad.yaml"
    shocks = [
        {"at": "0m", "kind": "depth", "to": -1, "for": "1h"},
        {"at": "0m", "kind": "price", "move": -0.1, "symbols": ["ETHUSDT"]},
    ]
    bad.write_text(yaml.safe_dump(SMALL | {"shocks": shocks}))
    told = run("simulate", bad, "--paths", 0, "--out", tmp_path / "out").refusal

    for fault in ("to: found -1", "unknown symbol ETHUSDT", "paths is 0, expected 1"):
        assert fault in told
    assert not (tmp_path / "out").exists()


def test_a_scenario_that_is_not_there(run, tmp_path):
    told = run("simulate", "crash.yaml", "--out", tmp_path / "out").refusal

    assert told.startswith("crash.yaml: cannot be read (No such file or directory)")


def test_a_store_without_data_is_refused(run, tmp_path):
    told = run("simulate", "conf/scenarios/from_store.yaml", "--out", tmp_path / "out").refusal

    assert "majors_4h" in told or "bars" in told
    assert not (tmp_path / "out").exists()


def test_help_shows_all_three(run):
    told = run("simulate", "--help")

    assert told.code == 0
    assert "liqwarn simulate SCENARIO.yaml --out DIR" in told.out
    commands = told.out[told.out.index("Commands:") :]
    assert all(name in commands for name in ("run", "worst-case", "closed-loop"))


@pytest.mark.parametrize(
    "words",
    [
        ("worst-case", "conf/scenarios/calm.yaml", "--radii", "1,two"),
        ("worst-case", "conf/scenarios/calm.yaml", "--paths", "0"),
        ("closed-loop", "--phi", "1.5"),
        ("closed-loop", "--seeds", "0"),
    ],
)
def test_orders_that_make_no_sense_are_refused(run, tmp_path, words):
    assert "expected" in run("simulate", *words, "--out", tmp_path / "out").refusal
    assert not Path(tmp_path / "out").exists()
