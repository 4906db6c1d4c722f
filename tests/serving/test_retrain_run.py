"""One run beside the server: its result, its log, how it ends, and how it is ended."""

import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from liqwarn.serving.clock import SystemClock
from liqwarn.serving.retrain_run import LOG, RESULT, RetrainRun


@pytest.fixture
def run(tmp_path):
    """A run of a script of a few lines."""

    def make(script, **options):
        words = (sys.executable, "-S", "-c", script)
        return RetrainRun(words, tmp_path, clock=SystemClock(), **options)

    return make


def test_what_it_told_is_the_outcome(run, tmp_path):
    outcome = run(
        "import sys; sys.stderr.write('walk forward: 3 of 3')\n"
        'print(\'{"action": "kept", "champion": "7", "reasons": ["a tie"]}\')'
    )()

    assert (outcome.result, outcome.code, outcome.ok) == ("kept", 0, True)
    assert (outcome.champion, outcome.reasons) == ("7", ("a tie",))
    assert outcome.said == "walk forward: 3 of 3"
    assert outcome.started <= outcome.finished
    assert 0.0 < outcome.took_s < 60.0
    assert (tmp_path / RESULT).read_bytes().startswith(b'{"action": "kept"')
    assert (tmp_path / LOG).read_text() == "walk forward: 3 of 3"


def test_a_refusal_is_a_failure_and_says_why(run):
    outcome = run("import sys; sys.exit('liqwarn: another run holds the lock')")()

    assert (outcome.result, outcome.code, outcome.ok) == ("failed", 1, False)
    assert outcome.said == "liqwarn: another run holds the lock"
    assert (outcome.champion, outcome.reasons) == (None, ())


def test_a_lock_that_another_holds_is_none(run):
    outcome = run("import sys; sys.stderr.write('locked'); sys.exit(75)")()

    assert (outcome.result, outcome.code, outcome.ok, outcome.failed) == (
        "locked",
        75,
        False,
        False,
    )


def test_a_result_with_an_exit_code_is_named_and_still_no_success(run):
    outcome = run('print(\'{"action": "stopped", "reasons": "no list"}\'); raise SystemExit(3)')()

    assert (outcome.result, outcome.code, outcome.failed) == ("stopped", 3, True)
    assert outcome.reasons == ()


@pytest.mark.parametrize("told", ["", "not JSON", "[1]", "{}", '{"action": 3}'])
def test_a_result_that_cannot_be_read_is_none(run, told):
    assert run(f"print({told!r})")().result == "failed"


def test_the_result_of_the_run_before_is_not_taken_for_this_one(run):
    assert run('print(\'{"action": "kept"}\')')().result == "kept"
    assert run("raise SystemExit(1)")().result == "failed"


def test_a_run_that_was_killed_says_so(run):
    outcome = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")()

    assert (outcome.result, outcome.code) == ("killed", -signal.SIGKILL)


def test_what_cannot_be_started_is_an_outcome_too(tmp_path):
    outcome = RetrainRun(("/no/such/program",), tmp_path, clock=SystemClock())()

    assert (outcome.result, outcome.code) == ("failed", None)
    assert "could not be started" in outcome.said


def test_the_end_of_a_long_log_is_told(run):
    outcome = run("import sys; sys.stderr.write('x' * 9_000 + ' the end')")()

    assert outcome.said.endswith("the end")
    assert len(outcome.said) == 2_000


def test_it_does_not_write_into_the_file_of_an_orphan(run, tmp_path):
    with (tmp_path / LOG).open("wb") as orphan:
        run("import sys; sys.stderr.write('mine')")()
        orphan.write(b"its own")

    assert (tmp_path / LOG).read_text() == "mine"


def begun(one, tmp_path, word):
    """The thread of a run that has said a word."""
    found = []
    thread = threading.Thread(target=lambda: found.append(one()))
    thread.start()
    until = time.monotonic() + 30
    log = tmp_path / LOG
    while time.monotonic() < until and not (log.exists() and word in log.read_text()):
        time.sleep(0.01)
    return thread, found


_SLEEP = "import sys, time; sys.stderr.write('on '); sys.stderr.flush(); time.sleep(60)"


def test_a_stopping_server_ends_it(run, tmp_path):
    one = run(_SLEEP)
    thread, found = begun(one, tmp_path, "on")
    one.end()
    thread.join(10)

    assert [(outcome.result, outcome.code) for outcome in found] == [("ended", -signal.SIGTERM)]


def test_what_does_not_end_is_killed_with_all_that_it_started(run, tmp_path):
    one = run(
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', {_SLEEP!r}])\n"
        "open('%s', 'w').write(str(child.pid))\n"
        "child.wait()" % (tmp_path / "pid"),
        grace_s=0.1,
    )
    thread, found = begun(one, tmp_path, "on")
    one.end()
    thread.join(10)

    assert [(outcome.result, outcome.code) for outcome in found] == [("ended", -signal.SIGKILL)]
    assert gone(int((tmp_path / "pid").read_text()))


def gone(pid):
    until = time.monotonic() + 10
    status = Path(f"/proc/{pid}/status")
    while time.monotonic() < until and status.exists() and "State:\tZ" not in status.read_text():
        time.sleep(0.01)
    return not status.exists() or "State:\tZ" in status.read_text()


def test_nothing_is_started_once_it_was_ended(run):
    one = run('print(\'{"action": "kept"}\')')
    one.end()

    assert one().result == "ended"
