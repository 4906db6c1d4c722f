"""Edits, losses and deaths: found where they were done by somebody, harmless where by a kill."""

import importlib.util
import os
import random
import shutil
import signal
import time
from pathlib import Path

import orjson
import pytest

from liqwarn import chained_log, durable
from liqwarn.config import Settings
from liqwarn.errors import AuditError
from liqwarn.pipelines.ledger import ledger_folder, read_account, settle
from liqwarn.pipelines.ledger_state import load
from liqwarn.pipelines.ledger_verify import verify_ledger

spec = importlib.util.spec_from_file_location(
    "ledger_given", Path(__file__).parent / "ledger_given.py"
)
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
KILLS = 60 if FULL else 4
END = made.at(made.BARS)


class Died(BaseException):
    """What a killed process does not live to see."""


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home", mlflow_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")


@pytest.fixture
def scores(tmp_path):
    return made.write_flags(tmp_path / "scores", made.flags_of())


@pytest.fixture
def folder(home, scores):
    settle(made.study_of(), None, home, scores=scores, now=made.at(30))
    settle(made.study_of(), None, home, scores=scores, now=END)
    return ledger_folder(home, "demo")


def checked(home, folder):
    return verify_ledger(folder, read_account(home, "demo"))


def test_a_whole_ledger_says_what_it_holds(home, folder):
    found = checked(home, folder)

    assert found.flags == len(made.flags_of())
    assert found.events == 1
    assert found.to_text().startswith(f"whole: {found.lines} lines, {found.flags} flags")
    assert found.sha256 == read_account(home, "demo")["ledger"]["sha256"]


def test_a_bit_that_flips_anywhere_is_found(home, folder):
    drawn = random.Random(3)
    files = [folder / "ledger.jsonl", folder / "ledger.head.json", *folder.glob("parts/*/*")]
    for path in files:
        whole = path.read_bytes()
        for _ in range(40 if FULL else 4):
            at = drawn.randrange(len(whole))
            bent = bytearray(whole)
            bent[at] ^= 1 << drawn.randrange(8)
            if path.suffix == ".json" and orjson_equal(bytes(bent), whole):
                continue
            path.write_bytes(bytes(bent))
            with pytest.raises(AuditError, match=r"ledger|part|head"):
                checked(home, folder)
        path.write_bytes(whole)
    checked(home, folder)


def orjson_equal(first, second):
    try:
        return orjson.loads(first) == orjson.loads(second)
    except ValueError:
        return False


def test_what_is_removed_or_cut_is_found(home, folder):
    for path in [folder / "ledger.jsonl", folder / "ledger.head.json", *folder.glob("parts/*/*")]:
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(AuditError, match="missing"):
            checked(home, folder)
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(AuditError, match=r"cut|edited|unreadable|written"):
            checked(home, folder)
        path.write_bytes(whole)


def test_a_cut_with_a_forged_head_contradicts_the_account(home, folder):
    lines = (folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)[:-1]
    (folder / "ledger.jsonl").unlink()
    (folder / "ledger.head.json").unlink()
    kept = [
        {k: v for k, v in orjson.loads(line).items() if k not in ("sequence", "previous")}
        for line in lines
    ]
    chained_log.append_records(folder / "ledger.jsonl", folder / "ledger.head.json", kept)

    with pytest.raises(AuditError, match="the account speaks of"):
        checked(home, folder)
    with pytest.raises(AuditError, match="the ledger was cut; restore it"):
        settle(made.study_of(), None, home, scores=None, now=END)


def test_a_ledger_without_flags_says_how_to_begin_one(home):
    nothing = r"holds no flags yet: .* `liqwarn ledger settle --scores FOLDER`, takes them in"

    with pytest.raises(AuditError, match=nothing):
        verify_ledger(ledger_folder(home, "demo"), None)
    settle(made.study_of(), None, home, scores=None, now=END)  # an account of nothing
    with pytest.raises(AuditError, match=nothing):
        checked(home, ledger_folder(home, "demo"))


def test_a_ledger_that_was_taken_away_is_not_one_that_was_never_begun(home, folder):
    (folder / "ledger.jsonl").unlink()
    (folder / "ledger.head.json").unlink()

    with pytest.raises(AuditError, match=r"made of \d lines, found none: restore the ledger"):
        checked(home, folder)


def test_dying_before_any_write_reaches_the_disk_loses_nothing(home, scores, monkeypatch):
    """Every file is synced before it counts, so a death before each sync is a death anywhere."""
    folder = ledger_folder(home, "demo")
    expected, steps = None, 0
    while expected is None:
        shutil.rmtree(folder, ignore_errors=True)
        with monkeypatch.context() as patched:
            countdown(patched, steps)
            try:
                settle(made.study_of(), None, home, scores=scores, now=END)
                expected = steps
            except Died:
                load(folder)  # readable as it lies there
        account = settle(made.study_of(), None, home, scores=scores, now=END)
        assert len(load(folder).flags) == len(made.flags_of())
        assert account["counts"]["issued"] == len(made.flags_of())
        assert not checked(home, folder).unnamed
        steps += 1 if FULL else 3

    assert steps > 10


def countdown(patched, steps):
    left = [steps]
    fsync = os.fsync

    def dying(descriptor):
        if not left[0]:
            raise Died
        left[0] -= 1
        fsync(descriptor)

    patched.setattr(chained_log.os, "fsync", dying)
    patched.setattr(durable.os, "fsync", dying)


def test_killed_at_any_moment_it_is_settled_by_the_next(home, scores):
    folder = ledger_folder(home, "demo")
    drawn = random.Random(5)
    for hour in range(10, 10 + KILLS):
        now = made.at(min(hour, made.BARS))
        child = os.fork()
        if not child:
            settle(made.study_of(), None, home, scores=scores, now=now)
            os._exit(0)
        time.sleep(drawn.uniform(0.0, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        before = load(folder)
        settle(made.study_of(), None, home, scores=scores, now=now)
        after = load(folder)
        assert after.outcomes.iloc[: len(before.outcomes)].equals(before.outcomes)
    assert len(load(folder).flags) == len(made.flags_of())
    checked(home, folder)
