"""What a run tells a person at a terminal."""

from liqwarn.pipelines.retrain_result import Retrained

STOPPED = Retrained(run="f" * 64, action="stopped", champion="3", reasons=("quality: bad",), at="")
FIRST = Retrained(run="a" * 64, action="first", champion="", reasons=(), at="", dry_run=True)


def test_a_run_that_stopped_says_what_to_do():
    assert STOPPED.to_text().splitlines() == [
        "stopped; champion is version 3 (run ffffffffffff)",
        "  quality: bad",
        "nothing was trained: mend the data (`liqwarn quality` shows it), and run the same again",
    ]


def test_no_champion_is_not_called_a_version():
    assert FIRST.to_text() == "would make a first champion; no champion (run aaaaaaaaaaaa)"
