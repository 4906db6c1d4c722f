"""The picture of liquidations over venues."""

import numpy as np
import pandas as pd
import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.across_venues_chart import across_venues_figure


def series(n=4):
    return pd.DataFrame(
        {
            "time": pd.date_range("2026-01-01T01:00", periods=n, freq="h", tz="UTC"),
            "net_usd": [1e6, np.nan, 2e6, 0.0][:n],  # longs less shorts, as anywhere
            "missing": ["", "a+b", "b", ""][:n],
            **{
                f"{v}_{s}_usd": [1e6, np.nan, 2e6, 0.0][:n] for v in "ab" for s in ("long", "short")
            },
            **{f"{v}_covered_min": [60.0] * n for v in "ab"},
        }
    )


@pytest.mark.parametrize("n", [1, 4])
def test_longs_stand_above_shorts_hang_below_and_venues_stack(n):
    axes = across_venues_figure(series(n), title="BTCUSDT").axes[0]

    heights = [bar.get_height() for bar in axes.patches[:n]]
    assert heights[0] == 1.0
    tops = [bar.get_y() + bar.get_height() for bar in axes.patches]
    assert max(tops) >= 2.0  # both venues, millions
    assert min(tops) <= -2.0
    assert axes.lines[0].get_ydata()[0] == 1.0
    named = {text.get_text() for text in axes.get_legend().get_texts()}
    assert named == {"longs less shorts", "a", "b"} | ({"a venue is missing"} if n > 1 else set())


def test_nothing_to_draw_is_refused():
    with pytest.raises(FrameError, match="no bars"):
        across_venues_figure(series().iloc[:0], title="")
