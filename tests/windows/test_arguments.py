import numpy as np
import pytest

from liqwarn import windows
from liqwarn.errors import FrameError

X = np.arange(6.0).reshape(2, 3)
PLAIN = {
    name: getattr(windows, name)
    for name in windows.__all__
    if name.startswith(("rolling", "bars")) and name not in {"rolling_corr", "rolling_quantile"}
}


@pytest.fixture(params=sorted(PLAIN))
def plain(request):
    return PLAIN[request.param]


def test_window_below_one_bar(plain):
    with pytest.raises(FrameError, match="window is 0 bars, expected at least 1"):
        plain(X, 0, first_bar=0)


def test_negative_first_bar(plain):
    with pytest.raises(FrameError, match="first_bar is -1, expected an absolute bar number"):
        plain(X, 2, first_bar=-1)


@pytest.mark.parametrize("min_count", [0, 3])
def test_min_count_out_of_range(plain, min_count):
    with pytest.raises(FrameError, match=f"min_count is {min_count}, expected 1 to .* 2"):
        plain(X, 2, first_bar=0, min_count=min_count)


@pytest.mark.parametrize("shape", [(6,), (1, 2, 3), ()])
def test_wrong_number_of_axes(plain, shape):
    with pytest.raises(FrameError, match=r"x has shape .*, expected two axes"):
        plain(np.zeros(shape), 2, first_bar=0)


def test_wrong_dtype(plain):
    with pytest.raises(FrameError, match="x has dtype float32, expected float64"):
        plain(X.astype(np.float32), 2, first_bar=0)


def test_a_list_is_not_a_plane(plain):
    with pytest.raises(FrameError, match=r"x has shape \(2, 3\), expected two axes"):
        plain(X.tolist(), 2, first_bar=0)


def test_empty_planes(plain):
    assert plain(np.empty((0, 3)), 2, first_bar=5).shape == (0, 3)
    assert plain(np.empty((3, 0)), 2, first_bar=5).shape == (3, 0)


def test_input_is_not_changed_and_may_be_frozen(plain):
    frozen = X.copy()
    frozen[0, 1] = np.inf
    before = frozen.copy()
    frozen.flags.writeable = False
    result = plain(frozen, 2, first_bar=5)
    np.testing.assert_array_equal(frozen, before)
    assert result.flags.writeable
    assert result.flags.c_contiguous


def test_any_memory_layout(plain):
    wide = np.random.default_rng(0).normal(size=(12, 6))
    np.testing.assert_array_equal(
        plain(wide.T, 3, first_bar=5), plain(np.ascontiguousarray(wide.T), 3, first_bar=5)
    )
    np.testing.assert_array_equal(
        plain(wide[:, ::2], 3, first_bar=5), plain(wide[:, ::2].copy(), 3, first_bar=5)
    )


def test_window_longer_than_the_history(plain):
    assert np.isnan(plain(X, 4, first_bar=5)[:, :3]).all() or plain is windows.rolling_count


def test_needed_bars_covers_the_window():
    x = np.random.default_rng(1).normal(size=(1, 50))
    need = windows.needed_bars(7)
    tail = windows.rolling_mean(x[:, -need:], 7, first_bar=100 + 50 - need)
    assert tail[0, -1] == windows.rolling_mean(x, 7, first_bar=100)[0, -1]
