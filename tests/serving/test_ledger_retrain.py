"""The end of the journal of retraining: the last runs, whatever else stands there."""

import runpy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.serving.ledger_retrain import LastRuns, read_last_runs

GIVEN = runpy.run_path(str(Path(__file__).with_name("ledger_given.py")))


@pytest.fixture
def home(tmp_path):
    return GIVEN["GivenHome"](tmp_path)


def test_no_journal_tells_nothing(home):
    assert read_last_runs(home.journal) == LastRuns()


def test_the_last_end_and_the_last_that_finished(home):
    home.run("finished", "2025-09-21T03:00:00Z", action="promoted", champion="4")
    home.run("finished", "2025-09-28T03:00:00Z", action="kept", champion="4")
    home.run("started", "2025-10-05T03:00:00Z")
    home.run("stopped", "2025-10-05T03:00:00Z")
    home.run("started", "2025-10-12T03:00:00Z")
    found = read_last_runs(home.journal)

    assert (found.last.step, found.last.at.day, found.last.action) == ("stopped", 5, "")
    assert (found.finished.step, found.finished.at.day) == ("finished", 28)
    assert (found.finished.action, found.finished.champion) == ("kept", "4")


def test_a_ledger_of_before_the_journals_is_understood(home):
    home.journal.write_text(
        '{"run":"r","action":"promoted","champion":"3","reasons":[],"at":"2025-01-01T00:00:00Z"}\n'
    )
    assert read_last_runs(home.journal).finished.action == "promoted"


def test_only_the_tail_is_read(home):
    home.run("finished", "2025-01-01T00:00:00Z", action="kept")
    with home.journal.open("ab") as stream:
        stream.write(b"x" * 300_000 + b"\n")
    home.run("failed", "2025-02-01T00:00:00Z")

    assert read_last_runs(home.journal).last.step == "failed"
    assert read_last_runs(home.journal).finished is None


ODD = [
    b"{",
    b"[1]\n",
    b'{"step": "finished"}\n',
    b'{"step": "finished", "at": 3}\n',
    b'{"step": "finished", "at": "soon"}\n',
    b'{"step": ["finished"], "at": "2025-01-01T00:00:00Z"}\n',
    b"\xff\n",
]


@pytest.mark.parametrize("line", ODD, ids=range(len(ODD)))
def test_what_is_no_line_is_passed_over(home, line):
    home.run("finished", action="kept")
    with home.journal.open("ab") as stream:
        stream.write(line)

    assert read_last_runs(home.journal).last.action == "kept"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=400))
def test_it_never_raises(home, content):
    home.journal.write_bytes(content)

    assert read_last_runs(home.journal) is not None


def test_figures_that_are_none_are_left_out(home):
    home.journal.write_bytes(
        b'{"step":"finished","at":"2025-01-01T00:00:00Z","figures":{"action":[1],"champion":5}}\n'
    )
    found = read_last_runs(home.journal).last

    assert (found.action, found.champion) == ("", "5")
