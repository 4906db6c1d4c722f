"""Every example runs as it is, and says what it is about."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
SAYS = {
    "01_find_cascades": "rv_1d, one bar before the onset: ",
    "02_draw_the_liquidation_map": "coins would be closed",
    "03_stress_a_book": "liquidations at risk, 95 %: ",
    "04_live_replay": "writer gone: new risk False, REDUCING",
    "05_from_an_archive_to_a_panel": "23 files fetched, the second time 0",
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(example):
    run = subprocess.run(
        [sys.executable, str(example)], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    assert "The market is simulated." in run.stdout
    assert SAYS[example.stem] in run.stdout
    assert "nan" not in run.stdout


def test_there_are_examples():
    assert {example.stem for example in EXAMPLES} == set(SAYS)
