"""The marks of a map: by hand, on maps that know all or nothing, and against SciPy."""

import numpy as np
import orjson
import pytest
from scipy.stats import binomtest, spearmanr

from liqwarn.errors import FrameError
from liqwarn.liquidation.validation import (
    RANDOM,
    Outcome,
    precision_at_top,
    score_map,
    wilson,
)

EDGES = np.arange(1.0, 11.0) * 0.0025
MARKS = {
    "n_bars", "random", "precision_at_10pct", "wilson", "effective_bars", "volume_share_at_10pct",
    "precision_of_bars", "shuffled_precision_of_bars",
    "rank_correlation", "within_move_rank_correlation", "within_move_interval", "months",
}  # fmt: skip


def outcome(realised, moves, bars_a_week=168):
    number = np.arange(len(realised))
    return Outcome(
        realised=realised, moves=moves, weeks=number // bars_a_week, months=648 + number // 730
    )


def drawn(n_bars, seed=0):
    """Moves and what is realised: more in larger moves, and by chance."""
    rng = np.random.default_rng(seed)
    moves = rng.exponential(0.006, n_bars)
    return moves, moves * rng.lognormal(0.0, 1.0, n_bars)


def evenly(swept, moves):
    """A map that holds as much in each bin as would give `swept` over the bins reached."""
    length = np.clip(moves, 0.0, EDGES[-1]) / EDGES[0]
    density = np.divide(swept, length, out=np.zeros(len(swept)), where=length > 0.0)
    density[~np.isfinite(swept) | ~np.isfinite(moves)] = np.nan
    return density[:, None] * np.arange(1.0, len(EDGES) + 1.0)


def marks(swept, realised, moves, *, within=None, seed=0):
    held = evenly(swept, moves) if within is None else within
    return score_map(swept, held, EDGES, outcome(realised, moves), seed)


# precision


def full(n_bars, n_bins):
    return np.ones((n_bars, n_bins))


def test_a_perfect_map_takes_all_and_a_reversed_one_nothing():
    realised = np.arange(1.0, 11.0)
    inside = np.repeat(realised[:, None], 3, axis=1)

    perfect = precision_at_top(inside, full(10, 3), realised)
    assert perfect.precision == pytest.approx(1.0)
    assert perfect.volume_share == pytest.approx(10.0 / 55.0)
    assert perfect.effective_bars == pytest.approx(1.0)
    worst = precision_at_top(-inside, full(10, 3), realised)
    assert worst.precision == pytest.approx(0.0)
    assert worst.volume_share == pytest.approx(1.0 / 55.0)


def test_half_of_the_tenth():
    # 20 bars of one bin: two are taken; realised are the first two, the map has one of them
    realised = np.r_[9.0, 8.0, np.ones(18)]
    inside = np.r_[7.0, 0.0, 6.0, np.zeros(17)][:, None]

    found = precision_at_top(inside, full(20, 1), realised)
    assert found.precision == pytest.approx(0.5)
    assert found.volume_share == pytest.approx(10.0 / realised.sum())
    assert found.effective_bars == pytest.approx(2.0)


def test_length_counts_not_the_number_of_bins():
    # the first bar reaches all of its bin, the others a tenth of theirs: 1.9 in all, 0.19 taken
    reached = np.r_[1.0, np.full(9, 0.1)][:, None]
    realised = np.r_[0.5, np.full(9, 0.2)]  # densities 0.5 and 2
    inside = np.r_[1.0, np.full(9, 0.0)][:, None]

    found = precision_at_top(inside, reached, realised)
    assert found.precision == pytest.approx(0.0)
    assert found.volume_share == pytest.approx(0.19 * 0.5 / realised.sum())
    other = precision_at_top(-inside, reached, realised)
    assert other.precision == pytest.approx(0.19 / 0.9)


def test_bins_that_a_bar_did_not_reach_do_not_count():
    reached = np.ones((10, 2))
    reached[:, 1] = 0.0
    realised = np.arange(1.0, 11.0)
    inside = np.stack([realised, 100.0 - realised], axis=1)

    assert precision_at_top(inside, reached, realised).precision == pytest.approx(1.0)


def test_ties_earn_nothing():
    _, realised = drawn(500)

    for inside in (np.zeros((500, 4)), np.full((500, 4), 3.0)):
        found = precision_at_top(inside, full(500, 4), realised)
        assert found.precision == pytest.approx(RANDOM)
        assert found.volume_share == pytest.approx(RANDOM)
        assert found.effective_bars == pytest.approx(500.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_map_has_a_tenth(seed):
    rng = np.random.default_rng(seed)
    realised = rng.lognormal(0.0, 1.5, 40_000)

    found = precision_at_top(rng.random((40_000, 3)), full(40_000, 3), realised)
    assert found.precision == pytest.approx(RANDOM, abs=0.006)


def test_where_nothing_was_liquidated_there_is_no_precision():
    found = precision_at_top(full(5, 2), full(5, 2), np.zeros(5))
    assert np.isnan(found.precision)
    assert np.isnan(found.volume_share)
    assert found.effective_bars == 0.0
    nowhere = precision_at_top(full(5, 2), np.zeros((5, 2)), np.ones(5))
    assert np.isnan(nowhere.precision)


# Wilson's interval


@pytest.mark.parametrize("n", [1, 7, 40, 1_000])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_is_scipys(n, share, level):
    hits = round(share * n)
    expected = binomtest(hits, n).proportion_ci(level, method="wilson")

    found = wilson(hits / n, n, level)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("n", [0.0, float("nan")])
def test_no_trials_say_nothing(n):
    assert wilson(float("nan"), n) == (0.0, 1.0)


def test_more_trials_narrow_the_interval():
    widths = [np.ptp(wilson(0.3, n)) for n in (10.0, 33.3, 1_000.0)]
    assert widths == sorted(widths, reverse=True)


# rank correlations


def test_a_perfect_map():
    moves, realised = drawn(3_000)

    found = marks(realised, realised, moves)
    assert set(found) == MARKS
    assert found["n_bars"] == 3_000
    # of the one bar on the border a part is taken, and ties earn nothing
    assert found["precision_at_10pct"] == pytest.approx(1.0, abs=1e-3)
    assert found["rank_correlation"] == pytest.approx(1.0)
    assert found["within_move_rank_correlation"] == pytest.approx(1.0)
    assert found["within_move_interval"] == pytest.approx([1.0, 1.0], abs=1e-9)
    assert found["random"] == RANDOM == 0.1


def test_the_scale_of_a_map_is_nothing():
    moves, realised = drawn(1_000)
    noisy = realised * np.random.default_rng(4).lognormal(0.0, 1.0, 1_000)

    one, other = marks(noisy, realised, moves), marks(noisy * 1e6, realised, moves)
    for name in ("precision_at_10pct", "rank_correlation", "within_move_rank_correlation"):
        assert one[name] == pytest.approx(other[name])


def test_a_map_that_knows_only_the_move_earns_little_inside_equal_moves():
    moves, realised = drawn(20_000)

    found = marks(moves, realised, moves)
    assert found["rank_correlation"] > 0.6
    # moves inside a decile are not quite equal, least in the widest
    assert found["within_move_rank_correlation"] < 0.3 * found["rank_correlation"]
    noise = marks(np.random.default_rng(5).random(20_000), realised, moves)
    assert noise["within_move_rank_correlation"] == pytest.approx(0.0, abs=0.02)
    assert noise["rank_correlation"] == pytest.approx(0.0, abs=0.02)
    assert noise["wilson"][0] < 0.1 < noise["wilson"][1]


def test_an_inverted_map_is_worse_than_none():
    moves, realised = drawn(2_000)

    found = marks(-realised, realised, moves)
    assert found["within_move_rank_correlation"] == pytest.approx(-1.0)
    assert found["rank_correlation"] == pytest.approx(-1.0)


def test_within_moves_is_the_mean_of_spearmans_of_ten_deciles():
    moves, realised = drawn(1_005)
    swept = realised * np.random.default_rng(1).lognormal(0.0, 1.0, 1_005)
    rank = np.argsort(np.argsort(moves))
    groups = [np.flatnonzero(rank * 10 // 1_005 == k) for k in range(10)]

    expected = np.mean([spearmanr(swept[rows], realised[rows]).statistic for rows in groups])
    found = marks(swept, realised, moves)
    assert found["within_move_rank_correlation"] == pytest.approx(expected)
    assert found["rank_correlation"] == pytest.approx(spearmanr(swept, realised).statistic)


def test_a_constant_map_correlates_with_nothing():
    moves, realised = drawn(500)

    found = marks(np.zeros(500), realised, moves)
    assert found["rank_correlation"] == 0.0
    assert found["within_move_rank_correlation"] == 0.0
    assert found["precision_at_10pct"] == pytest.approx(RANDOM)


@pytest.mark.parametrize("seed", range(5))
def test_in_a_market_of_chance_no_map_of_bins_beats_a_tenth(seed):
    """Moves differ, so bars reach more or fewer bins; a constant map has exactly a tenth."""
    rng = np.random.default_rng(seed)
    moves, realised = rng.exponential(0.006, 20_000), rng.lognormal(0.0, 1.5, 20_000)
    random = np.cumsum(rng.random((20_000, len(EDGES))), axis=1)
    constant = np.tile(np.arange(1.0, len(EDGES) + 1.0), (20_000, 1))

    same = marks(moves, realised, moves, within=constant)
    assert same["precision_at_10pct"] == pytest.approx(RANDOM)
    found = marks(rng.random(20_000), realised, moves, within=random)
    assert found["precision_at_10pct"] == pytest.approx(RANDOM, abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_precision_of_bars_is_to_be_held_against_its_own_chance(seed):
    """Both totals are divided by the length reached, so chance is not a tenth; shuffling knows."""
    rng = np.random.default_rng(seed)
    moves, realised = rng.exponential(0.006, 20_000), rng.lognormal(0.0, 1.0, 20_000)

    for swept in (np.ones(20_000), rng.lognormal(0.0, 1.0, 20_000)):
        found = marks(swept, realised, moves)
        chance, spread = found["shuffled_precision_of_bars"]
        assert found["precision_of_bars"] == pytest.approx(chance, abs=5 * spread + 0.01)
        assert chance > 0.15
    knows = marks(realised, realised, moves)
    assert knows["precision_of_bars"] == pytest.approx(1.0, abs=0.01)
    assert knows["shuffled_precision_of_bars"][0] < 0.8


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_the_interval_covers_the_point_and_what_much_data_say(noise):
    def one(n_bars, seed):
        moves, realised = drawn(n_bars, seed)
        swept = realised * np.random.default_rng(seed + 90).lognormal(0.0, noise, n_bars)
        return marks(swept, realised, moves)

    truth = one(60_000, 0)["within_move_rank_correlation"]
    covered = 0
    for seed in range(1, 21):
        found = one(4_000, seed)
        low, high = found["within_move_interval"]
        assert low < found["within_move_rank_correlation"] < high
        covered += low <= truth <= high
    assert covered >= 17  # of 20 at 95 %


def test_the_interval_is_a_function_of_the_seed():
    moves, realised = drawn(2_000)
    noisy = realised * np.random.default_rng(7).lognormal(0.0, 1.0, 2_000)

    intervals = [marks(noisy, realised, moves, seed=k)["within_move_interval"] for k in (0, 0, 1)]
    assert intervals[0] == intervals[1] != intervals[2]


# which bars


def test_bars_that_are_not_known_are_left_out():
    moves, realised = drawn(1_200)
    swept = realised * np.random.default_rng(2).lognormal(0.0, 1.0, 1_200)
    weeks = outcome(realised, moves)
    holes = {"swept": slice(0, 200), "realised": slice(150, 300), "moves": slice(290, 310)}
    known = np.ones(1_200, bool)
    given = {"swept": swept.copy(), "realised": realised.copy(), "moves": moves.copy()}
    for name, rows in holes.items():
        given[name][rows] = np.nan
        known[rows] = False

    found = marks(given["swept"], given["realised"], given["moves"])
    few = Outcome(
        realised=realised[known],
        moves=moves[known],
        weeks=weeks.weeks[known],
        months=weeks.months[known],
    )
    assert found == score_map(swept[known], evenly(swept, moves)[known], EDGES, few, 0)
    assert found["n_bars"] == known.sum() == 890


def test_what_is_within_must_be_known_too():
    moves, realised = drawn(400)
    within = np.cumsum(np.ones((400, len(EDGES))), axis=1)
    within[:70] = np.nan

    assert marks(realised, realised, moves, within=within)["n_bars"] == 330


@pytest.mark.parametrize(("n_bars", "enough"), [(0, False), (99, False), (100, True)])
def test_too_few_bars_are_counted_and_not_judged(n_bars, enough):
    moves, realised = drawn(300)
    realised[n_bars:] = np.nan

    found = marks(moves, realised, moves)
    assert found["n_bars"] == n_bars
    assert set(found) == (MARKS if enough else {"n_bars", "random"})


def test_a_map_of_bins_is_scored_bin_by_bin():
    """All of a bar lies in the near bins, all of the map in the far: half a tenth is right."""
    moves = np.full(1_000, EDGES[-1])
    realised = np.r_[np.full(100, 50.0), np.ones(900)]
    inside = np.zeros((1_000, len(EDGES)))
    inside[:50], inside[500:550] = 9.0, 9.0  # 50 of the 100 that count, and 50 others
    within = np.cumsum(inside, axis=1)

    found = marks(within[:, -1], realised, moves, within=within)
    assert found["precision_at_10pct"] == pytest.approx(0.5)
    assert found["effective_bars"] == pytest.approx(100.0)


def test_a_move_reaches_a_part_of_its_last_bin():
    # to the middle of the third bin; what lies beyond earns nothing
    moves = np.full(200, 2.5 * EDGES[0])
    realised = np.r_[np.full(20, 5.0), np.ones(180)]
    beyond = np.zeros((200, len(EDGES)))
    beyond[:, 3:] = 1.0
    found = marks(moves, realised, moves, within=np.cumsum(beyond, axis=1))

    assert found["precision_at_10pct"] == pytest.approx(RANDOM)
    spread = marks(realised, realised, moves)
    assert spread["precision_at_10pct"] == pytest.approx(1.0)


def test_moves_that_went_nowhere_reach_nothing():
    moves, realised = drawn(300)
    moves[:50] = 0.0
    moves[50:100] = -0.01

    found = marks(moves, realised, moves)
    assert found["n_bars"] == 300
    assert found["effective_bars"] <= 200.0


def test_months_stand_apart():
    moves, realised = drawn(1_460)
    noise = np.random.default_rng(3).random(1_460)
    swept = np.where(np.arange(1_460) < 730, realised, noise)

    months = marks(swept, realised, moves)["months"]
    assert list(months) == ["2024-01", "2024-02"]
    assert months["2024-01"]["precision_at_10pct"] == pytest.approx(1.0, abs=0.01)
    assert months["2024-02"]["precision_at_10pct"] < 0.3
    low, high = months["2024-02"]["wilson"]
    assert low < months["2024-02"]["precision_at_10pct"] < high


def test_a_month_in_which_nothing_happened_is_left_out():
    moves, realised = drawn(1_460)
    realised[:730] = 0.0

    assert list(marks(moves, realised, moves)["months"]) == ["2024-02"]


@pytest.mark.parametrize("shape", [(300, 4), (299, 10)])
def test_shapes_that_do_not_fit_are_refused(shape):
    moves, realised = drawn(300)
    with pytest.raises(FrameError, match=r"within has shape .*, expected \(300, 10\)"):
        marks(moves, realised, moves, within=np.zeros(shape))


def test_marks_are_json_without_nan():
    moves, realised = drawn(900)
    found = marks(moves, realised, moves)
    assert orjson.loads(orjson.dumps(found)) == found

    nothing = marks(moves, np.zeros(900), moves)
    told = orjson.loads(orjson.dumps(nothing))
    assert told["precision_at_10pct"] is None
    assert told["wilson"] == [0.0, 1.0]
    assert told["months"] == {}
    assert told["within_move_rank_correlation"] == 0.0
