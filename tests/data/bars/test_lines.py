from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.bars.codec import LONGEST_LINE, encode_message
from liqwarn.data.bars.lines import LineReader


@settings(deadline=None)
@given(st.data())
def test_however_the_bytes_are_cut_the_messages_are_the_same(make_message, data):
    said = [make_message(bar) for bar in range(data.draw(st.integers(0, 5)))]
    pieces = [encode_message(one) for one in said]
    for at in range(len(pieces)):
        if data.draw(st.booleans()):
            pieces[at] = b"garbage\n\n" + pieces[at]
    content = b"".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(content)), max_size=9)))
    reader, found = LineReader(name="x"), []
    for start, stop in pairwise([0, *cuts, len(content)]):
        found += reader.push(content[start:stop])

    assert [one for one in found if not isinstance(one, str)] == said
    assert sum(isinstance(one, str) for one in found) == sum(b"garbage" in p for p in pieces)
    assert reader.partial == 0


def test_a_line_without_end_is_refused_once_and_takes_no_room(make_message):
    reader, found = LineReader(name="x"), []
    for _ in range(50):
        found += reader.push(b"a" * 10_000)
        assert reader.partial <= LONGEST_LINE
    found += reader.push(b"a\n" + encode_message(make_message(0)))

    assert found == [f"x: line 1: longer than {LONGEST_LINE} bytes", make_message(0)]


def test_a_lost_end_is_told():
    reader = LineReader(name="x")
    assert reader.drop() is None
    reader.push(b'{"sch')
    assert reader.drop() == "x: 5 bytes of a line without an end"
    assert reader.partial == 0


def test_lines_are_numbered_as_an_editor_does():
    assert LineReader(name="f").push(b"\n\nx\n")[0].startswith("f: line 3: not JSON")
