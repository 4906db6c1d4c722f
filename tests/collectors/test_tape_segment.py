"""Names and headers of segments."""

import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.tape_segment import (
    TapeFault,
    header_of,
    mark_of,
    segment_path,
    segments_of,
)
from liqwarn.errors import StoreError

_GIVEN = runpy.run_path(str(Path(__file__).with_name("tape_given.py")))
T0 = _GIVEN["T0"]
PATH = Path("x.tape")


def test_segments_are_found_by_number_and_other_files_are_not(tmp_path):
    for number, seen_ms in ((2, T0), (1, T0 + 86_400_000), (3, T0)):
        path = segment_path(tmp_path, "okx", seen_ms=seen_ms, number=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    path.with_name(f"{path.name}.torn").touch()
    path.with_name(f".{path.name}.tmp").touch()
    path.with_name(f"{path.name}.gz").touch()
    (tmp_path / "okx" / "notes").mkdir()

    found = segments_of(tmp_path, "okx")

    assert [(segment.number, segment.closed) for segment in found] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert found[1].hour_ms == T0 // 3_600_000 * 3_600_000


def test_a_header_is_of_its_venue_and_number():
    header = header_of("okx", seen_ms=T0, number=7)

    assert mark_of(header, PATH, venue="okx", number=7)[1] == len(header)
    with pytest.raises(StoreError, match="'okx', 7"):
        mark_of(header, PATH, venue="okx", number=8)
    with pytest.raises(StoreError, match=r"expected .*'bybit'"):
        mark_of(header, PATH, venue="bybit", number=7)


def test_every_change_of_a_header_is_noticed():
    header = header_of("okx", seen_ms=T0, number=7)
    for place in range(len(header)):
        for changed in (header[:place], bytes([*header[:place], header[place] ^ 4])):
            with pytest.raises(StoreError, match=r"x\.tape"):
                mark_of(changed + header[place + 1 :], PATH, venue="okx", number=7)


def test_a_fault_says_where_it_is():
    fault = TapeFault(path=PATH, offset=70, size=3, what="torn")

    assert fault.to_text() == "x.tape: torn at byte 70, 3 bytes are no records"
