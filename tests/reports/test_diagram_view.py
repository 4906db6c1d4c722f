import pytest

from liqwarn.reports.diagram_view import calibration_rows, molchan, reliability


def one(**changes):
    return {"results": [{"side": "long", "horizon_h": 4, "model": "liqwarn"} | changes]}


def test_a_calibrated_bin_lies_on_the_diagonal():
    curve = {"predicted": [0.01, 0.1], "observed": [0.01, 0.1], "n": [10, 1]}
    dots = reliability(one(reliability=curve))[0].dots

    assert [dot.x + dot.y for dot in dots] == pytest.approx([100, 100])
    assert dots[0].radius > dots[1].radius


def test_a_bin_without_events_is_hollow_and_off_the_line():
    curve = {"predicted": [0.01, 0.1], "observed": [0.0, 0.1], "n": [10, 1]}
    diagram = reliability(one(reliability=curve))[0]

    assert [dot.hollow for dot in diagram.dots] == [True, False]
    assert diagram.path.count("L") == 0


def test_a_bin_that_is_not_known_is_left_out():
    curve = {"predicted": [0.01, None], "observed": [0.01, 0.1], "n": [10, 1]}

    assert len(reliability(one(reliability=curve))[0].dots) == 1


def test_long_curves_are_thinned_and_keep_their_end():
    grid = [i / 5_000 for i in range(5_001)]
    curve = {"alarm_time": grid, "miss_rate": [1 - g for g in grid]}
    path = molchan(one(molchan=curve))[0].path

    assert path.count("L") < 210
    assert path.endswith("L100 100")


@pytest.mark.parametrize("evaluation", [None, {}, one(), one(reliability=None, molchan={})])
def test_no_curves(evaluation):
    assert reliability(evaluation) == []
    assert molchan(evaluation) == []


@pytest.mark.parametrize(
    ("slope", "reading"),
    [(1.0, "acceptable"), (0.5, "too extreme"), (1.5, "too timid"), (None, "not measured")],
)
def test_the_slope_in_words(slope, reading):
    assert calibration_rows(one(calibration_slope=slope))[0].verdict.startswith(reading)
