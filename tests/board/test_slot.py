import time

from liqwarn.board import Refusal
from liqwarn.board.codec import Place, decode
from liqwarn.board.layout import slot_at
from liqwarn.board.mapping import open_map
from liqwarn.board.slot import copy_slot, judge, too_far
from liqwarn.signing import generate_key

DAY = 86_400 * 10**9


def place_of(board, counter, index=0):
    header = board.header
    return Place(counter=counter, generation=header.generation, index=index, boot=header.boot)


def test_an_empty_slot_has_no_flag_yet(board, path):
    assert copy_slot(open_map(path), 0, 0.001).kind == "no flag yet"


def test_a_write_that_does_not_end_is_torn_after_the_wait(board, path, make_flag, deadline):
    board.write(make_flag(), deadline_ns=deadline)
    found = open_map(path, writable=True)
    found.words[slot_at(0) // 8] += 1
    start = time.monotonic()
    refused = copy_slot(found, 0, 0.02)
    assert (refused.kind, refused.detail) == ("torn", "a write has not ended, counter 3")
    assert 0.02 <= time.monotonic() - start < 2


def test_a_slot_is_judged_by_its_symbol_and_signature(board, path, make_flag, deadline):
    board.write(make_flag(), deadline_ns=deadline)
    found = open_map(path)
    counter, content = copy_slot(found, 0, 0.001)
    place = place_of(found, counter)

    assert judge(content, place, "BTCUSDT", ()) == decode(content, place)
    assert "expected 'ETHUSDT'" in judge(content, place, "ETHUSDT", ()).detail
    assert judge(content, place, "BTCUSDT", [generate_key().public]).kind == "unsigned"


def test_a_flag_from_the_far_future_is_refused(board, path, make_flag, deadline):
    board.write(make_flag(), deadline_ns=deadline)
    found = open_map(path)
    counter, content = copy_slot(found, 0, 0.001)
    flag = decode(content, place_of(found, counter))

    assert too_far(flag, flag.issued_at_ns - DAY, deadline) is None
    assert isinstance(too_far(flag, flag.issued_at_ns - DAY - 1, deadline), Refusal)
    assert "deadline" in too_far(flag, flag.issued_at_ns, deadline - DAY - 1).detail
