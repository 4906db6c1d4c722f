import orjson
import pytest

from liqwarn.serving.push_event import Publication, dropped, gap, heartbeat, snapshot

BODIES = {"B": b'{"symbol":"B"}', "A": b'{"symbol":"A"}'}


def symbols_of(message):
    return [flag["symbol"] for flag in orjson.loads(message.data)["flags"]]


def test_a_publication_goes_to_whom_it_concerns(flag_set, make_flag):
    publication = Publication(3, "run-3", flag_set(make_flag()), BODIES)
    assert symbols_of(publication.message(None)) == ["B", "A"]
    assert symbols_of(publication.message({"A", "X"})) == ["A"]
    assert publication.message({"X"}) is None
    assert publication.size == sum(map(len, BODIES.values()))


def test_a_snapshot_is_a_document_of_flags_in_the_order_of_symbols(flag_set, make_flag):
    message = snapshot("run-3", flag_set(make_flag()), BODIES, None)
    assert symbols_of(message) == ["A", "B"]
    assert orjson.loads(message.data)["schema"] == "liqwarn.flags/1"
    assert symbols_of(snapshot("run-3", None, {}, None)) == []


def test_a_server_sent_event_is_three_lines_and_a_blank(noon):
    text = heartbeat("run-3", noon).as_sse()
    assert text == (b'id: run-3\nevent: heartbeat\ndata: {"at":"2024-08-05T12:00:00.000Z"}\n\n')


def test_a_socket_gets_the_same_as_one_object(noon):
    assert orjson.loads(heartbeat("run-3", noon).as_text()) == {
        "event": "heartbeat",
        "id": "run-3",
        "data": {"at": "2024-08-05T12:00:00.000Z"},
    }


@pytest.mark.parametrize("text", ["run-1\nevent: flags\ndata: x", '"\\'])
def test_what_a_client_says_cannot_become_an_event(text):
    message = gap(text, "run-2")
    assert message.as_sse().count(b"\n") == 4
    assert orjson.loads(message.data)["after"] == text
    assert message.mark == ""


def test_the_last_word_gives_the_reason():
    assert orjson.loads(dropped("run-3", "too slow").data) == {"detail": "too slow"}
