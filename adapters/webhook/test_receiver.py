"""What the receiver takes and what it refuses, over real HTTP on loopback."""

import http.client
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from receiver import LARGEST, Inbox, Refused, make_server

from liqwarn.decisions import (
    FLAGS_SCHEMA,
    Flag,
    Limits,
    ModelStamp,
    PolicyStamp,
    Restriction,
    Tier,
    TradingState,
    flag_to_dict,
)
from liqwarn.errors import PolicyError
from liqwarn.signing import generate_key, sign_document

KEY, OTHER, NEXT = generate_key(), generate_key(), generate_key()
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
SIDE = Restriction(
    tier=Tier.T1, state=TradingState.ACTIVE, limits=Limits(), probability={}, reasons=("Calm.",)
)


def make_flag(symbol="BTCUSDT", *, hours=0, **changes):
    as_of = NOON + timedelta(hours=hours)
    flag = Flag(
        symbol=symbol,
        as_of=as_of,
        issued_at=as_of,
        valid_until=as_of + timedelta(minutes=70),
        sequence=int(as_of.timestamp()),
        quality="ok",
        sides={"long": SIDE, "short": SIDE},
        model=ModelStamp(version="1", sha256="m"),
        policy=PolicyStamp(version="1", sha256="p"),
        data_sha256="d",
        completeness=1.0,
    )
    return replace(flag, **changes)


def signed(flag, key=KEY):
    return sign_document(flag_to_dict(flag), key)


def posted(*documents):
    return {"schema": FLAGS_SCHEMA, "generated_at": "…", "market": "real", "flags": documents}


@dataclass
class Clock:
    now: datetime = NOON + timedelta(minutes=1)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(clock, tmp_path):
    return Inbox([KEY.public, NEXT.public], state=tmp_path / "seen.json", now=clock)


@pytest.fixture
def post(inbox):
    with make_server(inbox) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()

        def send(*documents, body=None, path="/flags", method="POST", headers=None):
            body = orjson.dumps(posted(*documents)) if body is None else body
            connection = http.client.HTTPConnection(*server.server_address, timeout=5)
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer.status

        yield send
        server.shutdown()
        thread.join(5)


def test_a_signed_flag_is_taken_once_and_may_be_sent_again(post, inbox):
    assert post(signed(make_flag())) == 204
    assert post(signed(make_flag())) == 200
    assert inbox.flag("BTCUSDT") == make_flag()
    assert inbox.flag("ETHUSDT") is None


def test_what_is_good_in_a_set_is_taken_whatever_the_rest_is(post, inbox):
    good, edited = make_flag(), signed(make_flag("ETHUSDT")) | {"sequence": 1}
    assert post(edited, signed(good), signed(make_flag("SOLUSDT", hours=-2))) == 401
    assert inbox.flag("BTCUSDT") == good
    assert (inbox.flag("ETHUSDT"), inbox.flag("SOLUSDT")) == (None, None)
    assert post(signed(good), signed(make_flag("ETHUSDT"))) == 204
    assert post() == 200


def test_sequences_only_rise(post, inbox, clock):
    clock.now += timedelta(hours=1)
    assert post(signed(make_flag(hours=1))) == 204
    assert post(signed(make_flag())) == 409
    assert post(signed(make_flag(hours=1, completeness=0.5))) == 409
    assert post(signed(make_flag("ETHUSDT"))) == 204
    assert inbox.flag("BTCUSDT") == make_flag(hours=1)
    anew = make_flag(hours=1, issued_at=NOON + timedelta(hours=1, minutes=1))
    assert post(signed(anew)) == 204  # the same bar's flag, issued again after a human's change


def test_sequences_are_kept_over_a_restart(post, inbox, clock, tmp_path):
    clock.now += timedelta(hours=1)
    assert post(signed(make_flag(hours=1))) == 204
    again = Inbox([KEY.public], state=tmp_path / "seen.json", now=clock)
    with pytest.raises(Exception, match="expected at least"):
        again.take(orjson.dumps(posted(signed(make_flag()))))
    assert again.flag("BTCUSDT") is None
    assert again.take(orjson.dumps(posted(signed(make_flag(hours=1))))) == 204


def test_keys_may_rotate(post, clock):
    assert post(signed(make_flag())) == 204
    clock.now += timedelta(hours=1)
    assert post(signed(make_flag(hours=1), NEXT)) == 204


@pytest.mark.parametrize(
    "document",
    [
        flag_to_dict(make_flag()),
        signed(make_flag(), OTHER),
        signed(make_flag()) | {"sequence": 1},
        signed(make_flag()) | {"signature": {"key": KEY.key_id, "ed25519": "AAAA"}},
        signed(make_flag()) | {"signature": None},
        {},
    ],
    ids=["unsigned", "unknown key", "edited", "a short signature", "no signature", "nothing"],
)
def test_what_is_not_ours_is_refused(post, inbox, document):
    assert post(document) == 401
    assert inbox.flag("BTCUSDT") is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"flag"',
        orjson.dumps(signed(make_flag())),
        orjson.dumps(posted() | {"schema": "liqwarn.flags/9"}),
        orjson.dumps(posted() | {"flags": {}}),
        orjson.dumps(posted("flag")),
        orjson.dumps(posted(sign_document({"schema": "x"}, KEY))),
    ],
)
def test_what_is_no_set_of_flags_is_refused(post, body):
    assert post(body=body) == 400


def test_what_is_too_old_or_too_young_is_refused(post, inbox, clock):
    assert post(signed(make_flag(hours=30))) == 422
    assert post(signed(make_flag())) == 204
    clock.now = NOON + timedelta(minutes=70)
    assert inbox.flag("BTCUSDT") is None
    assert post(signed(make_flag("ETHUSDT"))) == 422


def test_what_is_no_such_request_is_refused(post):
    assert post(signed(make_flag()), path="/") == 404
    assert post(headers={"Content-Length": str(LARGEST + 1)}) == 413
    assert post(headers={"Content-Length": "many"}) == 411
    assert post(method="GET") == 501


def test_every_edit_of_a_signed_flag_is_noticed(post, inbox):
    """Each byte of a document changed in turn: none of them is taken for ours."""
    document = orjson.dumps(signed(make_flag()))
    before, after = orjson.dumps(posted(0)).split(b"[0]")
    statuses = set()
    for place in range(0, len(document), 7):
        edited = bytearray(document)
        edited[place] ^= 1
        statuses.add(post(body=before + b"[" + edited + b"]" + after))
    assert statuses <= {400, 401}
    assert inbox.flag("BTCUSDT") is None


def test_an_inbox_without_keys_is_refused():
    with pytest.raises(PolicyError, match="no keys, expected at least one"):
        Inbox([])


def test_a_flag_ends_by_a_clock_that_cannot_be_set_back(clock):
    running = [0.0]
    inbox = Inbox([KEY.public], now=clock, monotonic=lambda: running[0])
    flag = make_flag()
    body = orjson.dumps(posted(signed(flag)))
    assert inbox.take(body) == 204

    clock.now -= timedelta(hours=1)
    running[0] = 69 * 60 - 1
    assert inbox.take(body) == 200  # said again, and not prolonged by it
    assert inbox.flag("BTCUSDT") == flag
    running[0] = 69 * 60
    assert inbox.flag("BTCUSDT") is None


def test_a_flag_that_cannot_be_kept_withdraws_the_one_before(clock, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    inbox = Inbox([KEY.public], state=folder / "seen.json", now=clock)
    body = orjson.dumps(posted(signed(make_flag()), signed(make_flag("ETHUSDT"))))
    assert inbox.take(body) == 204
    stricter = make_flag(
        sequence=make_flag().sequence + 1,
        sides={"long": replace(SIDE, tier=Tier.T4), "short": SIDE},
    )
    body = orjson.dumps(posted(signed(stricter)))

    folder.rename(tmp_path / "gone")
    with pytest.raises(Refused, match="cannot be kept") as refused:
        inbox.take(body)
    assert refused.value.status == 503
    assert inbox.flag("BTCUSDT") is None
    assert inbox.flag("ETHUSDT") is not None

    folder.mkdir()
    assert inbox.take(body) == 204
    assert inbox.flag("BTCUSDT") == stricter


def test_a_length_of_many_digits_is_too_long(post):
    assert post(body=b"", headers={"Content-Length": "9" * 5_000}) == 413
