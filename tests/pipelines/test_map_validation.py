"""The document of map_validation.json: its keys, its numbers, and the marks on real history."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest

from liqwarn.frames import SIDES, MarketFrame
from liqwarn.liquidation.fit import FitConfig
from liqwarn.liquidation.frame_bars import bars_of
from liqwarn.liquidation.naive_maps import NAIVE_MAPS, naive_within
from liqwarn.liquidation.posterior import PRIOR
from liqwarn.liquidation.readings import EDGES, trace
from liqwarn.liquidation.validation import Outcome, score_map, wilson
from liqwarn.pipelines.engine import Engine
from liqwarn.pipelines.liquidation_map import MapJob, fit_map, venue_tiers
from liqwarn.pipelines.map_validation import validate_map, write_validation
from liqwarn.pipelines.market import MarketJob, open_market

ROOT = Path(__file__).parents[2]
CONFIG = FitConfig(n_candidates=8, n_draws=4, n_effective=3.0)
MARKS = {
    "precision_at_10pct", "wilson", "random", "rank_correlation", "within_move_rank_correlation",
}  # fmt: skip
BESIDE = {"unwalked", "move", "range", "volume", *NAIVE_MAPS}


class Backwards(Engine):
    """Does the last task first, as a cluster may, and gives results in the order asked for."""

    def map(self, task, items):
        items = list(items)
        done = {k: task(items[k]) for k in reversed(range(len(items)))}
        return iter([done[k] for k in range(len(items))])


def with_frame(market, frame):
    return replace(market, frame=frame)


def renewed(frame, **changed):
    return MarketFrame(
        symbols=frame.symbols,
        times=frame.times,
        bar=frame.bar,
        fields={**frame.fields, **changed},
        ages={},
    )


@pytest.fixture(scope="module")
def job():
    return MapJob(venue=None, config=CONFIG)


@pytest.fixture(scope="module")
def document(market, job):
    return validate_map(market, job)


def every_map(document):
    """Marks of every map of every symbol and side."""
    for sides in document["symbols"].values():
        for marks in sides.values():
            yield from (marks, *marks["baselines"].values(), *marks["sensitivity"].values())


def test_each_symbol_and_side_has_the_marks_of_the_contract(document, market):
    assert list(document["symbols"]) == list(market.frame.symbols)
    for sides in document["symbols"].values():
        assert tuple(sides) == SIDES
        for marks in sides.values():
            assert set(marks) >= MARKS | {"n_bars", "against", "months", "baselines"}
            assert set(marks["baselines"]) == BESIDE
            assert set(marks["sensitivity"]) == {
                "median leverage 5x", "median leverage 20x", "median leverage 60x",
            }  # fmt: skip


def test_every_map_is_marked_alike_on_the_same_bars(document):
    for sides in document["symbols"].values():
        for marks in sides.values():
            for other in marks["baselines"].values():
                assert set(other) >= MARKS
                assert "months" not in other
                assert other["n_bars"] == pytest.approx(marks["n_bars"], abs=1)
            for other in marks["sensitivity"].values():
                assert set(other) >= MARKS
                assert other["n_bars"] == marks["n_bars"]


def test_the_marks_can_be(document):
    for marks in every_map(document):
        low, high = marks["wilson"]
        assert 0.0 <= low <= marks["precision_at_10pct"] <= high <= 1.0
        assert marks["random"] == 0.1
        assert -1.0 <= marks["rank_correlation"] <= 1.0
        low, high = marks["within_move_interval"]
        assert low <= marks["within_move_rank_correlation"] <= high
        assert 0.0 < marks["volume_share_at_10pct"] < 1.0
        assert 0.0 < marks["effective_bars"] <= marks["n_bars"]


@pytest.mark.parametrize("row", [0, 1])
def test_the_marks_are_those_of_what_was_known_before_each_bar(document, market, job, row):
    """The same marks from the map's readings, worked out bar by bar."""
    symbol, side = "BTCUSDT", SIDES[row]
    work, draws = job.of(market.frame, symbol), fit_map(market.frame, job).draws
    frame, ours = work.frame, trace(work, draws)
    bars = bars_of(frame, symbol)
    n_bars = len(frame.times)
    ladder = np.where(np.isfinite(ours.within), naive_within(bars, EDGES)["ladder"], np.nan)
    price, moves = np.full(n_bars, np.nan), np.full(n_bars, np.nan)
    held = {"unwalked": ours.within[:, row], "ladder": ladder[:, row]}
    before = {name: np.full((n_bars, len(EDGES)), np.nan) for name in held}
    swept = {name: np.full(n_bars, np.nan) for name in held}
    for t in range(1, n_bars):
        price[t] = bars.close[t - 1]
        extreme = bars.low[t] if side == "long" else bars.high[t]
        moves[t] = abs(np.log(extreme / price[t])) if extreme != price[t] else 0.0
        if (extreme > price[t]) == (side == "long"):
            moves[t] = -moves[t]
        for name, within in held.items():
            before[name][t] = within[t - 1]
            at = np.clip(moves[t], 0.0, EDGES[-1])
            swept[name][t] = np.interp(at, [0.0, *EDGES], [0.0, *before[name][t]])
    closed = frame.times - np.timedelta64(1, "s")
    outcome = Outcome(
        realised=frame.field(f"{side}_liq_usd")[0] / bars.close,
        moves=moves,
        weeks=closed.astype("datetime64[D]").astype(int) // 7,
        months=closed.astype("datetime64[M]").astype(int),
    )

    found = document["symbols"][symbol][side]
    held_before = np.vstack([np.full((1, len(EDGES)), np.nan), ours.within[:-1, row]])
    expected = score_map(ours.swept[:, row], held_before, EDGES, outcome, 0)
    assert_alike({name: found[name] for name in expected}, expected)
    for name in held:
        expected = score_map(swept[name], before[name], EDGES, outcome, 0)
        del expected["months"]
        assert_alike(found["baselines"][name], expected)


def assert_alike(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        if name == "months":
            assert list(found[name]) == list(value)
        else:
            assert found[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


def test_only_bars_of_a_map_older_than_a_week_count(document, market):
    n_bars = len(market.frame.times)
    for marks in every_map(document):
        assert n_bars - 24 * 14 < marks["n_bars"] <= n_bars - 24 * 7 + 2


def test_the_move_knows_the_rank_but_not_the_place(document):
    for sides in document["symbols"].values():
        for marks in sides.values():
            assert marks["baselines"]["move"]["rank_correlation"] > 0.2


def test_precision_is_pooled_over_symbols_with_a_feed(document):
    for side in SIDES:
        marks = [sides[side] for sides in document["symbols"].values()]
        pooled = document["pooled"][side]
        weights = [one["effective_bars"] for one in marks]
        mean = np.average([one["precision_at_10pct"] for one in marks], weights=weights)
        assert pooled["n_symbols"] == 2
        assert pooled["precision_at_10pct"] == pytest.approx(mean)
        assert pooled["wilson"] == pytest.approx(list(wilson(mean, max(weights))))


def test_months_are_those_of_the_market(document, market):
    months = sorted({str(one)[:7] for one in market.frame.times.astype("datetime64[M]")})
    for sides in document["symbols"].values():
        for marks in sides.values():
            assert set(marks["months"]) <= set(months)
            assert len(marks["months"]) >= 5


def test_the_document_says_what_it_is_of(document, market):
    frame = market.frame
    assert document["schema"] == "liqwarn.map_validation/1"
    assert document["panel"] == market.panel.name
    assert document["market"] == "simulated"
    assert (document["panel_sha256"], document["data_sha256"]) == (
        market.panel_sha256, market.data_sha256,
    )  # fmt: skip
    assert document["first_bar"] == f"{frame.times[0]}Z"
    assert document["last_bar"] == f"{frame.times[-1]}Z"


def test_the_posterior_is_given_by_quarter(document):
    assert list(document["posterior"]) == ["2022-01", "2022-04"]
    for means in document["posterior"].values():
        assert set(means) == set(PRIOR)
        for name, (low, high) in PRIOR.items():
            assert low <= means[name] <= high


def test_it_is_written_whole_and_without_nan(document, tmp_path):
    path = write_validation(document, tmp_path / "deep" / "out")

    assert path == tmp_path / "deep" / "out" / "map_validation.json"
    told = orjson.loads(path.read_bytes())
    assert told == json.loads(json.dumps(document, allow_nan=False))
    assert set(told) == set(document)


def test_it_is_the_same_wherever_the_work_runs(document, market, job):
    told = []
    other = validate_map(
        market, job, engine=Backwards(), on_progress=lambda *step: told.append(step)
    )

    assert orjson.dumps(other) == orjson.dumps(document)
    assert told[-3:] == [("map: validation", k, 2) for k in range(3)]


def test_a_side_without_a_feed_is_held_against_falls_of_open_interest(document, market, job):
    for sides in document["symbols"].values():
        assert {marks["against"] for marks in sides.values()} == {"liquidations"}
    feed = market.frame.field("long_liq_usd").copy()
    feed[0] = np.nan
    bare = validate_map(with_frame(market, renewed(market.frame, long_liq_usd=feed)), job)

    found = {
        name: [m["against"] for m in sides.values()] for name, sides in bare["symbols"].items()
    }
    assert found == {
        "BTCUSDT": ["open interest falls", "liquidations"],
        "DOGEUSDT": ["liquidations", "liquidations"],
    }
    marks = bare["symbols"]["BTCUSDT"]["long"]
    assert marks["n_bars"] < 0.25 * document["symbols"]["BTCUSDT"]["long"]["n_bars"]
    assert [bare["pooled"][side]["n_symbols"] for side in SIDES] == [1, 2]


def test_a_symbol_without_open_interest_has_no_marks_and_says_so(market, job, tmp_path):
    coins = market.frame.field("open_interest").copy()
    coins[1] = np.nan
    bare = validate_map(with_frame(market, renewed(market.frame, open_interest=coins)), job)

    for marks in bare["symbols"]["DOGEUSDT"].values():
        assert marks["n_bars"] == 0
        assert "precision_at_10pct" not in marks
        assert all(one["n_bars"] == 0 for one in marks["baselines"].values())
    assert bare["symbols"]["BTCUSDT"]["long"]["n_bars"] > 3_000
    json.dumps(orjson.loads(write_validation(bare, tmp_path).read_bytes()), allow_nan=False)


def test_a_history_of_days_is_counted_and_not_judged(market, job):
    short = validate_map(with_frame(market, market.frame.between(0, 24 * 9)), job)

    for marks in (*every_map(short), *short["pooled"].values()):
        assert marks.get("n_bars", 0) < 100
        assert "wilson" not in marks


def test_the_map_of_a_market_of_chance_is_no_better_than_chance(market, job):
    """Liquidations that have nothing to do with price, and so nothing with any map."""
    rng = np.random.default_rng(11)
    price = market.frame.field("close")  # luck in coins: in USD it would go with the price
    luck = {
        f"{side}_liq_usd": rng.lognormal(10.0, 2.0, market.frame.shape) * price for side in SIDES
    }
    found = validate_map(with_frame(market, renewed(market.frame, **luck)), job)

    for sides in found["symbols"].values():
        for marks in sides.values():
            assert abs(marks["rank_correlation"]) < 0.05
            assert abs(marks["within_move_rank_correlation"]) < 0.05
            share, n = marks["precision_at_10pct"], marks["effective_bars"]
            low, high = wilson(share, n, level=0.999)  # of four, one may miss at 95 %
            assert low < 0.10 < high
            chance, spread = marks["shuffled_precision_of_bars"]
            assert marks["precision_of_bars"] == pytest.approx(chance, abs=5 * spread + 0.01)


@pytest.fixture(scope="module")
def bitcoin(real_data, tmp_path_factory):
    """Marks on real hourly bars of BTCUSDT, up to 2024."""
    panel = ROOT / "conf" / "panels" / "btc_core.yaml"
    store = tmp_path_factory.mktemp("btc")
    market = open_market(
        MarketJob(panel=panel, data=real_data, store=store), now=datetime(2025, 7, 1, tzinfo=UTC)
    )
    stop = int(np.searchsorted(market.frame.times, np.datetime64("2024-01-01"), side="right"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        job = MapJob(venue=venue_tiers(market.panel.venue))
    return validate_map(with_frame(market, market.frame.between(0, stop)), job)


def test_on_real_bitcoin_the_map_beats_chance_and_inside_equal_moves_the_naive_maps(bitcoin):
    for marks in bitcoin["symbols"]["BTCUSDT"].values():
        assert marks["against"] == "liquidations"
        assert marks["precision_at_10pct"] > 0.2
        assert marks["wilson"][0] > 0.15
        assert marks["within_move_rank_correlation"] > 0.35
        chance, spread = marks["shuffled_precision_of_bars"]
        assert marks["precision_of_bars"] > chance + 3 * spread
        for name in NAIVE_MAPS:
            other = marks["baselines"][name]
            assert marks["within_move_rank_correlation"] > other["within_move_rank_correlation"], (
                name
            )
