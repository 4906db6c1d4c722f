"""A map's state as bytes: back bit for bit, or refused with a reason."""

import runpy
import zlib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import StoreError
from liqwarn.liquidation.cohort_map import MapState, advance
from liqwarn.liquidation.ledger import Ledger
from liqwarn.liquidation.posterior import candidates
from liqwarn.liquidation.snapshot import SCHEMA, from_bytes, to_bytes

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
MAGIC = f"{SCHEMA}\n".encode()
START = len(MAGIC) + 32


@pytest.fixture(scope="module")
def state():
    bars = synthetic.faulty(60, seed=3)
    return advance(MapState.fresh(3), bars, synthetic.GUESSES)[0]


@pytest.fixture(scope="module")
def data(state):
    return to_bytes(state)


def sealed(content):
    """Any content under a digest of its own."""
    return MAGIC + sha256(content).digest() + content


def changed(data, edit):
    """The bytes with their header edited, whole and sealed."""
    line, _, body = zlib.decompress(data[START:]).partition(b"\n")
    return sealed(zlib.compress(orjson.dumps(edit(orjson.loads(line))) + b"\n" + body))


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 2**20), cut=st.integers(0, 120), bar_s=st.sampled_from([300, 3_600]))
def test_a_restored_map_goes_on_bit_for_bit(seed, cut, bar_s):
    bars = synthetic.faulty(120, seed=seed, bar_s=bar_s)
    state, _ = advance(MapState.fresh(3), bars.between(0, cut), synthetic.GUESSES)
    restored = from_bytes(to_bytes(state))
    assert synthetic.same_state(restored, state)
    rest = bars.between(cut, 120)
    expected, passage = advance(state, rest, synthetic.GUESSES)
    found, again = advance(restored, rest, synthetic.GUESSES)
    assert synthetic.same_state(found, expected)
    assert synthetic.same_bits(again.swept, passage.swept)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(
    values=st.lists(st.floats(width=64), min_size=6, max_size=6),
    counts=st.lists(st.integers(0, 2**53), min_size=12, max_size=12),
)
def test_any_numbers_come_back(values, counts):
    state = MapState.fresh(2)
    state.mass[1, 19, -1], state.mass[0, 0, 0], state.mass[0, 7, 99] = values[:3]
    state.lanes[1, -1] = values[3]
    names = Ledger.__dataclass_fields__
    odd = replace(
        state,
        close=values[4],
        stock=values[5],
        steps=counts[0],
        ledger=Ledger(**dict(zip(names, counts[1:], strict=True))),
    )
    assert synthetic.same_state(from_bytes(to_bytes(odd)), odd)


def test_every_bit_comes_back_even_of_nothing_below_zero():
    state = MapState.fresh(1)
    state.mass[0, 0, 0] = -0.0
    found = from_bytes(to_bytes(state))
    assert found.mass.tobytes() == state.mass.tobytes()


def test_a_restored_state_is_free_to_write(data):
    found = from_bytes(data)
    assert found.mass.flags.writeable
    assert found.lanes.flags.owndata or found.lanes.flags.writeable


def test_the_same_state_gives_the_same_bytes(state, data):
    assert to_bytes(from_bytes(data)) == data


def test_a_snapshot_takes_ten_bytes_a_filled_bin_at_most():
    bars = synthetic.bars(1_500, seed=1)
    state, _ = advance(MapState.fresh(24), bars, candidates(32, 0)[:24])
    assert len(to_bytes(state)) < 10 * np.count_nonzero(state.mass)


def test_no_bit_can_flip_unseen(data):
    places = {*range(8 * START), *range(8 * START, 8 * len(data), 8 * len(data) // 400)}
    for place in places:
        broken = bytearray(data)
        broken[place // 8] ^= 1 << place % 8
        with pytest.raises(StoreError, match=r"map state (begins with|is damaged)"):
            from_bytes(bytes(broken))


def test_no_byte_can_be_missing(data):
    for length in {*range(START + 3), *range(0, len(data), len(data) // 300), len(data) - 1}:
        with pytest.raises(StoreError, match=r"map state (begins with|has|is damaged)"):
            from_bytes(data[:length])


def test_nothing_can_be_added(data):
    with pytest.raises(StoreError, match=r"is damaged or cut short: .* is [0-9a-f]{64}, expected"):
        from_bytes(data + b"\0")


def test_another_schema_is_named(data):
    with pytest.raises(StoreError, match=r"begins with b'liqwarn.map_state/2\\n', expected"):
        from_bytes(data.replace(b"map_state/1", b"map_state/2", 1))


@pytest.mark.parametrize(
    ("name", "value"), [("lanes", 18), ("bins", 1_024), ("state_size", 60), ("step", 0.002)]
)
def test_another_grid_is_refused(data, name, value):
    with pytest.raises(StoreError, match=f"has {name} {value}, expected"):
        from_bytes(changed(data, lambda header: header | {name: value}))


@pytest.mark.parametrize("value", [-1, 1.5, None, "3", True])
@pytest.mark.parametrize("name", ["n_maps", "steps"])
def test_what_is_no_count_is_refused(data, name, value):
    with pytest.raises(StoreError, match=f"has {name} .*, expected a count"):
        from_bytes(changed(data, lambda header: header | {name: value}))


@pytest.mark.parametrize("n_maps", [0, 2, 4, 10**12])
def test_more_or_fewer_numbers_than_maps_are_refused(data, n_maps):
    with pytest.raises(StoreError, match=r"holds \d+ bytes of numbers, expected \d+"):
        from_bytes(changed(data, lambda header: header | {"n_maps": n_maps}))


@pytest.mark.parametrize("ledger", [{}, [], {"bars": 1}])
def test_another_ledger_is_refused(data, ledger):
    with pytest.raises(StoreError, match=r"has ledger .*, expected counts of \['age_bars'"):
        from_bytes(changed(data, lambda header: header | {"ledger": ledger}))


def test_a_ledger_counts_whole_bars(data):
    def edit(header):
        return header | {"ledger": header["ledger"] | {"bars": -2}}

    with pytest.raises(StoreError, match="has bars -2, expected a count"):
        from_bytes(changed(data, edit))


def test_missing_and_unknown_keys_are_refused(data):
    with pytest.raises(StoreError, match=r"has header .*'more'.*, expected"):
        from_bytes(changed(data, lambda header: header | {"more": 1}))
    with pytest.raises(StoreError, match=r"has header \[1\], expected"):
        from_bytes(changed(data, lambda header: [1]))


def test_content_that_is_no_snapshot_is_refused():
    with pytest.raises(StoreError, match="is not deflated as expected"):
        from_bytes(sealed(b"nothing of the kind"))
    with pytest.raises(StoreError, match="has no header of JSON"):
        from_bytes(sealed(zlib.compress(b"{")))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"mass": np.zeros((1, 20, 7))},
            r"'mass' has shape \(1, 20, 7\), expected \(1, 20, 2048\)",
        ),
        ({"lanes": np.zeros((2, 80))}, r"'lanes' has shape \(2, 80\), expected \(1, 80\)"),
    ],
)
def test_a_state_of_another_shape_is_not_written(wrong, message):
    with pytest.raises(StoreError, match=message):
        to_bytes(replace(MapState.fresh(1), **wrong))
