"""Results go to standard output, everything else to standard error."""

import numpy as np
import orjson
from rich.table import Table

from liqwarn.cli.console import emit, progress, say, show


def test_a_result_is_one_json_object_or_text(capsys):
    emit({"a": 1.5, "n": np.float64(2.0), "none": float("nan")}, as_json=True, text="x")
    assert orjson.loads(capsys.readouterr().out) == {"a": 1.5, "n": 2.0, "none": None}

    emit({"a": 1}, as_json=False, text="one a")
    assert capsys.readouterr().out == "one a\n"


def test_words_for_a_person_leave_standard_output_alone(capsys):
    say("the market is [simulated]")

    out, err = capsys.readouterr()
    assert out == ""
    assert "the market is" in err


def test_away_from_a_terminal_progress_is_a_line_a_finished_stage(capsys):
    with progress() as tell:
        for done in range(4):
            tell("ingest", done, 3)
        tell("ingest", 3, 3)
        tell("train", 0, 1)

    assert capsys.readouterr() == ("", "ingest: 3 of 3\n")


def test_a_table_goes_to_standard_output(capsys):
    table = Table("Symbol")
    table.add_row("BTCUSDT")

    show(table)

    assert "BTCUSDT" in capsys.readouterr().out
