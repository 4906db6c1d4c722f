from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.bars.segment import (
    GENESIS,
    Header,
    decode,
    encode_header,
    encode_record,
)


@pytest.fixture(scope="module")
def header(panel):
    return Header(
        panel=panel.name,
        bar_s=panel.bar_s,
        symbols=panel.symbol_names,
        fields=panel.fields,
        ages=panel.fields[:3],
        first=7,
        previous=GENESIS.hex(),
    )


@pytest.fixture(scope="module")
def content(panel, header, make_column):
    out, seal = encode_header(header), GENESIS
    for number in range(7, 12):
        record, seal = encode_record(make_column(panel, number), header, number, seal)
        out += record
    return out


def test_a_segment_is_read_back(content, panel, header, make_column):
    found = decode(content)

    assert (found.header, found.fault, found.next_number) == (header, None, 12)
    assert [r.number for r in found.records] == [7, 8, 9, 10, 11]
    assert found.records[-1].end == len(content)
    for record in found.records:
        made = make_column(panel, record.number)
        assert record.column.time == made.time
        for name, values in record.column.fields.items():
            assert values.tobytes() == made.fields[name].tobytes()


@settings(deadline=None)
@given(st.data())
def test_any_change_is_a_fault_and_what_stands_before_it_is_kept(content, bits_of, data):
    whole = decode(content)
    at = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(content)
    changed[at] ^= 1 << bit

    found = decode(bytes(changed))

    assert found.fault is not None
    before = [r for r in whole.records if r.end <= at]
    assert [r.seal for r in found.records] == [r.seal for r in before]
    assert [bits_of(r.column) for r in found.records] == [bits_of(r.column) for r in before]


@settings(deadline=None)
@given(st.data())
def test_a_cut_is_a_fault_unless_it_is_between_records(content, data):
    whole = decode(content)
    end = data.draw(st.integers(0, len(content)))

    found = decode(content[:end])

    ends = [whole.header_end, *(r.end for r in whole.records)]
    assert (found.fault is None) == (end in ends)
    assert len(found.records) == sum(r.end <= end for r in whole.records)


def test_records_follow_one_another(panel, header, make_column):
    head = encode_header(header)
    first, seal = encode_record(make_column(panel, 0), header, 7, GENESIS)

    def fault(column, number, previous):
        return decode(head + first + encode_record(column, header, number, previous)[0]).fault

    assert fault(make_column(panel, 1), 8, seal) is None
    assert fault(make_column(panel, 1), 9, seal) == "record 9 does not follow record 7"
    assert fault(make_column(panel, 1), 8, GENESIS) == "record 8 does not follow record 7"
    assert fault(make_column(panel, 2), 8, seal) == "record 8: closes 7200 s after the one before"


def test_a_record_of_another_width_does_not_fit(panel, header, make_column):
    record, _ = encode_record(make_column(panel, 0), replace(header, ages=()), 7, GENESIS)

    assert "bytes of numbers, expected" in decode(encode_header(header) + record).fault


def test_other_files_are_no_segments(header):
    assert "expected the magic" in decode(b"PAR1" * 9).fault
    assert decode(b"").header is None
    assert "another format" in decode(encode_header(replace(header, symbols=3))).fault
