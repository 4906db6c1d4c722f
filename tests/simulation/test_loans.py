"""An array lent to compiled code is the same memory."""

import numpy as np

from liqwarn.simulation.loans import borrowed
from liqwarn.windows.arguments import compiled


@compiled
def _fill(owned, value):
    lent = borrowed(owned)
    for k in range(lent.shape[0]):
        lent[k, 0] += value
    return lent.sum()


def test_what_is_written_to_a_loan_is_written_to_the_array():
    array = np.arange(6.0).reshape(3, 2)
    assert _fill(array, 10.0) == 45.0
    np.testing.assert_array_equal(array, [[10.0, 1.0], [12.0, 3.0], [14.0, 5.0]])


def test_strides_and_types_are_kept():
    whole = np.zeros((4, 6))
    _fill(whole[:, 2:], 1.0)
    assert whole[:, 2].sum() == whole.sum() == 4.0
    counts = np.zeros((2, 2), dtype=np.int64)
    assert _fill(counts, 3) == 6


def test_many_loans_leave_the_array_alive():
    array = np.zeros((1_000, 1))
    for _ in range(200):
        _fill(array, 1.0)
    assert (array == 200.0).all()
