import dataclasses
import json
import runpy
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from liqwarn.errors import FrameError
from liqwarn.liquidation.heat_map import HeatMap
from liqwarn.reports.canvas import error_bound, heat_map_canvas, heat_map_from_canvas

maps = runpy.run_path(str(Path(__file__).with_name("synthetic_maps.py")))

volumes = st.one_of(
    st.just(0.0),
    st.just(float("nan")),
    st.floats(min_value=1e-12, max_value=1e12),
)
prices = st.one_of(st.just(float("nan")), st.floats(min_value=1e-6, max_value=1e6))


@st.composite
def heat_maps(draw):
    n_times, n_bins = draw(st.integers(0, 6)), draw(st.integers(1, 8))
    first = draw(st.integers(0, 2_000_000_000))
    sides = npst.arrays(np.float64, (n_times, n_bins), elements=volumes)
    line = npst.arrays(np.float64, n_times, elements=prices)
    return HeatMap(
        symbol="XUSDT",
        times=(first + 300 * np.arange(n_times)).astype("datetime64[s]"),
        edges=np.geomspace(1.0, 2.0, n_bins + 1),
        long=draw(sides),
        short=draw(sides),
        high=draw(line),
        low=draw(line),
        close=draw(line),
    )


@given(heat_maps())
def test_the_way_back_is_within_the_stated_bound(heat_map):
    data = orjson.loads(orjson.dumps(heat_map_canvas(heat_map)))
    back = heat_map_from_canvas(data)

    for side in ("long", "short"):
        true, found = getattr(heat_map, side), getattr(back, side)
        bound = error_bound(true, data["scale"]["top"]) * (1 + 1e-9)
        assert np.array_equal(np.isnan(true), np.isnan(found))
        assert (np.isnan(true) | (np.abs(found - true) <= bound)).all()
    for name in ("times", "edges", "high", "low", "close"):
        assert np.array_equal(
            getattr(back, name), getattr(heat_map, name), equal_nan=name != "times"
        )


def test_empty_stays_empty_and_unknown_stays_unknown():
    heat_map = maps["small"]()
    back = heat_map_from_canvas(heat_map_canvas(heat_map))

    assert np.array_equal(back.long == 0.0, heat_map.long == 0.0)
    assert np.argwhere(np.isnan(back.short)).tolist() == [[1, 1]]
    assert np.nanmax(back.short) == 5.0


def test_it_is_strict_json_also_where_prices_are_unknown():
    heat_map = dataclasses.replace(maps["small"](), close=np.array([np.nan, 1.0, np.inf]))
    data = json.loads(json.dumps(heat_map_canvas(heat_map), allow_nan=False))

    assert data["close"] == [None, 1.0, None]
    assert data["shape"] == [3, 4]
    assert data["times"] == [1_704_070_800, 1_704_074_400, 1_704_078_000]
    assert data["scale"]["top"] == 5.0


def test_the_size_is_the_stated_one():
    n_times, n_bins = 2_000, 400
    heat_map = maps["simulate"](n_times=n_times, n_bins=n_bins)
    size = len(orjson.dumps(heat_map_canvas(heat_map)))

    assert size < 2.7 * n_times * n_bins + 75 * n_times + 20 * n_bins + 500


@pytest.mark.parametrize("bad", [-1.0, np.inf])
def test_an_impossible_volume_is_refused(bad):
    heat_map = maps["small"]()
    long = heat_map.long.copy()
    long[0, 0] = bad
    with pytest.raises(FrameError, match=r"'long' holds (-1\.0|inf), expected coins of 0 or more"):
        heat_map_canvas(dataclasses.replace(heat_map, long=long))


def test_another_schema_is_refused():
    with pytest.raises(FrameError, match=r"schema is 'else/2', expected 'liqwarn\.heat_map/1'"):
        heat_map_from_canvas({"schema": "else/2"})


def test_a_cut_side_is_refused():
    data = heat_map_canvas(maps["small"]()) | {"short": "AAAA"}
    with pytest.raises(FrameError, match=r"'short' holds 3 cells, expected shape \(3, 4\)"):
        heat_map_from_canvas(data)
