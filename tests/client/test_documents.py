from datetime import timedelta

import orjson
import pytest

from liqwarn.board.clocks import epoch_ns
from liqwarn.client.documents import Arrival, read_documents
from liqwarn.client.seen import Seen
from liqwarn.decisions import flag_to_dict
from liqwarn.errors import PolicyError
from liqwarn.signing import generate_key, sign_document

KEY = generate_key()


@pytest.fixture
def arrival(make_flag):
    return Arrival(wall_ns=epoch_ns(make_flag().issued_at) + 10**9, boot_ns=10**9)


def test_each_flag_is_found(document, arrival, make_flag):
    found = read_documents(document(make_flag("A"), make_flag("B")), arrival, {})
    assert [type(found[name]) for name in ("A", "B")] == [Seen, Seen]


def spoil(name, value):
    def change(row):
        if row["symbol"] == "A":
            row[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (spoil("schema", "liqwarn.flag/2"), "unknown version"),
        (spoil("valid_until", "soon"), "inconsistent"),
        (spoil("sequence", -1), "inconsistent"),
        (spoil("sides", {}), "inconsistent"),
        (spoil("quality", "fine"), "inconsistent"),
        (lambda row: row["sides"]["long"]["limits"].update(net_increase=False), "inconsistent"),
        (lambda row: row["sides"]["long"]["limits"].update(add_frac=1.5), "inconsistent"),
        (lambda row: row["sides"]["long"]["limits"].pop("collar_frac"), "inconsistent"),
    ],
)
def test_a_bad_row_denies_its_symbol_alone(document, arrival, make_flag, change, kind):
    def only_a(row):
        if row["symbol"] == "A":
            change(row)

    found = read_documents(document(make_flag("A"), make_flag("B"), change=only_a), arrival, {})
    assert found["A"].kind == kind
    assert isinstance(found["B"], Seen)


def test_a_flag_from_the_far_future_is_refused(document, arrival, make_flag):
    found = read_documents(document(make_flag(later=86_500)), arrival, {})
    assert "more than a day ahead" in found["BTCUSDT"].detail


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"\xff\xfe",
        b'{"schema": "liqwarn.flags/2"}',
        b'{"schema": "liqwarn.flags/1"}',
        b'{"schema": "liqwarn.flags/1", "flags": {}}',
        b'{"schema": "liqwarn.flags/1", "flags": []}',
        b'{"schema": "liqwarn.flags/1", "flags": [], "generated_at": "2024-01-01"}',
        b'{"schema": "liqwarn.flags/1", "flags": [1], "generated_at": "2024-01-01T00:00:00Z"}',
    ],
)
def test_what_is_no_set_of_flags_is_refused_whole(arrival, content):
    with pytest.raises(PolicyError, match=r"expected|torn"):
        read_documents(content, arrival, {})


def test_a_symbol_twice_is_refused_whole(document, arrival, make_flag):
    with pytest.raises(PolicyError, match="expected each symbol once"):
        read_documents(document(make_flag(), make_flag()), arrival, {})


def test_a_torn_document_is_refused_wherever_it_is_cut(document, arrival, make_flag):
    content = document(make_flag())
    for size in range(0, len(content), 17):
        with pytest.raises(PolicyError, match="torn"):
            read_documents(content[:size], arrival, {})


class TestSignatures:
    def test_a_signed_flag_is_taken(self, document, arrival, make_flag):
        content = document(make_flag(), key=KEY)
        assert isinstance(read_documents(content, arrival, {}, [KEY.public])["BTCUSDT"], Seen)
        assert isinstance(read_documents(content, arrival, {})["BTCUSDT"], Seen)

    def test_unsigned_changed_and_strangers_are_refused(self, document, arrival, make_flag):
        def kind(content):
            return read_documents(content, arrival, {}, [KEY.public])["BTCUSDT"].kind

        assert kind(document(make_flag())) == "unsigned"
        assert kind(document(make_flag(), key=generate_key())) == "bad signature"

        def tamper(row):
            row["sides"]["short"]["limits"]["add_frac"] = 0.5

        assert kind(document(make_flag(), key=KEY, change=tamper)) == "bad signature"

    def test_a_signature_of_another_flag_does_not_fit(self, document, arrival, make_flag):
        other = sign_document(flag_to_dict(make_flag(later=-300)), KEY)["signature"]
        content = document(make_flag(), key=KEY, change=lambda row: row.update(signature=other))
        assert read_documents(content, arrival, {}, [KEY.public])["BTCUSDT"].kind == "bad signature"


def test_the_documents_own_times_bound_the_life_of_its_flags(document, make_flag):
    """A reader whose clock is two hours behind does not give a flag two hours more."""
    flag = make_flag()
    content = document(flag, generated_at=flag.issued_at + timedelta(minutes=60))
    behind = Arrival(wall_ns=epoch_ns(flag.issued_at) - 7200 * 10**9, boot_ns=0)
    found = read_documents(content, behind, {})["BTCUSDT"]
    assert found.deadline_ns == (70 * 60 - 1 - 3600) * 10**9
    at, end = epoch_ns(flag.issued_at), epoch_ns(flag.valid_until)
    written = Arrival(wall_ns=at, boot_ns=0, written_ns=end - 5)
    assert read_documents(document(flag), written, {})["BTCUSDT"].deadline_ns == 5


def test_a_set_may_say_more_than_we_read(document, arrival, make_flag):
    raw = orjson.loads(document(make_flag()))
    raw["page"] = 1
    assert "BTCUSDT" in read_documents(orjson.dumps(raw), arrival, {})
