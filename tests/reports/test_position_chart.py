"""The picture of a position: its lines are its prices, labels do not overlap, bytes repeat."""

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liqwarn.liquidation.position import Position
from liqwarn.liquidation.profile import Profile
from liqwarn.liquidation.requirement import flat_requirement
from liqwarn.liquidation.risk import assess
from liqwarn.reports.candle_chart import Candles
from liqwarn.reports.charts import save_figure
from liqwarn.reports.position_chart import _GAP, _spread, position_figure


def risk(**changed):
    mark = changed.pop("mark", None)
    sound = {"side": "long", "entry": 120.0, "notional": 600.0, "leverage": 5.0}
    return assess(Position(**(sound | changed)), flat_requirement(0.01), mark=mark)


@pytest.fixture(scope="module")
def candles():
    hours = np.arange(168)
    start = np.datetime64("2024-08-01T01:00:00", "s").astype(np.int64)
    close = 110.0 + 8 * np.sin(hours / 20)
    return Candles(
        times=(start + 3_600 * hours).astype("datetime64[s]"),
        open=close - 0.5,
        high=close + 1,
        low=close - 1,
        close=close,
    )


@pytest.fixture(scope="module")
def profile():
    prices = np.linspace(80.0, 150.0, 71)
    below, above = (prices < 115.0) * 1e3, (prices > 115.0) * 2e3
    above[-1] = np.nan
    return Profile(
        symbol="BTCUSDT",
        as_of=np.datetime64("2024-08-08T00:00:00", "s"),
        price=115.0,
        open_interest=1e6,
        prices=prices,
        long=below,
        short=above,
        long_band=np.stack([below, below]),
        short_band=np.stack([above, above]),
    )


def labels(axes):
    return [text for text in axes.texts if text.get_bbox_patch() is not None]


def boxes(figure, axes):
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    return [text.get_bbox_patch().get_window_extent(renderer) for text in labels(axes)]


def test_the_lines_are_the_prices_of_the_position(candles):
    axes = position_figure(risk(mark=110.0), candles=candles).axes[0]
    drawn = sorted(float(line.get_ydata()[0]) for line in axes.lines)
    assert drawn == pytest.approx([96.0, 96 / 0.99, 96 / (1 - 0.0125), 110.0, 120.0])


def test_labels_carry_price_and_distance_from_the_mark(candles):
    told = [text.get_text() for text in labels(position_figure(risk(mark=110.0)).axes[0])]
    assert "liquidation  96.97  (−11.8 %)" in told
    assert "mark  110.00" in told
    assert "entry  120.00  (+9.1 %)" in told


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("leverage", [2.0, 5.0, 20.0, 50.0])
@pytest.mark.parametrize("beside", [False, True])
def test_labels_overlap_neither_each_other_nor_the_edge(side, leverage, beside, candles, profile):
    figure = position_figure(
        risk(side=side, leverage=leverage, mark=120.5),
        symbol="BTCUSDT",
        candles=candles,
        profile=profile if beside else None,
    )
    found = boxes(figure, figure.axes[0])
    assert len(found) == 5
    for number, box in enumerate(found):
        assert not any(box.overlaps(other) for other in found[number + 1 :])
        assert box.x1 <= figure.axes[0].get_window_extent().x1 + 1


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6))
@example([1.0, 1.0, 1.0, 1.0, 1.0, 0.78125])  # the stack at the top reaches the one below
def test_labels_are_spread_in_order_and_inside(places):
    moved = _spread(places)
    order = np.argsort(places, kind="stable")
    gaps = np.diff(np.asarray(moved)[order])
    assert np.all(gaps >= _GAP * (1 - 1e-9))
    assert min(moved) >= _GAP / 2 - 1e-9
    assert max(moved) <= 1 - _GAP / 2 + 1e-9


def test_the_buffer_reaches_from_entry_to_liquidation():
    patches = position_figure(risk()).axes[0].patches
    spans = [(p.get_y(), p.get_y() + p.get_height()) for p in patches]
    assert spans[0] == pytest.approx((96 / 0.99, 120.0))
    assert spans[1] == pytest.approx((96 / 0.99, 96 / (1 - 0.0125)))


def test_without_candles_the_picture_says_so(candles):
    def texts(figure):
        return [text.get_text() for text in figure.axes[0].texts]

    assert any("no candles" in text for text in texts(position_figure(risk())))
    assert not any("no candles" in text for text in texts(position_figure(risk(), candles=candles)))


def test_clusters_share_the_price_axis(candles, profile):
    main, side = position_figure(risk(), candles=candles, profile=profile).axes
    assert side.get_ylim() == main.get_ylim()
    widths = [patch.get_width() for patch in side.patches]
    assert max(widths) == pytest.approx(2e3 * side.get_ylim()[1], rel=0.02)
    assert all(np.isfinite(widths))


def test_lines_no_price_reaches_are_left_out():
    safe = position_figure(risk(leverage=1.0)).axes[0]
    assert [text.get_text() for text in labels(safe)] == ["entry  120.00"]
    short = position_figure(risk(side="short", leverage=1.0, contract="inverse"))
    assert len(short.axes[0].lines) == 1


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_position_gives_the_same_bytes(tmp_path, suffix, candles, profile):
    before = dict(mpl.rcParams)
    for name in "ab":
        figure = position_figure(risk(), symbol="BTCUSDT", candles=candles, profile=profile)
        save_figure(figure, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert dict(mpl.rcParams) == before
