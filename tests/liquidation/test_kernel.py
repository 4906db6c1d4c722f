"""The liquidation map's inner loop: a plain oracle, laws, and mutants that they reject.

A mutant is the kernel's own source with one line changed, run by the interpreter.
"""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.liquidation import kernel, kernel_pages, kernel_reading
from liqwarn.liquidation.kernel import BINS, LANES, ROWS, STATE_SIZE, WORK_SIZE, Reading
from liqwarn.liquidation.paged_mass import PagedMass

PlainMap = runpy.run_path(str(Path(__file__).with_name("plain_map.py")))["PlainMap"]
PARTS = (kernel_pages, kernel_reading, kernel)
LEVERAGES = np.array([2.0, 3, 5, 7, 10, 20, 25, 50, 75, 100])
TOTAL, GROWTH, FRONT, BOTTOM, KEPT, GROW, DISTANCE, MIX, RAISED, LOWERED = (
    slice(LANES * k, LANES * (k + 1)) for k in range(10)
)
EDGES = np.array([0.0, 0.3, 1.0, 2.5, 10.0, 33.3, 100.0, 400.0])
SEEDS = st.integers(0, 2**20)
CALM = settings(deadline=None, max_examples=12, derandomize=True)


def rates(ageing=0.02, alike=False):
    """Work of an empty map; `ageing` is what a step takes from leverage 100."""
    kept = (1.0 - ageing) ** (LEVERAGES / 100.0)
    below = -np.log((1.0 - 1.0 / LEVERAGES) / 0.995) * 1000.0
    above = np.log((1.0 + 1.0 / LEVERAGES) / 1.005) * 1000.0
    mixes = [np.exp(-(np.log(LEVERAGES / centre) ** 2) / 1.6) for centre in (20.0, 30.0, 12.0)]
    mix, high, low = (one / one.sum() for one in mixes)
    work = np.zeros(WORK_SIZE)
    work[:STATE_SIZE] = kernel.fresh_lanes()
    work[KEPT], work[GROW], work[MIX] = np.tile([kept, 1.0 / kept, mix], 2)
    work[RAISED], work[LOWERED] = np.tile([high - mix, low - mix], 2)
    work[DISTANCE] = np.concatenate([below, below if alike else above])
    return work


def market(seed, n_steps, drift=0.0):
    """A random path with fat tails and jumps; open interest collapses, vanishes, is not known."""
    rng = np.random.default_rng(seed)
    moves = drift + rng.standard_t(3, n_steps) * rng.choice([0.5, 2.0, 8.0])
    moves += rng.normal(0.0, 150.0, n_steps) * (rng.random(n_steps) < 0.01)
    close = rng.choice([-6900.0, 0.0, 11_000.0]) + np.cumsum(moves)
    close = np.where(rng.random(n_steps) < 0.05, np.round(close), close)  # between two bins
    before = np.concatenate([close[:1], close[:-1]])
    wick = np.where(rng.random((2, n_steps)) < 0.1, 0.0, rng.exponential(1.0, (2, n_steps)))
    low, high = np.minimum(before, close) - wick[0], np.maximum(before, close) + wick[1]
    entry = low + (high - low) * rng.random(n_steps)
    stock = 1e5 * np.exp(np.cumsum(rng.normal(0.0, 0.004, n_steps)))
    stock *= rng.choice([1.0, 0.3, 3.0, 1e-4, 0.0], n_steps, p=[0.94, 0.03, 0.02, 0.005, 0.005])
    stock[rng.random(n_steps) < 0.05] = np.nan
    crowding = np.clip(np.cumsum(rng.normal(0.0, 0.3, n_steps)), -1.0, 1.0)
    return np.stack([low, high, close, entry, stock, crowding])


def calm(seed, n_steps, drift=0.0):
    """A market without faults, whose open interest never collapses."""
    path = market(seed, n_steps, drift)
    path[4] = 1e5 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.004, n_steps)))
    return path


class Walk:
    """A map on its way: `run` may be the kernel or a mutant of it."""

    def __init__(self, run, work, every=7):
        self.run, self.every = run, every
        self.mass, self.work, self.steps = np.zeros((LANES, BINS)), work.copy(), 0

    def over(self, path):
        """Coins swept, and what was read after every so many steps."""
        n_steps = path.shape[1]
        at = np.arange(n_steps)
        at[(at + self.steps) % self.every > 0] = -1
        within = np.zeros((n_steps, 2, len(EDGES)))
        density = np.full((2, int(EDGES[-1]) + 2), np.nan)
        reading = Reading(np.zeros((n_steps, 2)), at, EDGES, within, np.zeros_like(within), density)
        self.run(self.mass, self.work, np.ascontiguousarray(path), self.steps, reading, None)
        self.steps += n_steps
        np.testing.assert_allclose(reading.square, within**2, rtol=1e-12)
        return reading.swept, within

    def sweep(self, low=-1e6, high=1e6):
        """Price goes there, and nothing else happens: coins swept."""
        return self.over(np.array([[low], [high], [(low + high) / 2], [0.0], [np.nan], [0.0]]))[0][
            0
        ]

    def copy(self):
        other = Walk(self.run, self.work, self.every)
        other.mass, other.steps = self.mass.copy(), self.steps
        return other

    @property
    def held(self):
        return self.work[TOTAL].reshape(2, ROWS).sum(axis=1)

    @property
    def state(self):
        return self.mass.tobytes() + self.work[:STATE_SIZE].tobytes()


def close_to(found, expected, scale, tolerance):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


# --- laws -----------------------------------------------------------------------------------


def law_oracle(run, path, work):
    """What is swept, held and read is what the plain map says."""
    walk, plain = Walk(run, work), PlainMap(work, path)
    swept, within = walk.over(path)
    expected = np.array([plain.step(*step) for step in path.T[: path.shape[1] // 2]])
    middle = Walk(run, work)
    half = path.shape[1] // 2
    middle.over(path[:, :half])
    scale = np.nanmax(path[4])
    close_to(middle.work[TOTAL], plain.totals(), scale, 1e-9)
    for at in range(half, path.shape[1]):
        expected = np.vstack([expected, plain.step(*path[:, at])])
        if at % walk.every == 0:
            close_to(within[at], plain.within(path[2, at], EDGES), scale, 1e-9)
    close_to(swept, expected, scale, 1e-9)
    close_to(walk.work[TOTAL], plain.totals(), scale, 1e-9)


def law_conserved(run, path, work):
    """Each side's lanes sum to open interest, and each lane's bins to the lane; none negative."""
    walk, largest = Walk(run, work), 0.0
    for at in range(path.shape[1]):
        before = walk.held
        swept, _ = walk.over(path[:, at : at + 1])
        largest = max(np.nan_to_num(path[4, at]), before.max())
        expected = before - swept[0] if np.isnan(path[4, at]) else path[4, at]
        close_to(walk.held, expected, largest, 1e-12)
        coins = walk.mass.sum(axis=1) / walk.work[GROWTH]
        close_to(coins, walk.work[TOTAL], largest, 1e-12)
        assert min(walk.mass.min(), walk.work[TOTAL].min(), swept.min()) >= 0.0


def law_liquidated(run, path, work):
    """Nothing is left where price has been, and a sweep of the same prices finds nothing."""
    walk = Walk(run, work)
    for at in range(0, path.shape[1], 5):
        walk.over(path[:, at : at + 5])
        low, high, close = path[:3, min(at + 4, path.shape[1] - 1)]
        fronts = walk.work[FRONT].reshape(2, ROWS)
        assert (fronts <= [[close], [-close]]).all()
        once = walk.copy()
        once.sweep(low, high)
        assert (once.work[FRONT].reshape(2, ROWS) <= [[low], [-high]]).all()
        assert not once.sweep(low, high).any()


def law_deeper_sweeps_more(run, path, work):
    """Going further never sweeps less; going in two steps sweeps as much as going at once."""
    walk = Walk(run, work)
    walk.over(path)
    close, held = path[2, -1], walk.held.max()
    before = np.zeros(2)
    stepwise, total = walk.copy(), np.zeros(2)
    for move in np.concatenate([np.linspace(0.0, 30.0, 31), np.linspace(31.7, 9e3, 20)]):
        swept = walk.copy().sweep(close - move, close + move)
        total += stepwise.sweep(close - move, close + move)
        assert (swept >= before - 1e-12 * held).all()
        close_to(total, swept, held, 1e-12)
        before = swept
    close_to(before, walk.held, held, 1e-12)


def law_any_chunks(run, path, work):
    """Any cuts give the same bits."""
    whole = Walk(run, work)
    swept, within = whole.over(path)
    cuts = np.sort(np.random.default_rng(path.shape[1]).integers(0, path.shape[1], 9))
    parts = Walk(run, work)
    pieces = [parts.over(piece) for piece in np.split(path, cuts, axis=1)]
    assert parts.state == whole.state
    assert np.concatenate([one for one, _ in pieces]).tobytes() == swept.tobytes()
    assert np.concatenate([one for _, one in pieces]).tobytes() == within.tobytes()


def law_mirrored(run, path, work):
    """In a mirrored market shorts are what longs were, bit for bit."""
    alike = work.copy()
    alike[DISTANCE] = np.tile(work[DISTANCE][:ROWS], 2)
    low, high, close, entry, stock, crowding = path
    one, other = Walk(run, alike), Walk(run, alike)
    swept, within = one.over(path)
    mirrored = other.over(np.stack([-high, -low, -close, -entry, stock, -crowding]))
    assert mirrored[0].tobytes() == swept[:, ::-1].tobytes()
    assert mirrored[1].tobytes() == within[:, ::-1].tobytes()
    assert np.roll(other.mass, ROWS, axis=0).tobytes() == one.mass.tobytes()


def law_unit(run, path, work):
    """The unit in which a lane's mass is kept cannot be seen."""
    half = path.shape[1] // 2
    walk = Walk(run, work)
    walk.over(path[:, :half])
    other = walk.copy()
    scale = 2.0 ** np.arange(-LANES, LANES, 2)
    other.mass *= scale[:, None]
    other.work[GROWTH] *= scale
    for one, same in zip(walk.over(path[:, half:]), other.over(path[:, half:]), strict=True):
        close_to(same, one, np.nanmax(path[4]), 1e-12)
    close_to(other.work[TOTAL], walk.work[TOTAL], np.nanmax(path[4]), 1e-12)


LAWS = {
    "oracle": law_oracle,
    "conserved": law_conserved,
    "liquidated": law_liquidated,
    "deeper": law_deeper_sweeps_more,
    "chunks": law_any_chunks,
    "mirrored": law_mirrored,
    "unit": law_unit,
}
MARKETS = {
    "calm": (calm, {}),
    "faulty": (market, {}),
    "rising": (calm, {"drift": 12.0}),  # rings fold
    "ageing": (calm, {"ageing": 0.6}),  # growth is scaled back
}


def case(kind, seed, n_steps):
    make, options = MARKETS[kind]
    ageing = options.get("ageing", 0.005 if kind == "rising" else 0.02)
    return make(seed, n_steps, options.get("drift", 0.0)), rates(ageing)


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("law", LAWS)
@CALM
@given(seed=SEEDS)
def test_the_kernel_obeys_every_law(law, kind, seed):
    LAWS[law](kernel.run, *case(kind, seed, 400))


@pytest.mark.parametrize("kind", MARKETS)
def test_the_kernel_is_the_plain_map_over_thousands_of_bars(kind):
    law_oracle(kernel.run, *case(kind, 5, 3_000))


def test_maps_do_not_see_one_another():
    path, work = calm(1, 300), rates()
    alone = Walk(kernel.run, work)
    alone.over(path)
    masses = np.full((3, LANES, BINS), np.nan)
    walk = Walk(kernel.run, work)
    masses[1] = 0.0
    walk.mass = masses[1]
    walk.over(path)
    assert walk.state == alone.state
    assert np.isnan(masses[[0, 2]]).all()


def test_closing_everything_leaves_nothing_and_the_map_goes_on():
    path, work = calm(2, 200), rates()
    path[4, 100:120] = 0.0
    walk = Walk(kernel.run, work)
    walk.over(path[:, :120])
    assert (walk.held <= 1e-9).all()
    assert not np.isnan(walk.work).any()
    walk.over(path[:, 120:])
    close_to(walk.held, path[4, -1], path[4, -1], 1e-12)


def test_a_lane_deeper_than_its_ring_is_not_read_a_second_time_near_the_price():
    work = rates(ageing=1e-9)
    climb = np.linspace(0.0, 2_500.0, 2_501)
    path = np.stack([climb, climb, climb, climb, np.full(2_501, np.nan), np.zeros(2_501)])
    path[4, 0] = 1e5
    walk = Walk(kernel.run, work, every=1)
    _, within = walk.over(path)
    assert within[0, 0, -1] > 0.0
    assert not within[2_000:, 0].any()


# --- mutants --------------------------------------------------------------------------------


def interpreted(old="", new=""):
    """The kernel's `run` from its source, one text replaced, not compiled."""
    source = "\n".join(Path(one.__file__).read_text() for one in PARTS)
    assert source.count(old) == 1 or not old, f"{old!r} occurs {source.count(old)} times"
    for decorator in ("@compiled\n", "@inlined\n"):
        source = source.replace(decorator, "")
    for part in PARTS:  # each finds the others in the one text
        lines = rf"from {part.__name__} import (\([^)]*\)|[^(\n]*)\n"
        source = re.sub(lines, "", source)
    names = {"__name__": "mutant"}
    exec(compile(source.replace(old, new) if old else source, "mutant", "exec"), names)
    return SimpleNamespace(**names).run


MUTANTS = {
    "mass forgets to age": ("work[_GROWTH + lane] * work[_GROW + lane]", "work[_GROWTH + lane]"),
    "swept bins stay full": (
        "            cells[slot(pages, lane, b)] = 0.0\n        c",
        "        c",
    ),
    "the last bin is swept whole": ("((ceiling - limit) / (ceiling - last))", "1.0"),
    "a front stays where it was": ("work[_FRONT + lane] = limit", "pass"),
    "nothing is closed": ("left = 1.0 - ratio", "left = 1.0 - 0.0 * ratio"),
    "what an emptied lane owes is forgiven": ("over -= left *", "over -= 0.0 *"),
    "both sides are crowded": ("(up if long else down)", "up"),
    "shorts open what longs miss": ("shorts = path[4, t] - _held(work, ROWS)", "shorts = longs"),
    "scaling back counts from the chunk": ("(first_step + t) & _CHECK", "t & _CHECK"),
    "scaling back forgets the mass": ("cells[k] /= growth", "pass"),
    "folding loses coins": ("cells[own(cells, pages, lane, bottom)] += deep", "pass"),
    "folding comes too late": ("return deepest + (BINS - 1)", "return deepest + 2 * BINS"),
    "new fronts are forgotten": ("return front if front > top else top,", "return top,"),
    "a cohort may open above the close": ("level if level < highest else later", "level"),
    "reading forgets growth": ("= 1.0 / work[_GROWTH + lane]", "= 1.0"),
    "a reading skips the ring's seam": ("room - here, cells", "0, cells"),
    "the price's own bin is read whole": ("(edges[inside] / offset)", "1.0"),
}


SEEN_IN = {
    "scaling back counts from the chunk": "ageing",
    "scaling back forgets the mass": "ageing",
    "folding loses coins": "rising",
    "folding comes too late": "rising",
    "a reading skips the ring's seam": "rising",
}


def first_broken_law(run, path, work):
    for name, law in LAWS.items():
        try:
            law(run, path, work)
        except AssertionError:
            return name
    return None


@pytest.mark.parametrize("kind", MARKETS)
def test_the_source_run_by_the_interpreter_gives_the_bits_of_the_compiled_kernel(kind):
    path, work = case(kind, 3, 260)
    one, other = Walk(kernel.run, work), Walk(interpreted(), work)
    swept, within = one.over(path)
    plain, read = other.over(path)
    assert other.state == one.state
    assert plain.tobytes() == swept.tobytes()
    assert read.tobytes() == within.tobytes()


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a mutant may divide by nothing
def test_the_laws_reject_a_mutant(mutant):
    kind = SEEN_IN.get(mutant, "faulty")
    assert first_broken_law(interpreted(*MUTANTS[mutant]), *case(kind, 3, 260))


# --- pages ----------------------------------------------------------------------------------


class PagedWalk(Walk):
    """The same map on pages of a pool; its mass, when it is asked for, as a ring."""

    def __init__(self, run, work, paged, row=0, every=7):
        super().__init__(run, work, every)
        self.paged, self.row = paged, row
        self.run = lambda mass, *rest: run(paged.cells, *rest[:-1], paged.tables[row, 0])

    def over(self, path):
        found = super().over(path)
        self.mass = self.paged.dense(self.row)[0]
        return found


def pages_of(paged):
    """The pages that the tables name, ascending."""
    return np.sort(paged.tables[paged.tables > 0])


def check_pool(paged):
    """No page is two bins', the first one is empty, and the count is right."""
    pages = pages_of(paged)
    assert len(np.unique(pages)) == len(pages)
    assert not paged.cells[0].any()
    assert paged.held_bytes == paged.cells[pages].nbytes


@pytest.mark.parametrize("kind", MARKETS)
@CALM
@given(seed=SEEDS)
def test_on_pages_it_is_the_same_map_bit_for_bit(kind, seed):
    path, work = case(kind, seed, 400)
    paged = PagedMass(2, 1)
    walk = Walk(kernel.run, work)
    others = [PagedWalk(kernel.run, work, paged, row) for row in range(2)]
    for piece in np.split(path, 4, axis=1):
        swept, within = walk.over(piece)
        for other in others:  # two maps that take and give back by turns
            found, read = other.over(piece)
            assert found.tobytes() == swept.tobytes()
            assert read.tobytes() == within.tobytes()
            assert other.state == walk.state
    check_pool(paged)


def test_pages_given_back_are_taken_again():
    work = rates()
    paged = PagedMass(1, 1)
    walk = PagedWalk(kernel.run, work, paged)
    path = calm(4, 300)
    walk.over(path)
    taken = pages_of(paged).max()
    before = paged.held_bytes
    walk.sweep()
    assert not walk.mass.any()
    assert paged.held_bytes < before / 10
    walk.over(path)
    assert paged.held_bytes > before / 2
    assert pages_of(paged).max() <= taken
    check_pool(paged)


PAGE_MUTANTS = {
    "a page is not taken": ("if pages is not None and _homeless(pages, work):", "if False:"),
    "a page given back is not empty": ("empty &= cells[k] == 0.0", "pass"),
    "a page taken again keeps what it held": ("cells[PAGE * page] = 0.0", "pass"),
    "a page is read from its beginning": ("table[lane] + inside,", "table[lane],"),
}


@pytest.mark.parametrize("mutant", PAGE_MUTANTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a mutant may divide by nothing
def test_a_mutant_on_pages_is_another_map(mutant):
    path, work = case("rising" if "not empty" in mutant else "faulty", 3, 260)
    walk = Walk(kernel.run, work)
    other = PagedWalk(interpreted(*PAGE_MUTANTS[mutant]), work, PagedMass(1, 1))
    expected, found = walk.over(path), other.over(path)
    same = [one.tobytes() == two.tobytes() for one, two in zip(expected, found, strict=True)]
    assert not (all(same) and other.state == walk.state)
