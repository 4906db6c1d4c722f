"""Moves of aliases: on the record, once, whole after a kill at any point, and never blind."""

from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from filelock import FileLock

from liqwarn.chained_log import verify
from liqwarn.errors import ConfigError, ModelError
from liqwarn.models.alias_history import AliasHistory
from liqwarn.pipelines import alias_moves
from liqwarn.pipelines.alias_moves import Mandate, appoint, finish_open_move, promote, rollback

NOW = datetime(2026, 5, 1, tzinfo=UTC)
BY_HAND = Mandate(action="promote", reason="drift", by="Ada", now=NOW)


class KilledError(BaseException):
    """What stops a move like ``kill -9``: nothing below catches it."""


class Register:
    """A registry in memory: versions 1 to 4, aliases; it can fail, or kill the caller."""

    name = "liqwarn-demo"

    def __init__(self):
        self.aliases = {}
        self.pointed = 0
        self.check = self.before_point = self.after_point = lambda: None

    def alias(self, name):
        return self.aliases.get(name)

    def champion(self):
        return self.alias("champion")

    def changing(self):
        return nullcontext(self.check)

    def require(self, version):
        if version not in "1234":
            raise ModelError(f"{self.name} has no version {version}")

    def point(self, alias, version, reason):
        self.before_point()
        self.require(version)
        self.aliases[alias] = version
        self.pointed += 1
        self.after_point()


@pytest.fixture
def registry():
    return Register()


@pytest.fixture
def history(tmp_path):
    return AliasHistory(tmp_path, "demo")


def told(history):
    return [
        (one.move.action, one.move.before, one.move.after, one.state) for one in history.moves()
    ]


def test_every_way_to_move_is_in_one_history(registry, history):
    trained = Mandate(action="train", reason="newly trained", by="liqwarn train", now=NOW)
    assert appoint(registry, history, "1", trained)
    assert not appoint(registry, history, "2", trained)
    assert promote(registry, history, "2", BY_HAND).moved
    done = rollback(registry, history, BY_HAND)

    assert (done.champion, done.before, registry.champion()) == ("1", "2", "1")
    assert told(history) == [
        ("first", None, "1", "done"),
        ("train", None, "2", "done"),
        ("promote", "1", "2", "done"),
        ("rollback", "2", "1", "done"),
    ]
    assert history.moves()[0].move.reason == "newly trained: no champion before"
    assert verify(history.log, history.head).lines == 8


def test_what_is_champion_already_is_not_moved(registry, history):
    promote(registry, history, "1", BY_HAND)

    again = promote(registry, history, "1", BY_HAND)

    assert (again.moved, again.champion, registry.pointed) == (False, "1", 1)
    assert "nothing was moved" in again.to_text()
    assert len(told(history)) == 1


def test_a_version_that_is_not_there_leaves_no_line(registry, history):
    with pytest.raises(ModelError, match="has no version 99"):
        promote(registry, history, "99", BY_HAND)

    assert told(history) == []


def test_a_challenger_judged_against_another_champion_is_refused(registry, history):
    promote(registry, history, "2", BY_HAND)

    with pytest.raises(ModelError, match=r"champion is version 2, but 3 was judged against 1"):
        promote(registry, history, "3", BY_HAND, instead_of="1")

    assert registry.champion() == "2"
    assert promote(registry, history, "3", BY_HAND, instead_of="2").moved


def test_without_an_earlier_champion_there_is_no_rollback(registry, history):
    with pytest.raises(ModelError, match="has no champion: `liqwarn train` makes the first"):
        rollback(registry, history, BY_HAND)
    promote(registry, history, "1", BY_HAND)
    with pytest.raises(ModelError, match=r"champion is version 1, .* knows none before it"):
        rollback(registry, history, BY_HAND)


def test_a_registry_that_refuses_is_on_the_record_and_the_next_move_works(registry, history):
    def refuse():
        raise ModelError("the store is locked")

    registry.before_point = refuse
    with pytest.raises(ModelError, match="locked"):
        promote(registry, history, "1", BY_HAND)
    registry.before_point = lambda: None

    assert told(history) == [("promote", None, "1", "failed")]
    assert promote(registry, history, "2", BY_HAND).moved


def test_a_lock_that_was_lost_meanwhile_moves_nothing(registry, history):
    def lost():
        raise ModelError("the lock was lost")

    registry.check = lost
    with pytest.raises(ModelError, match="lock was lost"):
        promote(registry, history, "1", BY_HAND)

    assert (registry.pointed, told(history)) == (0, [("promote", None, "1", "failed")])


KILLS = ("before the intent", "after the intent", "after the alias moved", "before the end is told")


def kill_at(point, registry, history, monkeypatch):
    def die(*args, **kwargs):
        raise KilledError(point)

    if point == "before the intent":
        monkeypatch.setattr(history, "intend", die)
    elif point == "after the intent":
        registry.before_point = die
    elif point == "after the alias moved":
        registry.after_point = die
    else:
        monkeypatch.setattr(history, "end", die)


@pytest.mark.parametrize("ending", ["promote", "rollback", "finish"])
@pytest.mark.parametrize("point", KILLS)
def test_killed_anywhere_a_move_is_ended_exactly_once(
    point, ending, registry, history, monkeypatch
):
    promote(registry, history, "1", BY_HAND)
    promote(registry, history, "2", BY_HAND)
    with monkeypatch.context() as patch:
        kill_at(point, registry, history, patch)
        with pytest.raises(KilledError):
            promote(registry, history, "3", BY_HAND)
    registry.before_point = registry.after_point = lambda: None
    third = [] if point == "before the intent" else [("promote", "2", "3", "done")]
    begun = bool(third)

    if ending == "promote":
        assert promote(registry, history, "3", BY_HAND).moved is not begun
        assert told(history)[2:] == [("promote", "2", "3", "done")]
        assert registry.pointed == 3
    elif ending == "rollback":
        assert rollback(registry, history, BY_HAND).champion == ("2" if begun else "1")
        assert told(history)[2:-1] == third
    else:
        left = finish_open_move(registry, history, NOW)
        assert (left is not None) is begun
        assert registry.champion() == ("3" if begun else "2")
        assert told(history)[2:] == third
        assert finish_open_move(registry, history, NOW) is None
    assert all(one.state == "done" for one in history.moves())
    verify(history.log, history.head)


def test_a_move_made_past_us_while_one_was_open_stands(registry, history, monkeypatch):
    promote(registry, history, "1", BY_HAND)
    with monkeypatch.context() as patch:
        kill_at("after the intent", registry, history, patch)
        with pytest.raises(KilledError):
            promote(registry, history, "2", BY_HAND)
    registry.before_point = lambda: None
    registry.aliases["champion"] = "4"

    finish_open_move(registry, history, NOW)

    assert registry.champion() == "4"
    assert told(history)[-1] == ("promote", "1", "2", "superseded")


def test_a_lock_that_is_held_is_named(registry, history, monkeypatch):
    monkeypatch.setattr(alias_moves, "LOCK_S", 0.05)
    with FileLock(history.lock), pytest.raises(ConfigError, match=r"holds the lock .*demo\.lock"):
        promote(registry, history, "1", BY_HAND)
