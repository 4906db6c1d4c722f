"""What the breaker is worth, from a walk-forward to rows: coherent, paired, past only."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES
from liqwarn.models.baselines import BASELINES
from liqwarn.models.calibration import Calibrated
from liqwarn.models.evaluation import EvaluationPlan, out_of_sample
from liqwarn.models.rows import make_rows
from liqwarn.pipelines.breaker_replay import replayed_scores
from liqwarn.pipelines.policy_utility import UtilityOrder, policy_utility
from liqwarn.policy.utility import STRATEGIES

ORDER = UtilityOrder(model="B2", n_bootstrap=100)
KEYS = (
    "side",
    "strategy",
    "mean_exposure",
    "pnl_frac",
    "loss_in_events_frac",
    "carry_frac",
    "cost_frac",
    "worst_week_frac",
    "max_drawdown_frac",
    "liquidations",
    "turnover",
)
DELTAS = (
    "delta_vs_volatility_target",
    "delta_vs_unrestricted",
    "delta_loss_in_events_vs_volatility_target",
)


def har(_seed):
    return Calibrated(BASELINES["B2"])


@pytest.fixture(scope="module")
def found(thin):
    """HAR's, blurred: in so short a market one side has the base rate alone, and no ranks."""
    rows = make_rows(thin.matrix, thin.labels, thin.milder)
    made = out_of_sample(rows, EvaluationPlan(), {"B2": har})[0]
    blur = np.random.default_rng(1).uniform(0.5, 1.5, made.p["B2"].shape)
    return replace(made, p={"B2": made.p["B2"] * blur})


@pytest.fixture(scope="module")
def rows(thin, found, policy):
    return policy_utility(thin, found, policy, ORDER)


def row(rows, side, strategy):
    return next(r for r in rows if (r["side"], r["strategy"]) == (side, strategy))


def test_a_row_a_side_and_strategy_in_the_agreed_shape(rows):
    assert [(r["side"], r["strategy"]) for r in rows] == [
        (side, strategy) for side in SIDES for strategy in STRATEGIES
    ]
    for given in rows:
        expected = KEYS + (DELTAS if given["strategy"] == "breaker" else ())
        assert tuple(given) == expected
        assert np.isfinite([given[key] for key in KEYS[2:]]).all()
        assert given["cost_frac"] > 0 < given["turnover"]


@pytest.mark.parametrize("side", SIDES)
def test_exposure_is_equal_and_differences_are_those_of_the_rows(rows, side):
    free, ours, rival = (row(rows, side, name) for name in STRATEGIES)
    assert free["mean_exposure"] > ours["mean_exposure"]
    if not rival["liquidations"]:
        assert rival["mean_exposure"] == pytest.approx(ours["mean_exposure"], abs=1e-9)
    gained = ours["delta_vs_volatility_target"]
    assert gained["mean"] == pytest.approx(ours["pnl_frac"] - rival["pnl_frac"])
    against = ours["delta_vs_unrestricted"]
    assert against["mean"] == pytest.approx(ours["pnl_frac"] - free["pnl_frac"])
    lost = ours["delta_loss_in_events_vs_volatility_target"]
    assert lost["mean"] == pytest.approx(ours["loss_in_events_frac"] - rival["loss_in_events_frac"])
    for name in DELTAS:
        low, high = ours[name]["ci"]
        assert low < high
        assert low <= ours[name]["mean"] <= high


def test_carry_is_paid_by_one_side_and_received_by_the_other(rows):
    """Unrestricted books of both sides hold the same notional when neither is liquidated."""
    long, short = (row(rows, side, "unrestricted") for side in SIDES)
    if long["liquidations"] == short["liquidations"] == 0:
        assert long["carry_frac"] == pytest.approx(-short["carry_frac"])
    assert long["carry_frac"] * short["carry_frac"] < 0


def test_a_breaker_that_is_never_worried_is_the_unrestricted_book(thin, found, policy):
    """Tiny probabilities, no cascade seen, nothing missing or strange: T0 after the warm-up."""
    rng = np.random.default_rng(0)
    calm = {"B2": rng.uniform(0, 1e-6, found.p["B2"].shape)}
    market = thin.market
    whole = replace(market.quality, quality=np.full_like(market.quality.quality, "ok"))
    quiet = replace(thin, events=(), market=replace(market, quality=whole))
    every = make_rows(thin.matrix, thin.labels, thin.milder)
    plain = replace(every, X=np.zeros_like(every.X))
    tested = replace(found, p=calm, rows=replace(found.rows, X=np.zeros_like(found.rows.X)))
    rows = policy_utility(quiet, tested, policy, ORDER, training=plain)
    for side in SIDES:
        ours, free = row(rows, side, "breaker"), row(rows, side, "unrestricted")
        assert ours["mean_exposure"] == pytest.approx(free["mean_exposure"], rel=0.02)
        assert ours["turnover"] == pytest.approx(free["turnover"], rel=0.25)
        assert ours["delta_vs_unrestricted"]["mean"] == pytest.approx(0.0, abs=0.05)


def test_knowing_the_outcome_pays(thin, found, policy):
    """A positive control: a breaker that knows what comes holds half of it in events."""
    known = np.where(np.isfinite(found.rows.y), found.rows.y, 1.0)
    knows = {"B2": np.clip(known, 0.001, 0.99)}
    told = policy_utility(thin, replace(found, p=knows), policy, ORDER)
    for side in SIDES:
        ours, free = row(told, side, "breaker"), row(told, side, "unrestricted")
        assert ours["loss_in_events_frac"] < 0.7 * free["loss_in_events_frac"]


def test_a_model_that_was_not_run_is_refused(thin, found, policy):
    with pytest.raises(
        ModelError, match=r"no probabilities of 'liqwarn', expected one of \['B2'\]"
    ):
        policy_utility(thin, found, policy)


def test_a_test_span_too_short_to_rank_a_score_has_no_rows(thin, found, policy):
    few = found.rows.times < found.rows.times.min() + np.timedelta64(20, "D")
    short = replace(
        found,
        rows=found.rows.take(np.flatnonzero(few)),
        fold=found.fold[few],
        p={"B2": found.p["B2"][few]},
    )

    assert policy_utility(thin, short, policy, ORDER) == []


def test_a_bar_unlike_training_is_degraded_in_the_replay_as_it_would_be_live(thin, found):
    frame, rows = thin.market.frame, found.rows
    good = thin.market.quality.quality == "ok"
    cells = np.searchsorted(frame.symbols, rows.symbols), np.searchsorted(frame.times, rows.times)
    before = replayed_scores(thin, found, "B2").quality
    first = int(np.searchsorted(frame.times, rows.times.min()))
    chosen = int(np.flatnonzero(good[cells] & (before[cells[0], cells[1] - first] == "ok"))[0])
    odd = rows.X.copy()
    odd[chosen] *= 1e6

    after = replayed_scores(thin, replace(found, rows=replace(rows, X=odd)), "B2").quality

    symbol = frame.symbols.index(rows.symbols[chosen])
    changed = np.argwhere(before != after)
    assert {cell[0] for cell in changed.tolist()} <= {symbol}
    assert (after[tuple(changed.T)] == "degraded").all()
    assert len(changed) == 1


def test_base_rates_are_those_of_the_rows_that_trained(thin, found):
    every = make_rows(thin.matrix, thin.labels, thin.milder)
    certain = replace(every, y=np.where(np.isfinite(every.y), 1.0, np.nan))

    assert (replayed_scores(thin, found, "B2", training=certain).base_rate == 1.0).all()
    assert (replayed_scores(thin, found, "B2").base_rate < 0.5).all()
