"""keys: a token is shown once, and what the commands do is what the server obeys."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from liqwarn.serving.key_file import read_keys
from liqwarn.serving.keys import Refusal

NOW = datetime.now(UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "k.json"


@pytest.fixture
def key(run, path):
    return run("keys", "add", "--name", "desk", "--scope", "read", "--file", path, "--json").json


def test_a_key_is_made_in_the_home_and_its_token_is_good(run, tmp_path):
    made = run("keys", "add", "--name", "desk", "--scope", "read", "--scope", "score", "--json")
    file = tmp_path / "home" / "keys" / "keys.json"

    assert made.json["scopes"] == ["read", "score"]
    assert read_keys(file).check(made.json["token"], datetime.now(UTC)).name == "desk"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_text_shows_the_token_alone_on_its_first_line(run, path):
    out = run("keys", "add", "--name", "d", "--scope", "read", "--file", path).out

    assert read_keys(path).check(out.splitlines()[0], datetime.now(UTC)).name == "d"
    assert "not shown again" in out


def test_the_list_shows_no_token(run, path, key):
    told = run("keys", "list", "--file", path)
    (row,) = run("keys", "list", "--file", path, "--json").json["keys"]

    assert key["token"].split("_", 2)[2] not in told.out
    assert key["id"] in told.out
    assert row == {name: value for name, value in key.items() if name != "token"}


def test_a_disabled_key_is_shut_out(run, path, key):
    assert run("keys", "disable", key["id"], "--file", path, "--json").json["state"] == "disabled"
    assert run("keys", "disable", key["id"], "--file", path).code == 0
    assert read_keys(path).check(key["token"], datetime.now(UTC)) is Refusal.DISABLED
    assert (
        "disabled, expected one in use" in run("keys", "rotate", key["id"], "--file", path).refusal
    )


def test_a_rotation_keeps_the_old_token_for_its_grace(run, path, key):
    new = run("keys", "rotate", key["id"], "--grace", "30m", "--file", path, "--json").json
    keys = read_keys(path)
    later = datetime.now(UTC) + timedelta(minutes=31)

    assert new["tokens"] == 2
    assert keys.check(key["token"], datetime.now(UTC)).id == key["id"]
    assert keys.check(key["token"], later) is Refusal.EXPIRED
    assert keys.check(new["token"], later).id == key["id"]
    assert "good until" in run("keys", "rotate", key["id"], "--file", path).out


def test_a_key_may_end_by_itself(run, path):
    made = run(
        "keys", "add", "--name", "d", "--scope", "read", "--expires", "2h", "--file", path, "--json"
    ).json
    keys = read_keys(path)

    assert keys.check(made["token"], NOW + timedelta(hours=1)).name == "d"
    assert keys.check(made["token"], NOW + timedelta(hours=3)) is Refusal.EXPIRED


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "--name", "d", "--scope", "write"), "expected some of read, score, admin"),
        (
            ("add", "--name", "d", "--scope", "read", "--expires", "soon"),
            "expected a duration such as",
        ),
        (
            ("add", "--name", "d", "--scope", "read", "--expires", "99999d"),
            "expected at most 3650d",
        ),
        (("add", "--name", "d", "--scope", "read", "--expires", "0d"), "a later time than now"),
        (("list",), "liqwarn keys add makes it"),
        (("disable", "0123456789ab"), "liqwarn keys add makes it"),
    ],
)
def test_what_cannot_be_is_refused_and_makes_no_file(run, path, words, why):
    assert why in run("keys", *words, "--file", path).refusal
    assert not path.exists()


def test_an_unknown_id_is_refused(run, path, key):
    assert "no key 'x'" in run("keys", "disable", "x", "--file", path).refusal
