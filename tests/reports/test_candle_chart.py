import numpy as np
import pytest
from matplotlib.figure import Figure

from liqwarn.errors import FrameError
from liqwarn.reports.candle_chart import Candles, draw_candles


def candles(n=48, step_s=3_600, **changed):
    times = np.datetime64("2024-08-01T01:00:00", "s").astype(np.int64) + step_s * np.arange(n)
    close = 100.0 + np.arange(n) % 5
    sound = {
        "times": times.astype("datetime64[s]"),
        "open": np.full(n, 101.0),
        "high": close + 2,
        "low": close - 3,
        "close": close,
    }
    return Candles(**(sound | changed))


def drawn(made, share=0.0):
    axes = Figure().add_subplot()
    draw_candles(axes, made, empty_share=share)
    return axes


def test_every_bar_has_a_body_and_a_wick():
    axes = drawn(candles())
    assert sum(len(kind.get_segments()) for kind in axes.collections) == 48
    assert len(axes.patches) == 48
    tops = sorted(patch.get_y() + patch.get_height() for patch in axes.patches)
    assert tops[0] == 101.0
    assert tops[-1] == 104.0


def test_midnights_are_named():
    axes = drawn(candles(72))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["02 Aug", "03 Aug", "04 Aug"]


def test_few_bars_are_named_by_their_ends():
    assert [t.get_text() for t in drawn(candles(3)).get_xticklabels()] == [
        "01 Aug 01:00",
        "01 Aug 03:00",
    ]
    assert len(drawn(candles(1)).get_xticklabels()) == 1


def test_room_is_left_on_the_right():
    low, high = drawn(candles(), 0.25).get_xlim()
    last = candles().times[-1].astype(np.int64) / 86_400
    assert (last - low) / (high - low) == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"open": np.ones(3)}, r"candles 'open' have shape \(3,\), expected \(48,\)"),
        ({"low": np.full(48, np.nan)}, "candles 'low' have missing values"),
    ],
)
def test_impossible_candles_are_refused(change, message):
    with pytest.raises(FrameError, match=message):
        candles(**change)


def test_no_bar_is_no_candles():
    with pytest.raises(FrameError, match="candles have no bar"):
        candles(0)
