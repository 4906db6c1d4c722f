"""A champion that a retraining made is released once; one that a person put there is not."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from liqwarn.models.alias_history import AliasHistory, AliasMove
from liqwarn.pipelines.retrain_journal import Notes, journal_of
from liqwarn.pipelines.retrain_release import release_owed
from liqwarn.pipelines.retrain_result import ReleaseTo

NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def history(tmp_path):
    return AliasHistory(tmp_path / "aliases", "demo")


@pytest.fixture
def moved(history):
    """Move the champion, on the record."""

    def move(after, action="retrain", alias="champion"):
        what = AliasMove(
            alias=alias, before=None, after=after, action=action, reason="r", by="b", at="t"
        )
        history.end(history.intend(what), "done", now=NOW)

    return move


@pytest.fixture
def release(tmp_path, history):
    """Release what is owed; gives what was released so far."""
    journal, made = journal_of("demo", tmp_path), []
    journal.open()
    notes = Notes(journal=journal, run="aa", now=NOW, elapsed=lambda: 0.0)

    def released(version):
        made.append(version)
        return f"release of {version}"

    def once(champion, place="/r"):
        registry = SimpleNamespace(champion=lambda: champion)
        to = None if place is None else ReleaseTo(place=place, release=released)
        return release_owed(registry, history, notes, to), list(made)

    return once


def test_a_champion_is_released_once_to_a_place(release, moved):
    moved("2")
    moved("3", alias="challenger")

    assert release("2", place=None) == ("", [])
    assert release("2") == ("release of 2", ["2"])
    assert release("2") == ("", ["2"])
    assert release("2", place="/other") == ("release of 2", ["2", "2"])

    moved("3")
    assert release("3")[0] == "release of 3"


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_what_a_person_did_is_left_alone(release, moved, action):
    moved("2")
    moved("1", action=action)

    assert release("1") == ("", [])


def test_a_champion_that_the_record_does_not_know_is_left_alone(release, moved):
    assert release(None) == ("", [])
    assert release("7") == ("", [])
    moved("2")
    assert release("7") == ("", [])
