"""The file of keys: whole, private, and never less safe because it is damaged."""

import os
import stat
import threading
from datetime import timedelta

import orjson
import pytest

from liqwarn.errors import ConfigError
from liqwarn.serving.key_file import KeyRing, change_keys, read_keys
from liqwarn.serving.keys import KeySet, Refusal, new_key, rotated


def add(path, now, name="desk", scopes=("read",), **more):
    def change(keys):
        key, token = new_key(name, scopes, now=now, **more)
        return KeySet([*keys.keys.values(), key]), token

    return change_keys(path, change)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "keys.json"


def test_what_is_written_is_read_back_equal(path, noon):
    end = noon + timedelta(days=1)
    token = add(path, noon, scopes=("score", "read"), expires_at=end)

    def turn(keys):
        (key,) = keys.keys.values()
        after, _ = rotated(key, now=noon, until=end)
        return KeySet([after]), after

    after = change_keys(path, turn)

    assert read_keys(path).keys == {after.id: after}
    assert read_keys(path).check(token, noon) == after


def test_the_file_is_private_and_holds_no_secret(path, noon):
    token = add(path, noon)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token.split("_", 2)[2] not in path.read_text()


def test_the_ring_sees_a_change_at_once(path, noon):
    first = add(path, noon)
    ring = KeyRing(path)
    assert ring.current().check(first, noon).name == "desk"

    second = add(path, noon, name="risk")

    assert ring.current().check(second, noon).name == "risk"
    assert ring.current() is ring.current()


def test_a_torn_file_at_any_byte_keeps_the_last_good_keys(path, noon):
    token = add(path, noon)
    ring = KeyRing(path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        os.utime(path, ns=(length, length))

        assert ring.current().check(token, noon).name == "desk"
        assert "not a whole file of keys" in ring.fault

    path.write_bytes(whole)
    assert ring.current().check(token, noon).name == "desk"
    assert ring.fault is None


def test_a_file_that_vanishes_keeps_the_last_good_keys_and_says_so(path, noon):
    token = add(path, noon)
    ring = KeyRing(path)
    ring.current()
    path.rename(path.with_suffix(".away"))

    assert ring.current().check(token, noon).name == "desk"
    assert "No such file" in ring.fault

    path.with_suffix(".away").rename(path)
    ring.current()
    assert ring.fault is None


def test_a_file_others_may_read_is_not_taken(path, noon):
    token = add(path, noon)
    ring = KeyRing(path)
    path.chmod(0o644)

    assert ring.current().check(token, noon).name == "desk"
    assert "expected 0600" in ring.fault

    path.chmod(0o600)
    ring.current()
    assert ring.fault is None


def test_a_disabled_key_is_out_with_the_next_request(path, noon):
    token = add(path, noon)
    ring = KeyRing(path)
    ring.current()
    raw = orjson.loads(path.read_bytes())
    raw["keys"][0]["disabled_at"] = "2024-08-05T12:00:00Z"
    path.write_bytes(orjson.dumps(raw))

    assert ring.current().check(token, noon) is Refusal.DISABLED


def broken(**changes):
    def change(raw):
        raw["keys"][0].update(changes)

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda raw: raw.update(schema="liqwarn.keys/2"), "expected 'liqwarn.keys/1'"),
        (lambda raw: raw.pop("keys"), "KeyError"),
        (lambda raw: raw["keys"].append(raw["keys"][0]), "expected one each"),
        (broken(scopes=["read", "root"]), "scopes.*root"),
        (broken(expires_at="tomorrow"), "expires_at"),
        (broken(expires_at="2024-08-05T12:00:00"), "without a timezone"),
        (broken(secrets=[{"salt": "zz"}]), "ValueError"),
        (broken(id=None), "not text"),
    ],
)
def test_a_file_that_is_wrong_is_refused_at_the_start(path, noon, change, why):
    add(path, noon)
    raw = orjson.loads(path.read_bytes())
    change(raw)
    path.write_bytes(orjson.dumps(raw))

    with pytest.raises(ConfigError, match=why):
        KeyRing(path)


def test_a_missing_file_says_how_to_make_it(path):
    with pytest.raises(ConfigError, match="liqwarn keys add makes it"):
        KeyRing(path)


def test_changes_at_once_lose_no_key(path, noon):
    add(path, noon)
    threads = [threading.Thread(target=add, args=(path, noon, f"k{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {key.name for key in read_keys(path).keys.values()} == {"desk"} | {
        f"k{n}" for n in range(8)
    }
