"""The compiled paths against the plain NumPy version of the same rules; random numbers."""

import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from scipy.stats import kstest, norm

from liqwarn.simulation import counter
from liqwarn.simulation.books import PATH_BINS, new_books
from liqwarn.simulation.config import (
    DEFAULT_SPECS,
    CrossMargin,
    Habits,
    Leverage,
    MarketConfig,
    Venue,
)
from liqwarn.simulation.futures import PathOrder, drivers_of, simulate_futures
from liqwarn.simulation.layout import (
    BIN_WIDTH,
    CHANNELS,
    FAR,
    FRONT,
    LANE_SIZE,
    LANES,
    MASS,
    TOP,
    VALUE,
)
from liqwarn.simulation.monte_carlo import new_futures, run_paths
from liqwarn.simulation.opening import Opening
from liqwarn.simulation.plan import Plan
from liqwarn.simulation.rules import rules_of

ORACLE = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "simulation_oracle.py"))
PATHS, STEPS = 8, 120
SPECS = tuple(spec for spec in DEFAULT_SPECS if spec.name in ("BTCUSDT", "ETHUSDT", "TAOUSDT"))


def market(engine="full", **parts):
    """Three symbols for two hours, with much cross-margin and a small insurance fund."""
    venue = {"engine": engine, "insurance_frac": 0.0005}
    return MarketConfig(
        specs=SPECS,
        n_bars=STEPS // 15,
        bar=timedelta(minutes=15),
        step=timedelta(minutes=1),
        **{"venue": Venue(**venue), "cross": CrossMargin(share=0.3)} | parts,
    )


def opening(config, nearest=4):
    """Half of every side within 0.4 of price in logs, near ones first; a tenth of it in stops."""
    books = new_books(config, rules_of(config), n_bins=PATH_BINS)
    away = np.arange(nearest, 400)
    shares = 0.5 * np.exp(-away / 80.0) / np.exp(-away / 80.0).sum()
    for i in range(len(books.cells)):
        for side in (0, 1):
            here = np.floor((1 - 2 * side) * books.cells[i, VALUE] / BIN_WIDTH)
            for kind, part in enumerate((0.9, 0.1)):
                lane = LANES + LANE_SIZE * (2 * side + kind)
                coins = part * shares * books.cells[i, MASS + 2 * side]
                places = (here - away).astype(np.int64) & (PATH_BINS - 1)
                books.ring[i, 2 * side + kind, places] = coins
                books.cells[i, LANES + LANE_SIZE * 2 * side + FAR] -= coins.sum()
                books.cells[i, lane + TOP] = here - nearest
                books.cells[i, lane + FRONT] = here
    n = len(config.specs)
    return Opening(
        config=config,
        books=books,
        activity=np.linspace(0.8, 1.5, n),
        depth=np.tile([0.1, -0.2], (n, 1)),
        appetite=np.linspace(-0.1, 0.2, n),
        mood=np.linspace(0.5, -0.5, n),
    )


def quiet():
    n = len(SPECS)
    return Plan(
        news=np.zeros((n, STEPS)),
        depth=np.zeros((n, STEPS)),
        erosion=np.zeros((n, 2, STEPS)),
        collateral=np.ones(STEPS),
        supply=np.zeros((n, STEPS)),
        up=np.ones((n, STEPS), dtype=np.bool_),
        drained=np.zeros(STEPS, dtype=np.bool_),
    )


def storm(sign):
    """Every kind of shock: a crash for -1, a squeeze for 1."""
    plan = quiet()
    plan.news[:, 10:30] = sign * np.array([[0.003], [0.004], [0.008]])
    plan.news[2, 80:85] = -sign * 0.02  # and back, through the other side
    plan.depth[:, 10:60] = np.log(0.3)
    plan.erosion[:, 0, [5, 65]] = -sign * 0.004
    plan.erosion[:, 1, [5, 65]] = sign * 0.004
    plan.collateral[[20, 21, 70]] = 0.97, 0.99, 0.9
    plan.supply[0, 15:45] = -sign * 0.002
    plan.up[1, 40:55] = False
    plan.drained[60:] = True
    return plan


def both(start, plan, paths=PATHS, seed=7, kept=PATHS):
    """Futures of the compiled engine and of the oracle, and the market the latter leaves."""
    config = start.config
    rules, drivers = rules_of(config), drivers_of(start, plan, seed)
    compiled = new_futures((paths, len(SPECS), len(CHANNELS)), config.n_bars, kept)
    run_paths(rules, start.books, drivers, plan, compiled, (0, paths))
    plain = ORACLE["Market"](rules, start.books, drivers, plan, (0, paths))
    return compiled, ORACLE["simulate"](plain, kept), plain


def assert_equal(compiled, plain, rtol=1e-9):
    for name, one, other in zip(compiled._fields, compiled, plain, strict=True):
        scale = np.nanmax(np.abs(one), initial=0.0)
        np.testing.assert_allclose(other, one, rtol=rtol, atol=rtol * scale, err_msg=name)


@pytest.mark.parametrize("engine", ["full", "partial", "tiered"])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_the_engine_does_what_the_oracle_does_in_a_storm(engine, sign):
    compiled, plain, after = both(opening(market(engine)), storm(sign))

    assert_equal(compiled, plain)
    seen = dict(zip(CHANNELS, np.abs(compiled.moved).max(axis=(0, 1)), strict=True))
    assert min(seen.values()) > 1e-5, seen
    assert not compiled.diverged.any()
    assert compiled.adl_usd.sum() > 0.0
    assert compiled.liquidated_usd.sum(axis=0).min() > 0.0
    assert all(row.paid != [0.0, 0.0] for row in after.rows)


def test_the_engine_does_what_the_oracle_does_in_a_quiet_market():
    compiled, plain, _ = both(opening(market()), quiet(), paths=32, seed=8)

    assert_equal(compiled, plain, rtol=1e-11)


@pytest.mark.parametrize(
    "parts",
    [
        {"leverage_off": True},
        {"cross": CrossMargin(share=0.0)},
        {"habits": Habits(stop_share=0.0, topped_up=0.5, cut=0.5, call_distance=0.05)},
        {"venue": Venue(engine="partial", first_share=0.5, rest_after_s=600.0)},
        {"venue": Venue(engine="tiered", tier_share=0.1, tier_relief=0.0)},
    ],
    ids=["no leverage", "no cross-margin", "early calls", "slow partial", "small tiers"],
)
def test_the_engine_does_what_the_oracle_does_with_other_habits_and_venues(parts):
    compiled, plain, _ = both(opening(market(**parts)), storm(-1.0), seed=9)

    assert_equal(compiled, plain)


def test_a_path_that_diverges_is_marked_by_both_and_leaves_the_others_alone():
    plan = quiet()
    plan.news[0, 50] = 2.5
    start = opening(market())
    compiled, plain, _ = both(start, plan, paths=64)

    assert 0 < compiled.diverged.sum() < 64
    assert_equal(compiled, plain)
    assert np.isnan(compiled.end[compiled.diverged]).all()
    assert np.isfinite(compiled.end[~compiled.diverged]).all()


def test_the_parts_of_the_worst_move_sum_to_it():
    start = opening(market("partial"))
    compiled, _, _ = both(start, storm(-1.0))

    move = compiled.worst - np.log(start.prices)
    np.testing.assert_allclose(compiled.moved.sum(axis=2), move, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("engine", ["full", "partial", "tiered"])
def test_no_coin_is_lost_or_made(engine):
    """Both sides of every symbol hold its open interest, wherever on the way its coins are."""
    _, _, after = both(opening(market(engine)), storm(-1.0))

    for row in after.rows:
        for side in (0, 1):
            lanes = sum(lane.held() for lane in row.lanes[side])
            np.testing.assert_allclose(lanes, row.mass[side], rtol=1e-11)
            crossed = row.unit * after.basket.mass[side] + row.owed[side]
            held = row.mass[side] + row.queue[side] + crossed
            np.testing.assert_allclose(held, row.held, rtol=1e-11)


def test_the_bits_are_the_same_in_any_chunks_on_any_threads():
    start, plan, paths = opening(market("partial")), storm(-1.0), 200
    whole = new_futures((paths, len(SPECS), len(CHANNELS)), start.config.n_bars, paths)
    rules, drivers = rules_of(start.config), drivers_of(start, plan, 7)
    run_paths(rules, start.books, drivers, plan, whole, (0, paths))
    parts = new_futures((paths, len(SPECS), len(CHANNELS)), start.config.n_bars, paths)
    spans = [(150, 200), (0, 1), (1, 8), (8, 150)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda s: run_paths(rules, start.books, drivers, plan, parts, s), spans))
    ordered = [
        simulate_futures(start, plan, PathOrder(paths=paths, seed=7, threads=threads))
        for threads in (1, 3)
    ]
    for other in (parts, *ordered):
        for name, one, two in zip(whole._fields, whole, other, strict=True):
            np.testing.assert_array_equal(one, two, err_msg=name)


def test_the_engine_does_what_the_oracle_does_when_a_haircut_moves_the_nearest_cohort():
    ladder, mix = (2.0, 3.0, 5.0, 10.0), (0.4, 0.3, 0.2, 0.1)
    cross = CrossMargin(share=0.3, mix=mix)
    start = opening(market(leverage=Leverage(ladder=ladder, mix=mix), cross=cross), nearest=90)
    plan = quiet()
    plan.collateral[10] = 0.7
    plan.news[:, 60:90] = -0.005
    compiled, plain, _ = both(start, plan)

    assert_equal(compiled, plain)


def test_the_engine_does_what_the_oracle_does_when_added_collateral_is_next_to_nothing():
    compiled, plain, _ = both(opening(market(habits=Habits(top_up=0.0))), storm(-1.0))

    assert_equal(compiled, plain)


def test_a_slow_haircut_does_less_than_a_sudden_one_before_it_and_more_than_one_after():
    start, liquidated = opening(market()), []
    for first, steps in ((10, 1), (10, 60), (69, 1)):
        plan = quiet()
        plan.collateral[first : first + steps] = 0.9 ** (1.0 / steps)
        compiled, _, _ = both(start, plan)
        liquidated.append(compiled.liquidated_usd.sum())
    before, slow, after = liquidated

    assert after < slow < before


UNCOMPILED = """
import runpy, sys
import numpy as np
from liqwarn.simulation import monte_carlo
from liqwarn.simulation.layout import FAR, HELD, LANE_SIZE, LANES, MASS, OWED, QUEUE, SCALE, UNIT
from liqwarn.simulation.layout import WAITING

tests = runpy.run_path(sys.argv[1])
seen = []
finish = monte_carlo._finish
monte_carlo.borrowed = lambda array: array
monte_carlo._finish = lambda cells, out, path: (seen.append(cells.copy()), finish(cells, out, path))
rings = []
close = monte_carlo.rescale
monte_carlo.rescale = lambda cells, ring, i: (close(cells, ring, i), rings.append(ring))
start = tests["opening"](tests["market"]("partial"))
plan = tests["storm"](-1.0)
with np.errstate(all="ignore"):
    futures = monte_carlo.new_futures((1, 3, 9), start.config.n_bars, 1)
    rules = tests["rules_of"](start.config)
    drivers = tests["drivers_of"](start, plan, 7)
    monte_carlo.run_paths(rules, start.books, drivers, plan, futures, (0, 1))
cells, ring = seen[0], rings[-1]
for i in range(3):
    for side in (0, 1):
        lanes = 0.0
        for kind in (0, 1):
            lane = LANES + LANE_SIZE * (2 * side + kind)
            stored = ring[i, 2 * side + kind].sum() + cells[i, lane + FAR]
            lanes += cells[i, lane + SCALE] * stored + cells[i, lane + WAITING]
        mass = cells[i, MASS + 2 * side]
        np.testing.assert_allclose(lanes, mass, rtol=1e-11)
        basket = cells[i, UNIT] * cells[3, MASS + 2 * side]
        held = mass + cells[i, QUEUE + side] + cells[i, OWED + side] + basket
        np.testing.assert_allclose(held, cells[i, HELD], rtol=1e-11)
print(futures.end.tobytes().hex())
"""


def test_the_engine_itself_keeps_its_books_and_is_what_its_source_says(monkeypatch):
    """Run uncompiled, where its books can be seen, in another process."""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    done = subprocess.run(
        [sys.executable, "-c", UNCOMPILED, __file__],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    end = np.frombuffer(bytes.fromhex(done.stdout.strip()))
    compiled, _, _ = both(opening(market("partial")), storm(-1.0), paths=1)
    np.testing.assert_allclose(end, compiled.end[0], rtol=1e-12)


# -- random numbers --------------------------------------------------------------------------------


@njit
def compiled_draws(seed, stream, path, first, count):
    key = counter.key_of(seed, stream, path)
    out = np.empty((2, count))
    for k in range(count):
        out[0, k] = counter.uniform(key, first + k)
        out[1, k] = counter.normal(key, first + k)
    return out


def plain_uniforms(seed, stream, path, count, first=0):
    keys = ORACLE["keys_of"](seed, stream, np.array([path]))
    return ORACLE["uniforms"](keys, np.arange(first, first + count))[:, 0]


@pytest.mark.parametrize("place", [(0, 1, 0), (1, 2, 3), (2**63 - 1, 1, 10**7), (77, 2, 2**40)])
@pytest.mark.parametrize("first", [0, 10**12])
def test_the_generators_draw_the_same_numbers(place, first):
    compiled = compiled_draws(*place, first, 1_000)
    plain = plain_uniforms(*place, 1_000, first)

    np.testing.assert_array_equal(compiled[0], plain)
    np.testing.assert_allclose(compiled[1], norm.ppf(plain), rtol=1e-14)


def test_uniforms_are_uniform_and_never_0_or_1():
    drawn = compiled_draws(5, 1, 9, 0, 400_000)[0]

    assert 0.0 < drawn.min() < 1e-4
    assert 1.0 - 1e-4 < drawn.max() < 1.0
    assert kstest(drawn[:50_000], "uniform").pvalue > 1e-3
    for power in (1, 2, 3, 4):
        error = np.sqrt((1 / (2 * power + 1) - 1 / (power + 1) ** 2) / drawn.size)
        assert abs((drawn**power).mean() - 1 / (power + 1)) < 4 * error


def test_normals_are_the_quantiles_of_the_normal_distribution():
    drawn = compiled_draws(6, 2, 4, 0, 400_000)
    np.testing.assert_allclose(drawn[1], norm.ppf(drawn[0]), rtol=1e-14, atol=1e-14)

    extremes = np.array([2.0**-54, 1e-16, 1e-12, 1e-6, 0.075, 0.0750001, 0.5, 0.925, 1 - 2.0**-53])
    compiled = [counter.quantile(p) for p in extremes]
    np.testing.assert_allclose(compiled, norm.ppf(extremes), rtol=1e-14)


def test_neighbouring_streams_are_uncorrelated():
    """Of 171 pairs; a correlation of n independent pairs has a standard deviation of 1/√n."""
    count = 40_000
    places = [(seed, stream, path) for seed in (1, 2, 3) for stream in (1, 2) for path in (0, 1, 2)]
    rows = np.array([compiled_draws(*place, 0, count)[1] for place in (*places, (2**62, 1, 0))])
    related = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]

    assert np.abs(related).max() < 4.5 / np.sqrt(count)
    shifted = [
        np.corrcoef(row[lag:], row[: count - lag])[0, 1] for row in rows for lag in (1, 2, 39)
    ]
    assert np.abs(shifted).max() < 4.5 / np.sqrt(count)
