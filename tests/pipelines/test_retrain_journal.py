"""The journal of retraining: chained, whole after a kill, and the old ledger's runs stay known."""

from datetime import UTC, datetime

import orjson
import pytest

from liqwarn.errors import AuditError, StoreError
from liqwarn.pipelines.retrain_journal import Notes, Step, journal_of

NOW = datetime(2024, 1, 1, tzinfo=UTC)
OLD = {
    "run": "aa", "action": "promoted", "champion": "3", "reasons": ["better"],
    "at": "2023-12-24T03:00:00.000Z",
}  # fmt: skip


@pytest.fixture
def journal(tmp_path):
    return journal_of("demo", tmp_path)


@pytest.fixture
def notes(journal):
    journal.open()

    def of(run):
        return Notes(journal=journal, run=run, now=NOW, elapsed=lambda: 1.5)

    return of


def test_lines_are_chained_and_a_run_ends_with_its_last_one(journal, notes):
    one = notes("aa")
    one.note(Step.STARTED)
    one.note(Step.DATA, {"bars": 7})
    assert journal.finished("aa") is None
    assert journal.accepted_data() is None

    one.note(Step.FINISHED, {"action": "kept", "champion": "1"}, ("tie",))
    notes("bb").note(Step.DATA, {"bars": 6})

    assert journal.finished("aa")["reasons"] == ["tie"]
    assert journal.accepted_data() == {"bars": 7}
    assert [line["step"] for line in journal.of_run("aa")] == ["started", "data", "finished"]
    assert {line["seconds"] for line in journal.lines()} == {1.5}

    journal.log.write_bytes(journal.log.read_bytes().replace(b"tie", b"win"))
    with pytest.raises(AuditError, match="line 4 does not follow line 3"):
        journal.open()


def test_what_a_kill_left_behind_the_end_is_set_aside(journal, notes):
    notes("aa").note(Step.STARTED)
    whole = journal.log.read_bytes()
    with journal.log.open("ab") as log:
        log.write(b'{"half": ')

    assert [line["step"] for line in journal.lines()] == ["started"]
    journal.open()

    assert journal.log.read_bytes() == whole


def test_a_plain_ledger_of_before_is_taken_over_and_kept(journal):
    journal.log.parent.mkdir()
    plain = orjson.dumps(OLD) + b"\n"
    journal.log.write_bytes(plain)
    assert journal.finished("aa")["figures"]["action"] == "promoted"  # a rehearsal only reads
    assert journal.log.read_bytes() == plain

    journal.open()
    journal.open()

    assert journal.plain.read_bytes() == plain
    assert len(journal.lines()) == 1
    assert journal.finished("aa")["figures"]["champion"] == "3"


def test_a_take_over_that_was_killed_is_done_again(journal):
    """Killed once the old ledger was moved, and once the new lines were written without a head."""
    journal.log.parent.mkdir()
    journal.plain.write_bytes(orjson.dumps(OLD) + b"\n")
    assert journal.finished("aa") is not None

    journal.open()
    head = orjson.loads(journal.head.read_bytes())
    empty = {"lines": 0, "size": 0, "last_size": 0, "sha256": "0" * 64}
    journal.head.write_bytes(orjson.dumps(empty))
    journal.open()

    assert orjson.loads(journal.head.read_bytes()) == head
    assert len(journal.lines()) == 1


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"run": "aa"}'])
def test_an_unreadable_ledger_is_refused_and_left_as_it_is(journal, line):
    journal.log.parent.mkdir()
    journal.log.write_bytes(orjson.dumps(OLD) + b"\n" + line + b"\n")

    with pytest.raises(StoreError, match=r"demo\.jsonl: unreadable line 2 in the ledger"):
        journal.open()

    assert not journal.plain.exists()
    assert not journal.head.exists()


def test_a_journal_that_lost_its_head_is_no_plain_ledger(journal, notes):
    notes("aa").note(Step.STARTED)
    journal.head.unlink()

    with pytest.raises(AuditError, match=r"demo\.head\.json: missing"):
        journal.open()


def test_why_a_run_broke_off_is_written_down_if_that_can_be_done(journal, notes):
    notes("aa").failed(StoreError("no space"))
    assert journal.lines()[-1]["reasons"] == ["no space"]

    journal.head.unlink()
    notes_of = Notes(journal=journal, run="aa", now=NOW, elapsed=lambda: 2.0)
    notes_of.failed(StoreError("again"))  # told elsewhere

    assert b"again" not in journal.log.read_bytes()


def test_a_release_is_known_by_version_and_place(journal, notes):
    notes("aa").note(Step.RELEASED, {"version": "2", "place": "/r", "name": "abc"})

    assert journal.was_released("2", "/r")
    assert not journal.was_released("2", "/other")
    assert not journal.was_released("1", "/r")


def test_what_a_run_showed_is_that_of_its_last_verdict(journal, notes):
    notes("aa").note(Step.JUDGED, {"evidence": [{"side": "long", "roc_auc": 0.5}]})
    told = [{"side": "long", "roc_auc": 0.8, "roc_auc_low": 0.7}, {"side": "short", "roc_auc": 0.6}]
    notes("aa").note(Step.JUDGED, {"evidence": told})
    notes("bb").note(Step.STARTED)

    assert journal.shown_by("aa") == [
        {"side": "long", "value": 0.8, "low": 0.7}, {"side": "short", "value": 0.6, "low": None},
    ]  # fmt: skip
    assert journal.shown_by("bb") == journal.shown_by("cc") == []
