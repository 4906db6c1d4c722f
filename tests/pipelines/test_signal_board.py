"""Boards: everything adds up, nothing is hidden, and the last bar is told as any other."""

import math
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.features.signal_catalogue import SIGNALS
from liqwarn.features.signals import GROUPS
from liqwarn.frames import SIDES, FeatureMatrix, bar_times
from liqwarn.pipelines.signal_board import OTHER, Chances, _agrees, make_boards

FAMILIES = {
    "funding_8h": "funding",
    "funding_mean_3d": "funding",
    "rv_1d": "market",
    "cluster_dist_long_pct": "clusters",
    "cluster_dist_short_pct": "clusters",
    "depth_to_oi": "depth",
    "leverage_level": "open_interest",
}
SYMBOLS = ("BTCUSDT", "ETHUSDT")
N = 1000


def matrix_of(values=None, n_bars=N):
    shape = (len(SYMBOLS), n_bars, len(FAMILIES))
    rising = np.broadcast_to(np.arange(n_bars, dtype=float)[None, :, None], shape) + 1.0
    return FeatureMatrix(
        symbols=SYMBOLS,
        times=bar_times(np.datetime64("2024-01-01T01:00"), n_bars, timedelta(hours=1)),
        bar=timedelta(hours=1),
        names=tuple(FAMILIES),
        families=FAMILIES,
        values=np.ascontiguousarray(rising if values is None else values),
    )


class Model:
    """Adds what it is told, to every row; remembers the rows it was shown."""

    def __init__(self, names=tuple(FAMILIES), pushes=None):
        self.names_ = names
        self.pushes = np.linspace(-0.3, 0.5, len(names)) if pushes is None else pushes

    def contributions(self, X, names=None):
        self.shown = X
        out = np.empty((len(X), 2, len(self.names_)))
        out[:, 0], out[:, 1] = self.pushes, -np.asarray(self.pushes)
        return out


def chances_of(p=0.05, tier=1):
    shape = (len(SYMBOLS), 2)
    return Chances(
        p_4h=np.full(shape, p),
        quantile=np.full(shape, 0.9),
        base_rate=np.full(shape, 0.01),
        tiers=np.full(shape, tier),
    )


def readings(board):
    return {reading.key: reading for reading in board.readings}


@pytest.fixture
def boards():
    return make_boards(matrix_of(), Model(), chances_of())


def test_there_is_a_board_for_every_symbol_and_side_as_of_the_last_bar(boards):
    assert [(b.symbol, b.side) for b in boards] == [(s, side) for s in SYMBOLS for side in SIDES]
    assert {b.as_of for b in boards} == {"2024-02-11T16:00:00.000Z"}
    assert {b.tier for b in boards} == {"T1"}


def test_every_signal_is_on_every_board_in_its_group(boards):
    for board in boards:
        assert [group.key for group in board.groups] == list(GROUPS)
        assert [reading.key for reading in board.readings] == [signal.key for signal in SIGNALS]


def test_groups_and_start_add_up_to_the_log_odds_of_the_probability(boards):
    for board in boards:
        total = math.fsum(group.contribution for group in board.groups)
        assert board.log_odds == pytest.approx(math.log(0.05 / 0.95))
        assert board.start + total == pytest.approx(board.log_odds, abs=1e-12)
        for group in board.groups:
            shown = math.fsum(r.contribution or 0.0 for r in group.signals)
            assert shown + group.rest == pytest.approx(group.contribution, abs=1e-12)


def test_what_no_signal_shows_is_in_the_rest_of_its_group(boards):
    pushes = dict(zip(FAMILIES, Model().pushes, strict=True))
    groups = {group.key: group for group in boards[0].groups}

    assert groups["funding"].rest == pytest.approx(pushes["funding_mean_3d"])
    assert groups["clusters"].rest == pytest.approx(pushes["cluster_dist_short_pct"])
    assert groups["leverage"].contribution == pytest.approx(pushes["leverage_level"])
    assert groups["calendar"].contribution == 0.0


def test_a_side_sees_its_own_column_and_its_own_push(boards):
    long, short = (readings(board)["cluster_distance"] for board in boards[:2])
    pushes = dict(zip(FAMILIES, Model().pushes, strict=True))

    assert (long.feature, short.feature) == ("cluster_dist_long_pct", "cluster_dist_short_pct")
    assert long.contribution == pushes["cluster_dist_long_pct"]
    assert short.contribution == -pushes["cluster_dist_short_pct"]


def test_value_percentile_level_and_direction(boards):
    found = readings(boards[0])["funding_rate"]

    assert (found.value, found.percentile, found.level) == (1000.0, 1.0, "high")
    assert (found.contribution, found.direction, found.expected) == (-0.3, "lowering", "raising")
    assert found.agrees is False  # high funding should raise the risk of longs
    assert readings(boards[1])["funding_rate"].agrees is False
    assert readings(boards[0])["leverage"].agrees is True


def test_values_equal_to_it_count_by_half():
    values = np.zeros_like(matrix_of().values)
    values[:, :500] = -1.0

    found = readings(make_boards(matrix_of(values), Model(), chances_of())[0])["funding_rate"]

    assert found.percentile == pytest.approx((500 + 0.5 * 499) / 999)
    assert found.level == "high"


def test_a_missing_signal_has_no_number_at_all_and_its_push_is_in_the_rest():
    values = np.array(matrix_of().values)
    values[0, -1, 0] = np.nan
    values[0, :, 5] = np.nan

    board = make_boards(matrix_of(values), Model(), chances_of())[0]
    found, groups = readings(board), {group.key: group for group in board.groups}

    assert found["funding_rate"].missing == "now"
    assert found["depth"].missing == "never"
    assert found["whales"].missing == "never"  # no such column here
    for key in ("funding_rate", "depth", "whales"):
        parts = found[key]
        assert parts.value is parts.percentile is parts.contribution is parts.direction is None
        assert parts.text == parts.phrase == ""
    assert groups["funding"].rest == groups["funding"].contribution != 0.0
    assert board.live == 3


def test_without_a_probability_there_is_nothing_to_explain_but_the_values_stand():
    board = make_boards(matrix_of(), Model(), chances_of(p=np.nan, tier=-1))[0]

    assert board.p_4h is board.log_odds is board.start is board.tier is None
    assert {group.contribution for group in board.groups} == {None}
    assert {r.contribution for r in board.readings} == {None}
    assert readings(board)["funding_rate"].value == 1000.0
    assert "no probability" in board.verdict


def test_features_only_the_model_knows_are_in_a_group_of_their_own():
    model = Model(names=(*FAMILIES, "moon_phase"))

    board = make_boards(matrix_of(), model, chances_of())[0]

    assert board.groups[-1].key == OTHER
    assert board.groups[-1].contribution == pytest.approx(0.5)
    assert np.isnan(model.shown[:, -1]).all()


def test_a_feature_the_model_does_not_read_has_no_contribution():
    model = Model(names=tuple(FAMILIES)[1:])

    found = readings(make_boards(matrix_of(), model, chances_of())[0])["funding_rate"]

    assert found.value == 1000.0
    assert found.contribution is None


def test_a_board_of_an_earlier_bar_is_the_one_that_was_made_then():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(2, N, len(FAMILIES)))
    then = matrix_of(np.ascontiguousarray(values[:, :900]), n_bars=900)

    assert make_boards(then, Model(), chances_of()) == make_boards(
        matrix_of(values), Model(), chances_of(), at=899
    )


@pytest.mark.parametrize(
    ("expected", "level", "direction", "agrees"),
    [
        (1, "high", "raising", True),
        (1, "low", "raising", False),
        (-1, "low", "raising", True),
        (-1, "high", "raising", False),
        (1, "high", "neutral", None),
        (1, "middle", "raising", None),
        (1, None, "raising", None),
        (0, "high", "raising", None),
    ],
)
def test_agreement_needs_an_expectation_a_clear_value_and_a_push(
    expected, level, direction, agrees
):

    assert _agrees(expected, level, direction) is agrees


def test_chances_of_other_symbols_are_refused():
    few = Chances(
        p_4h=np.zeros((1, 2)),
        quantile=np.zeros((1, 2)),
        base_rate=np.zeros((1, 2)),
        tiers=np.zeros((1, 2), dtype=int),
    )

    with pytest.raises(FrameError, match=r"chances have shape \(1, 2\), expected \(2, 2\)"):
        make_boards(matrix_of(), Model(), few)


def test_a_matrix_without_bars_is_refused():
    empty = matrix_of(np.empty((2, 0, len(FAMILIES))), n_bars=0)

    with pytest.raises(FrameError, match="a board needs a bar"):
        make_boards(empty, Model(), chances_of())
