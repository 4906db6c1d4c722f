"""The history of aliases: two lines a move, read back, and where a rollback goes."""

from datetime import UTC, datetime
from threading import Thread

import pytest

from liqwarn.chained_log import append_records
from liqwarn.errors import AuditError
from liqwarn.models.alias_history import AliasHistory, AliasMove

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def history(tmp_path):
    return AliasHistory(tmp_path / "aliases", "demo")


def move(before, after, action="promote", *, alias="champion", run=""):
    return AliasMove(
        alias=alias, before=before, after=after, action=action, reason="drift", by="Ada",
        at="2026-05-01T00:00:00Z", run=run,
    )  # fmt: skip


def make(history, *args, state="done", **more):
    number = history.intend(move(*args, **more))
    if state is not None:
        history.end(number, state, now=NOW)


def test_moves_are_read_back_with_how_they_ended(history):
    assert history.moves() == ()
    make(history, None, "1", "first", run="k")
    make(history, "1", "2", state="failed")
    make(history, "1", "3", state=None)

    assert [(one.number, one.move.after, one.state) for one in history.moves()] == [
        (0, "1", "done"), (2, "2", "failed"), (4, "3", None),
    ]  # fmt: skip
    assert history.moves()[0].move == move(None, "1", "first", run="k")
    assert history.open_move().move.after == "3"
    assert history.champions() == (move(None, "1", "first", run="k"),)


def test_two_rollbacks_in_a_row_go_two_back(history):
    make(history, "1", "2")
    make(history, "2", "9", alias="challenger")
    make(history, "2", "3")
    assert history.earlier_champion("3") == "2"
    make(history, "3", "2", "rollback")
    assert history.earlier_champion("2") == "1"
    make(history, "2", "1", "rollback")
    assert history.earlier_champion("1") is None
    make(history, "1", "4")
    assert history.earlier_champion("4") == "1"


def test_from_a_champion_the_history_does_not_know_it_goes_back_to_the_last_it_knows(history):
    assert history.earlier_champion("1") is None
    make(history, None, "1")

    assert history.earlier_champion("7") == "1"


def test_an_edit_and_a_line_of_something_else_are_found(history):
    make(history, None, "1")
    whole = history.log.read_bytes()
    history.log.write_bytes(whole.replace(b"drift", b"draft"))
    with pytest.raises(AuditError, match=r"demo\.jsonl: line 2 does not follow line 1"):
        history.moves()

    history.log.write_bytes(whole)
    append_records(history.log, history.head, [{"schema": "liqwarn.other/1"}])
    with pytest.raises(AuditError, match=r"line 3 is no move of an alias"):
        history.moves()


def test_a_move_that_ends_twice_is_refused(history):
    make(history, None, "1")
    history.end(0, "done", now=NOW)

    with pytest.raises(AuditError, match=r"line 3 is no move"):
        history.moves()


def test_an_interrupted_append_is_no_edit_and_the_next_one_sets_it_aside(history):
    make(history, None, "1")
    with history.log.open("ab") as log:
        log.write(b'{"half')

    assert len(history.moves()) == 1
    make(history, "1", "2")
    assert len(history.moves()) == 2
    assert history.log.with_name("demo.jsonl.unacknowledged").read_bytes() == b'{"half'


def test_a_history_that_is_read_while_others_write_is_whole_at_every_look(history):
    """Retraining, gc and the audit ask it without a lock."""
    make(history, None, "0")
    writer = Thread(target=lambda: [make(history, str(k), str(k + 1)) for k in range(60)])
    writer.start()
    seen = []
    while writer.is_alive():
        seen.append(len(history.moves()))
    writer.join()

    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    assert len(history.moves()) == 61
