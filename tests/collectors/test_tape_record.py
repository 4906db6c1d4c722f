"""Records as bytes."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.tape_record import decode_record, encode_end, encode_record
from liqwarn.errors import DataError

_GIVEN = runpy.run_path(str(Path(__file__).with_name("tape_given.py")))
record = _GIVEN["record"]


def test_the_format_is_as_it_was():
    content = encode_record(record(5), mark=7, offset=100, synced=90)

    assert content.hex() == (
        "f54c51fa1b000000d3e7bd175a000000058844709e01000000066c696e652d327b226e223a357d"
    )


@given(st.binary(max_size=40), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_record_is_read_at_its_place_alone(content, mark, offset):
    one = record(1, content=content)
    written = encode_record(one, mark=mark, offset=3, synced=offset)

    placed = decode_record(b"abc" + written, 3, mark=mark)

    assert (placed.record, placed.offset, placed.synced) == (one, 3, offset)
    assert placed.end == 3 + len(written)
    assert decode_record(b"abcd" + written, 4, mark=mark) is None
    assert decode_record(b"abc" + written, 3, mark=mark ^ 1) is None


def test_the_end_tells_how_many_there_were():
    placed = decode_record(encode_end(12, seen_ms=5, mark=1, offset=0), 0, mark=1)

    assert (placed.record, placed.count) == (None, 12)


@pytest.mark.parametrize("change", [{"content": bytes((1 << 24) + 1)}, {"line": "x" * 300}])
def test_what_cannot_be_read_again_is_not_written(change):
    with pytest.raises(DataError, match="expected at most"):
        encode_record(replace(record(0), **change), mark=0, offset=0, synced=0)
