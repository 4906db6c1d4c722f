from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.decisions import flag_from_dict
from liqwarn.serving import documents as subject
from liqwarn.serving.documents import MAX_CACHE_S, FlagDocuments, etag_of
from liqwarn.serving.keeper import FlagKeeper
from liqwarn.serving.shelf import FlagShelf
from liqwarn.signing import generate_key, verify_document


@pytest.fixture
def shelf():
    return FlagShelf()


@pytest.fixture
def make(policy, clock, shelf):
    def make(key=None):
        keeper = FlagKeeper(shelf, policy=policy, clock=clock)
        return FlagDocuments(keeper, clock=clock, key=key)

    return make


def test_a_document_says_whether_its_bytes_are_made(make, shelf, flag_set, make_flag):
    shelf.publish(flag_set(make_flag()))
    (document,) = make().standing().values()

    assert not document.encoded
    assert document.answer is document.answer
    assert document.encoded


@pytest.fixture
def encoded(monkeypatch):
    """Symbols in the order in which they were encoded."""
    found = []

    def count(flag):
        found.append(flag.symbol)
        return original(flag)

    original = subject.flag_to_dict
    monkeypatch.setattr(subject, "flag_to_dict", count)
    return found


def test_without_flags_there_is_nothing(make):
    assert (make().all(), make().one("A"), dict(make().standing())) == (None, None, {})


def test_a_flag_is_encoded_once_while_nothing_changes(
    make, shelf, flag_set, make_flag, clock, encoded
):
    documents = make()
    shelf.publish(flag_set(make_flag("A"), make_flag("B")))
    for _ in range(50):
        documents.one("A")
        documents.all()
        clock.run(seconds=1)
    assert sorted(encoded) == ["A", "B"]
    shelf.publish(flag_set(make_flag("B", as_of=make_flag().as_of + timedelta(minutes=5))))
    documents.all()
    assert sorted(encoded) == ["A", "B", "B"]


def test_a_flag_that_is_published_again_as_it_was_is_not_encoded_again(
    make, shelf, flag_set, make_flag, encoded
):
    documents = make()
    for _ in range(3):
        shelf.publish(flag_set(make_flag("A")))
        documents.one("A")
    assert encoded == ["A"]


def test_expiry_makes_a_new_document_and_long_after_another(
    make, shelf, flag_set, make_flag, clock, encoded
):
    documents = make()
    shelf.publish(flag_set(make_flag("A")))
    tags = [documents.one("A")[0].etag]
    for minutes in (69, 59, 1, 600):
        clock.run(minutes=minutes)
        tags.append(documents.one("A")[0].etag)
    assert len(set(tags)) == 3
    assert tags[1] == tags[2]
    assert tags[3] == tags[4]
    assert encoded == ["A"] * 3


@pytest.mark.parametrize("minutes", [0, 69, 200])
def test_with_a_key_every_document_is_signed_the_stale_ones_too(
    make, shelf, flag_set, make_flag, clock, minutes
):
    key = generate_key()
    documents = make(key)
    shelf.publish(flag_set(make_flag("A")))
    documents.one("A")
    clock.run(minutes=minutes)
    body = orjson.loads(documents.one("A")[0].body)
    assert verify_document(body, [key.public]) is None
    assert verify_document(body, [generate_key().public]) is not None
    assert flag_from_dict(body).quality == ("stale" if minutes else "ok")
    assert orjson.loads(documents.all()[0].body)["flags"] == [body]


def test_an_entity_tag_is_of_the_bytes(make, shelf, flag_set, make_flag):
    documents = make()
    shelf.publish(flag_set(make_flag("A"), make_flag("B")))
    answers = [documents.one("A")[0], documents.one("B")[0], documents.all()[0]]
    for answer in answers:
        assert answer.etag == etag_of(answer.body)
        assert dict(answer.headers[0])[b"content-length"] == str(len(answer.body)).encode()
    assert len({answer.etag for answer in answers}) == 3


STEPS = st.lists(
    st.tuples(st.sampled_from(["run", "jump", "publish"]), st.integers(-4_000, 4_000)),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_what_is_kept_is_always_what_a_fresh_look_would_give(policy, make_flag, flag_set, steps):
    """Bytes, freshness and cache times never lag behind the keeper, whatever the clocks do."""
    clock, shelf = _Clock(make_flag().issued_at), FlagShelf()
    keeper = FlagKeeper(shelf, policy=policy, clock=clock)
    documents = FlagDocuments(keeper, clock=clock)
    shelf.publish(flag_set(make_flag("A"), make_flag("B", valid_until=make_flag().issued_at)))
    for kind, seconds in steps:
        if kind == "publish":
            as_of = make_flag().as_of + timedelta(seconds=abs(seconds))
            shelf.publish(flag_set(make_flag("A", as_of=as_of)))
        clock.move(kind, seconds)
        standing = documents.standing()
        view = keeper.look()
        assert list(standing) == [served.flag.symbol for served in view.flags]
        for served in view.flags:
            symbol = served.flag.symbol
            answer, left = documents.one(symbol)
            assert flag_from_dict(orjson.loads(answer.body)) == served.flag
            assert standing[symbol].fresh == served.fresh
            assert left == min(int(served.remaining.total_seconds()), MAX_CACHE_S)
        shortest = min(served.remaining.total_seconds() for served in view.flags)
        assert documents.all()[1] == min(int(shortest), MAX_CACHE_S)


class _Clock:
    def __init__(self, now):
        self.now, self.seconds = now, 0.0

    def move(self, kind, seconds):
        if kind == "run":
            self.seconds += abs(seconds)
            self.now += timedelta(seconds=abs(seconds))
        elif kind == "jump":
            self.now += timedelta(seconds=seconds)

    def wall(self):
        return self.now

    def monotonic(self):
        return self.seconds
