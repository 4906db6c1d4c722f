import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.reports.scenario_view import (
    diverged_sentence,
    few_paths_sentence,
    origin_sentence,
    run_sentence,
    scenario_tiles,
    state_rows,
    symbol_rows,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulation_documents.py"))))


@pytest.fixture
def document():
    return made.scenario_document()


def test_the_strongest_amplification_is_named(document):
    document["symbols_results"]["FETUSDT"]["amplification"] = {"mean": 4.2, "ci": [4.0, 4.4]}
    tile = scenario_tiles(document)[2]

    assert (tile.value, tile.note) == ("4.20×", "FETUSDT [4.00×, 4.40×]")


def test_moves_too_small_for_a_ratio_leave_the_amplification_open(document):
    for result in document["symbols_results"].values():
        result["amplification"] = None

    assert scenario_tiles(document)[2].value == "–"
    assert symbol_rows(document)[0].figures[-1].text == "–"


@pytest.mark.parametrize(("diverged", "alarm"), [(0, False), (1, True), (None, True)])
def test_paths_that_diverged_or_may_have_are_an_alarm(document, diverged, alarm):
    document["diverged"] = diverged
    tile = scenario_tiles(document)[-1]

    assert tile.alarm is alarm
    assert bool(diverged_sentence(document)) is alarm


def test_a_few_paths_come_with_a_warning():
    assert few_paths_sentence({"paths": 399}).startswith("Only 19 paths lie")
    assert few_paths_sentence({"paths": 400}) == ""


def test_a_simulated_state_is_not_called_real(document):
    assert "real" not in origin_sentence(document)
    assert "from real data as of – UTC" in origin_sentence({"market": "from real data"})


def test_a_short_horizon_is_in_minutes():
    run = run_sentence({"paths": 1, "seed": 0, "horizon_h": 0.5, "step_s": 1})

    assert run == "1 paths of 30 min in steps of 1 s, seed 0"


def test_the_state_says_which_side_is_crowded(document):
    rows = state_rows(document)

    assert [row.crowded for row in (rows[0], rows[-1])] == ["longs", "shorts"]
    assert [f.text for f in rows[2].figures] == ["64,120", "1.3 B", "53.3 M", "50.0 M", "+0.45"]


def test_a_symbol_without_a_result_is_a_row_of_dashes(document):
    del document["symbols_results"]["BTCUSDT"]
    row = symbol_rows(document)[2]

    assert row.symbol == "BTCUSDT"
    assert {figure.text for figure in row.figures} == {"–"}
