"""What a side may hold is what binds it, bar by bar."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.decisions import TradingState
from liqwarn.errors import PolicyError
from liqwarn.frames import SIDES, bar_times
from liqwarn.policy.allowance import Allowance, allowance
from liqwarn.policy.book import advance_book
from liqwarn.policy.breaker import Evidence
from liqwarn.policy.history import ScoreHistory, fold
from liqwarn.policy.position import first_position
from liqwarn.policy.restriction import binding

HOUR = timedelta(hours=1)


def _scores(n_bars=200, seed=0):
    rng = np.random.default_rng(seed)
    shape = (1, n_bars, 2)
    quantile = rng.beta(0.6, 0.4, shape)
    probability = 0.3 * quantile**6
    probability[0, 90:97] = np.nan  # a silent feed
    return ScoreHistory(
        symbols=("BTC",),
        times=bar_times(np.datetime64("2024-08-05T01:00:00"), n_bars, HOUR),
        bar=HOUR,
        horizons_h=(4,),
        probability=probability[..., None],
        quantile=np.where(np.isnan(probability), np.nan, quantile),
        base_rate=np.full(shape, 0.01),
        in_progress=rng.random(shape) < 0.02,
        quality=np.where(rng.random(shape[:2]) < 0.05, "degraded", "ok"),
    )


def test_limits_read_from_a_history_are_those_that_bind(policy):
    scores = _scores()
    history = fold(scores, policy)
    read = [allowance(history, policy, 0, side) for side in range(2)]
    moments = scores.moments()
    positions = {
        ("BTC", side): first_position("BTC", side, moments[0], bar=HOUR, policy=policy)
        for side in SIDES
    }
    for bar, now in enumerate(moments):
        given = {("BTC", side): evidence_at(scores, bar, k, now) for k, side in enumerate(SIDES)}
        decided = advance_book(positions, given, now, policy)
        positions = {key: decision.after for key, decision in decided.items()}
        for k, side in enumerate(SIDES):
            pair = positions["BTC", side], positions["BTC", SIDES[1 - k]]
            limits, state = binding(*pair, now, policy)
            assert read[k].leverage_frac[bar] == limits.leverage_frac
            assert read[k].add_frac[bar] == limits.add_frac
            assert read[k].may_increase[bar] == limits.net_increase
            assert read[k].may_increase[bar] == (state is TradingState.ACTIVE)
    assert len(np.unique(history.tiers)) == 5
    assert not read[0].may_increase[92]


def evidence_at(scores, bar, side, now):
    p, quality = scores.probability[0, bar, side, 0], scores.quality[0, bar]
    return Evidence(
        as_of=now,
        probability=float(p),
        quantile=float(scores.quantile[0, bar, side]),
        base_rate=0.01,
        in_progress=bool(scores.in_progress[0, bar, side]),
        degraded=bool(quality != "ok" or np.isnan(scores.quantile[0, bar, side])),
        usable=bool(np.isfinite(p)),
    )


def test_before_its_first_score_a_side_may_hold_nothing(policy):
    scores = _scores()
    late = scores.probability.copy()
    late[0, :10] = np.nan
    allowed = allowance(fold(replace(scores, probability=late), policy), policy, 0, 0)

    assert (allowed.leverage_frac[:10] == 0.0).all()
    assert not allowed.may_increase[:10].any()
    assert (allowed.leverage_frac[10:] > 0.0).all()


def test_tiers_beyond_the_policy_are_refused(policy):
    history = fold(_scores(20), policy)
    with pytest.raises(PolicyError, match="history has tier 9, expected below 6"):
        allowance(replace(history, tiers=np.full_like(history.tiers, 9)), policy, 0, 0)


@pytest.mark.parametrize(
    ("cap", "add", "grows", "expected"),
    [
        ([1, 1], [1, 1], [True, True], [4, 4]),  # nothing restricts
        ([1, 0.5], [1, 0.5], [True, True], [4, 2]),  # down to the cap at once
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [True] * 3, [1, 1.5, 1.75]),  # half of the room a bar
        ([0.5, 1, 1], [1, 0, 1], [True, False, True], [2, 2, 4]),  # reduce-only never grows
        ([1, 0.5, 1], [1, 0, 0], [True, False, False], [4, 2, 2]),  # but it does come down
    ],
)
def test_a_book_that_obeys(cap, add, grows, expected):
    allowed = Allowance(
        leverage_frac=np.array(cap, dtype=float),
        add_frac=np.array(add, dtype=float),
        may_increase=np.array(grows),
    )
    assert allowed.leverage(4.0).tolist() == expected
