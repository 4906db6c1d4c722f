"""Keys: a token opens its own key, for as long as it should, and nothing else does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import ConfigError
from liqwarn.serving.keys import SCOPE_NAMES, KeySet, Refusal, new_key, rotated


@pytest.fixture
def pair(noon):
    return new_key("desk", ("read",), now=noon)


def test_a_token_opens_its_key_and_no_other(noon, pair):
    key, token = pair
    other, token_of_other = new_key("risk", ("read", "score"), now=noon)
    keys = KeySet([key, other])

    assert keys.check(token, noon) is key
    assert keys.check(token_of_other, noon) is other


def test_the_secret_is_nowhere_in_the_key(pair):
    key, token = pair
    secret = token.split("_", 2)[2]

    assert len(token) == 4 + 12 + 1 + 43
    assert secret not in repr(key)
    assert token.startswith(f"lqw_{key.id}_")


def test_another_secret_or_id_is_unknown(noon, pair):
    key, token = pair
    _, other = new_key("risk", ("read",), now=noon)
    mixed = token[:17] + other[17:]

    assert KeySet([key]).check(mixed, noon) is Refusal.UNKNOWN
    assert KeySet([key]).check(other, noon) is Refusal.UNKNOWN
    assert KeySet().check(token, noon) is Refusal.UNKNOWN


def test_every_character_of_a_token_counts(noon, pair):
    key, token = pair
    keys = KeySet([key])
    for place, letter in enumerate(token[:-1]):
        wrong = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert isinstance(keys.check(wrong, noon), Refusal), place


@given(st.text(max_size=80))
def test_no_text_is_a_token_by_chance(text):
    assert KeySet().check(text, now=None) in (Refusal.MALFORMED, Refusal.UNKNOWN)


def test_a_disabled_key_is_refused_whatever_its_token(noon, pair):
    key, token = pair

    assert KeySet([replace(key, disabled_at=noon)]).check(token, noon) is Refusal.DISABLED


def test_a_key_ends_with_its_time(noon):
    end = noon + timedelta(hours=1)
    key, token = new_key("desk", ("read",), now=noon, expires_at=end)

    assert KeySet([key]).check(token, end - timedelta(seconds=1)) is key
    assert KeySet([key]).check(token, end) is Refusal.EXPIRED


def test_after_a_rotation_both_tokens_are_good_until_the_grace_ends(noon, pair):
    key, old = pair
    grace = noon + timedelta(hours=1)
    turned, new = rotated(key, now=noon, until=grace)
    keys = KeySet([turned])

    assert keys.check(old, noon) is keys.check(new, noon) is turned
    assert keys.check(old, grace) is Refusal.EXPIRED
    assert keys.check(new, grace) is turned


def test_a_second_rotation_prolongs_nothing_and_forgets_what_has_ended(noon, pair):
    key, old = pair
    first = noon + timedelta(minutes=10)
    once, middle = rotated(key, now=noon, until=first)
    twice, _ = rotated(once, now=noon, until=noon + timedelta(days=1))
    thrice, _ = rotated(twice, now=first, until=noon + timedelta(days=1))

    assert KeySet([twice]).check(old, first) is Refusal.EXPIRED
    assert KeySet([twice]).check(middle, first) is twice
    assert KeySet([thrice]).check(old, noon) is Refusal.UNKNOWN
    assert len(thrice.secrets) == 3


def test_admin_opens_everything_and_the_others_only_theirs(noon):
    for held in SCOPE_NAMES:
        key, _ = new_key("k", (held,), now=noon)
        allowed = {scope for scope in SCOPE_NAMES if key.allows(scope)}
        assert allowed == (set(SCOPE_NAMES) if held == "admin" else {held})


@pytest.mark.parametrize(
    ("name", "scopes", "after", "why"),
    [
        ("", ("read",), None, "name of a key is ''"),
        ("a\nb", ("read",), None, "name of a key"),
        ("desk", (), None, r"scopes are \[\]"),
        ("desk", ("read", "write"), None, "expected some of read, score, admin"),
        ("desk", ("read",), timedelta(0), "expected a later time than now"),
    ],
)
def test_an_impossible_key_is_refused(noon, name, scopes, after, why):
    end = None if after is None else noon + after
    with pytest.raises(ConfigError, match=why):
        new_key(name, scopes, now=noon, expires_at=end)


def test_a_dead_key_is_not_rotated(noon, pair):
    key, _ = pair
    with pytest.raises(ConfigError, match="is disabled, expected one in use"):
        rotated(replace(key, disabled_at=noon), now=noon, until=noon)


def test_two_keys_of_one_id_are_refused(pair):
    with pytest.raises(ConfigError, match="2 keys have 1 ids"):
        KeySet([pair[0], pair[0]])
