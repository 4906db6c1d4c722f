from datetime import timedelta

from liqwarn.board import BoardReader, BoardWriter
from liqwarn.board.clocks import epoch_ns
from liqwarn.client.seen import seen_from_board, seen_from_flag


def test_a_flag_lives_no_longer_than_it_was_meant_to(make_flag):
    flag = make_flag()
    life = flag.valid_until - flag.issued_at
    late = epoch_ns(flag.issued_at) + 60 * 10**9

    assert (
        seen_from_flag(flag, late, 5, None).deadline_ns
        == 5 + life // timedelta(microseconds=1) * 1000 - 60 * 10**9
    )
    early = seen_from_flag(flag, 0, 5, None)  # a wall clock far behind
    assert early.deadline_ns == 5 + life // timedelta(microseconds=1) * 1000
    assert seen_from_flag(flag, epoch_ns(flag.valid_until) + 1, 5, None).deadline_ns == 5


def test_read_again_it_gains_no_time_and_a_new_one_does(make_flag):
    flag = make_flag()
    at = epoch_ns(flag.issued_at)
    first = seen_from_flag(flag, at, 0, None)
    assert seen_from_flag(flag, at, 10**12, first).deadline_ns == first.deadline_ns
    later = seen_from_flag(make_flag(later=300), at + 300 * 10**9, 300 * 10**9, first)
    assert later.deadline_ns == first.deadline_ns + 300 * 10**9
    assert later.order > first.order


def test_both_sides_have_their_own_answer(make_flag):
    flag = make_flag()
    seen = seen_from_flag(flag, epoch_ns(flag.issued_at), 0, None)
    assert seen.decisions["long"].new_risk
    assert not seen.decisions["short"].new_risk
    assert seen.expired_for_s(seen.valid_until_ns - 1, seen.deadline_ns + 2 * 10**9) == 2.0


def test_a_board_and_a_document_give_the_same_answers(make_flag, tmp_path):
    flag = make_flag()
    with BoardWriter.create(tmp_path / "board", ["BTCUSDT"]) as board:
        reader = BoardReader(tmp_path / "board")
        board.write(flag, deadline_ns=reader._boot_ns() + 10**12)
        mapped = seen_from_board(reader.read("BTCUSDT"))
    plain = seen_from_flag(flag, 0, 0, None)

    assert (mapped.order, mapped.valid_until_ns) == (plain.order, plain.valid_until_ns)
    for side in ("long", "short"):
        a, b = mapped.decisions[side], plain.decisions[side]
        different = [n for n in a.__slots__ if getattr(a, n) != getattr(b, n)]
        assert different == ["reason"]  # a board holds no texts
