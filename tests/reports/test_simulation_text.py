import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.simulation_text import (
    aligned,
    closed_loop_text,
    scenario_text,
    worst_case_text,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulation_documents.py"))))
TEXTS = {
    "scenario": (scenario_text, made.scenario_document),
    "closed_loop": (closed_loop_text, made.closed_loop_document),
    "worst_case": (worst_case_text, made.worst_case_document),
}
every_text = pytest.mark.parametrize("kind", TEXTS)


def test_columns_line_up():
    lines = aligned([["a", "1.0", "x"], ["long", "22.0", "yy"]]).splitlines()

    assert lines == ["a      1.0   x", "long  22.0  yy"]


def test_a_scenario_in_the_terminal():
    text = scenario_text(made.scenario_document(diverged=5, paths=300))
    lines = text.splitlines()

    assert lines[0] == "Like 2020-03-12 (crash_2020_03_12)"
    assert lines[1].startswith("Simulated paths")
    assert "WARNING: 5 of 300 paths (1.7 %) diverged" in text
    assert "WARNING: Only 15 paths" in text
    assert "Liquidations at risk, 95 %   940.0 M USD  [830.0 M, 1.1 B]" in text
    row = next(line for line in lines if line.startswith("BTCUSDT "))
    assert row.split()[1:6] == ["−16.5", "[−17.8,", "−15.1]", "−24.6", "98.5"]
    assert lines[-1].startswith("Spectral radius of contagion 0.710 [0.660, 0.770]. Below 1")


def test_shocks_are_told_in_the_order_of_time():
    told = [line for line in scenario_text(made.scenario_document()).splitlines() if "at " in line]
    starts = [line.split(" h:")[0] for line in told if line.startswith("at ")]

    assert starts == ["at 0", "at 0", "at 1", "at 2", "at 4", "at 8", "at 10"]


def test_the_closed_loop_in_the_terminal():
    text = closed_loop_text(made.closed_loop_document())

    assert "40 seeds of 60 days, φ 50 %, delay 5 min, 412 cascades" in text
    assert "−53.7 better" in text
    assert "−2.7 tie" in text
    assert text.splitlines()[-1].startswith("- The obedient pay")
    assert "No sentence says" in closed_loop_text(made.closed_loop_document(hurts=[]))


def test_the_worst_case_in_the_terminal():
    lines = worst_case_text(made.worst_case_document()).splitlines()

    assert lines[0] == "The worst plausible shock by loss, seed 7"
    assert any(line.split()[:2] == ["5", "25.1"] and line.endswith("–") for line in lines)
    assert lines[-1].split() == ["XRPUSDT", "−16.0"]


@every_text
def test_tables_fit_eighty_columns(kind):
    text, document = TEXTS[kind]
    tables = [line for line in text(document()).splitlines() if "  " in line.strip()]

    assert len(tables) >= 10
    assert max(map(len, tables)) <= 80


@every_text
def test_nulls_are_dashes(kind):
    text, document = TEXTS[kind]
    shown = text(made.nothing(document()))

    assert "None" not in shown
    assert "nan" not in shown
    assert shown.count("–") >= 12


@every_text
def test_text_from_outside_cannot_steer_the_terminal(kind):
    text, document = TEXTS[kind]
    raw = made.poisoned(document(), "\x1b[2J\x07evil")

    shown = text(raw if kind == "closed_loop" else raw | {"symbols": ["\x1b[2J\x07evil"] * 12})

    assert "evil" in shown
    assert not any(c != "\n" and not c.isprintable() for c in shown)


@every_text
def test_a_document_of_another_kind_is_refused(kind):
    with pytest.raises(FrameError, match=r"schema 'x', expected 'liqwarn\."):
        TEXTS[kind][0]({"schema": "x"})
