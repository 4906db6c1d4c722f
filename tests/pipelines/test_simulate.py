"""A scenario from file to document: the bytes are the seed's, and faults come before any work."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest
import yaml

from liqwarn.errors import ConfigError
from liqwarn.pipelines.simulate import SimulateOrder, run_simulation

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = {
    "schema": "liqwarn.scenario/1",
    "name": "small",
    "title": "A small fall",
    "description": "For a test.",
    "symbols": ["BTCUSDT", "ETHUSDT"],
    "initial": {"kind": "synthetic", "days": 5},
    "horizon": "2h",
    "shocks": [{"at": "15m", "kind": "price", "move": -0.06, "over": "15m"}],
}
KEYS = [
    *("schema", "version", "scenario", "market", "seed", "paths", "diverged", "horizon_h"),
    *("step_s", "symbols", "initial", "shocks", "symbols_results", "total", "contagion", "fan"),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenario") / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


@pytest.fixture(scope="module")
def ran(file, tmp_path_factory):
    order = SimulateOrder(scenario=file, out=tmp_path_factory.mktemp("out"), paths=150, seed=3)
    told = []
    document = run_simulation(order, now=NOW, on_progress=lambda *step: told.append(step))
    return order, document, told


def test_the_document_is_what_was_written(ran):
    order, document, _ = ran
    written = orjson.loads((order.out / "scenario.json").read_bytes())

    assert list(written) == KEYS
    assert written == orjson.loads(orjson.dumps(document))
    assert (written["schema"], written["market"]) == ("liqwarn.scenario_result/1", "simulated")
    assert (written["paths"], written["seed"], written["diverged"]) == (150, 3, 0)
    assert (written["horizon_h"], written["step_s"]) == (2.0, 60)
    assert written["symbols"] == ["BTCUSDT", "ETHUSDT"]
    assert len(written["scenario"]["sha256"]) == 64
    assert written["shocks"] == [
        {"kind": "price", "at": "15m", "move": -0.06, "over": "15m", "symbols": "all",
         "follow": "equal"}
    ]  # fmt: skip


def test_the_fall_is_the_news_and_what_the_market_made_of_it(ran):
    _, document, _ = ran
    btc = document["symbols_results"]["BTCUSDT"]

    assert -14.0 < btc["trough_pct"]["mean"] < -6.0
    assert btc["amplification"]["mean"] > 1.05
    assert document["total"]["loss_pct"]["mean"] < -6.0
    assert np.shape(document["contagion"]["matrix"]) == (2, 2)
    assert len(document["fan"]["symbols"]["ETHUSDT"]["p50"]) == 9


def test_the_page_is_of_this_document(ran):
    order, _, _ = ran
    page = (order.out / "scenario.html").read_text()

    assert "A small fall" in page
    assert "SIMULATED" in page.upper()


def test_progress_has_an_end(ran):
    _, _, told = ran

    assert {step[0] for step in told} == {"simulate the past", "simulate paths", "contagion"}
    for stage in ("simulate paths", "contagion"):
        assert [step for step in told if step[0] == stage][-1][1:] in ((150, 150), (3, 3))


def test_the_bytes_are_the_seed_s_whatever_the_threads(ran, file, tmp_path):
    order, _, _ = ran

    def bytes_of(folder, **changed):
        given = {"scenario": file, "out": tmp_path / folder, "paths": 150, "seed": 3}
        run_simulation(SimulateOrder(**given | changed), now=NOW.replace(year=2030))
        return [
            (tmp_path / folder / name).read_bytes() for name in ("scenario.json", "scenario.html")
        ]

    first = [(order.out / name).read_bytes() for name in ("scenario.json", "scenario.html")]
    assert bytes_of("again", threads=2) == first
    assert bytes_of("other", seed=4)[0] != first[0]


def test_every_fault_is_named_and_nothing_is_written(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        yaml.safe_dump(
            SMALL
            | {
                "symbols": ["BTCUSDT", "NONEUSDT"],
                "shocks": [
                    {"at": "0m", "kind": "depth", "to": -0.3, "for": "1h"},
                    {"at": "0m", "kind": "haircut", "haircut": 1.5},
                ],
            }
        )
    )
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match=r"bad\.yaml: scenario has 3 faults") as refused:
        run_simulation(SimulateOrder(scenario=bad, out=out, paths=0, seed=-1), now=NOW)

    for fault in ("to: found -0.3", "haircut: found 1.5", "unknown symbol NONEUSDT",
                  "paths is 0, expected 1", "seed is -1"):  # fmt: skip
        assert fault in str(refused.value)
    assert not out.exists()


def test_no_paths_are_refused(file, tmp_path):
    with pytest.raises(ConfigError, match="paths is 0, expected 1 to"):
        run_simulation(SimulateOrder(scenario=file, out=tmp_path / "out", paths=0), now=NOW)
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_folder_to_write_into(file, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ConfigError, match="a file, expected a folder"):
        run_simulation(SimulateOrder(scenario=file, out=tmp_path / "out"), now=NOW)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_scenario_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        run_simulation(SimulateOrder(scenario=tmp_path / "none.yaml", out=tmp_path), now=NOW)
