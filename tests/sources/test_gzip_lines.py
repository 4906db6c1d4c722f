"""Lines of a gzipped text: whole, in order, bounded; anything else is told."""

import gzip
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.errors import DataError
from liqwarn.sources.gzip_lines import line_blocks

TEXT = b"a,b\n1,2\n30,40\n"


def blocks(path, content, **changes):
    path.write_bytes(content)
    return list(line_blocks(path, "x.gz", **({"most": 1 << 20, "piece": 16} | changes)))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=15).map(lambda b: b.replace(b"\n", b"")), max_size=30))
def test_blocks_are_whole_lines_and_together_the_text(tmp_path, lines):
    text = b"".join(line + b"\n" for line in lines)

    found = blocks(tmp_path / "x", gzip.compress(text))

    assert b"".join(found) == text
    assert all(block.endswith(b"\n") for block in found)


def test_the_last_line_may_lack_its_end(tmp_path):
    assert b"".join(blocks(tmp_path / "x", gzip.compress(TEXT[:-1]))) == TEXT[:-1]


def test_two_gzips_in_one_file_are_one_text(tmp_path):
    found = blocks(tmp_path / "x", gzip.compress(TEXT) + gzip.compress(TEXT))

    assert b"".join(found) == TEXT * 2


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (gzip.compress(TEXT, mtime=0)[:-9], "x.gz: found a damaged gzip or one cut short"),
        (gzip.compress(TEXT, mtime=0)[:-4] + b"abcd", "a damaged gzip or one cut short"),
        (gzip.compress(TEXT, mtime=0) + b"more", "a damaged gzip or one cut short"),
        (b"<html>Please log in</html>", "found a page of HTML or XML, expected a gzip"),
        (TEXT, "a damaged gzip or one cut short"),
        (zlib.compress(TEXT), "a damaged gzip or one cut short"),
        (gzip.compress(b"x" * 1_000, mtime=0), "a line of more than 16 bytes"),
    ],
)
def test_what_is_no_whole_gzip_of_lines_is_refused(tmp_path, content, match):
    with pytest.raises(DataError, match=match):
        blocks(tmp_path / "x", content)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    content = gzip.compress((b"0" * 15 + b"\n") * (1 << 17))

    with pytest.raises(DataError, match=r"x\.gz: unpacks to more than 1048576 bytes"):
        blocks(tmp_path / "x", content)
