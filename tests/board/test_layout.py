import re
import zlib
from pathlib import Path

import pytest

from liqwarn.board import layout
from liqwarn.board.layout import Header

ROOT = Path(__file__).parents[2]
HEADER = Header(capacity=34, generation=7, boot=bytes(range(16)), pid=4321)


def test_a_header_reads_back():
    assert Header.unpack(HEADER.pack()) == HEADER
    assert len(HEADER.pack()) == layout.BEAT_WORD * 8


@pytest.mark.parametrize("at", range(64))
def test_no_byte_of_a_header_may_change(at):
    content = bytearray(HEADER.pack())
    content[at] ^= 0x40
    assert isinstance(Header.unpack(bytes(content)), str)


def test_another_version_says_so_even_with_a_good_checksum():
    content = bytearray(HEADER.pack())
    content[8] = 2
    content[60:64] = zlib.crc32(content[:60]).to_bytes(4, "little")
    assert "expected (1, " in Header.unpack(bytes(content))


def test_a_slot_has_room_for_everything_and_numbers_lie_on_their_size():
    assert layout.BODY_SIZE % 8 == 0
    assert layout.CRC_AT + 4 <= layout.SLOT_SIZE
    assert layout.slot_at(3) % 8 == 0
    assert layout.board_size(3) == 256 + 3 * 512


def test_the_c_header_speaks_of_the_same_sizes():
    text = (ROOT / "src/liqwarn/board/liqwarn_board.h").read_text()
    said = {name: int(value) for name, value in re.findall(r"#define LIQWARN_(\w+) (\d+)u", text)}
    assert said["LAYOUT_VERSION"] == layout.VERSION
    assert said["HEADER_SIZE"] == layout.HEADER_SIZE
    assert said["SLOT_SIZE"] == layout.SLOT_SIZE
    assert said["SYMBOL_SIZE"] == layout.SYMBOL_SIZE
    assert said["BODY_SIZE"] == layout.BODY_SIZE
    assert said["BEAT_AT"] == layout.BEAT_WORD * 8
    assert said["STATE_AT"] == layout.STATE_WORD * 8
    assert said["COUNT_AT"] == layout.COUNT_WORD * 8
