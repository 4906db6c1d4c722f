"""Arrays as bytes: the same bits back, or a refusal."""

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import StoreError
from liqwarn.models.state_bytes import pack_arrays, unpack_arrays

ARRAYS = {
    "x": np.array([[np.nan, -0.0], [np.inf, 5e-324]]),
    "n": np.arange(3),
    "known": np.array([True, False]),
    "nothing": np.empty((0, 4)),
}
DATA = pack_arrays("example/1", {"bar": 7}, ARRAYS)


def test_the_same_bits_come_back():
    header, arrays = unpack_arrays("example/1", DATA)

    assert header == {"bar": 7}
    assert list(arrays) == list(ARRAYS)
    for name, one in ARRAYS.items():
        assert arrays[name].dtype == one.dtype
        assert arrays[name].shape == one.shape
        assert arrays[name].tobytes() == one.tobytes()
        assert arrays[name].flags.writeable


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, len(DATA) - 1), bit=st.integers(0, 7))
def test_every_damaged_byte_is_seen(at, bit):
    damaged = bytearray(DATA)
    damaged[at] ^= 1 << bit

    with pytest.raises(StoreError, match=r"state begins with|damaged or cut short"):
        unpack_arrays("example/1", bytes(damaged))


@pytest.mark.parametrize("size", [0, 5, 20, 60, len(DATA) - 1])
def test_every_cut_is_seen(size):
    with pytest.raises(StoreError, match=r"state begins with|damaged or cut short"):
        unpack_arrays("example/1", DATA[:size])


def test_no_other_type_is_made():
    content = DATA[len("example/1\n") + 32 :].replace(b'"|b1"', b'"|O8"')
    data = b"example/1\n" + sha256(content).digest() + content

    with pytest.raises(StoreError, match=r"array 'known' of type \|O8, expected"):
        unpack_arrays("example/1", data)
