from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.decisions import Tier
from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, bar_times
from liqwarn.policy.book import step_book
from liqwarn.policy.history import NOT_STARTED, ScoreHistory, fold
from liqwarn.policy.position import Rule, first_position

HOUR = timedelta(hours=1)
N_BARS = 120
SYMBOLS = ("BTC", "DOGE", "ETH", "SOL")


def _scores(seed=0, *, n_bars=N_BARS, symbols=SYMBOLS):
    rng = np.random.default_rng(seed)
    shape = (len(symbols), n_bars, 2)
    quantile = rng.beta(0.6, 0.4, shape)
    p4 = 0.2 * quantile**8
    probability = np.stack([p4 / 2, p4, 2 * p4], axis=-1)
    missing = rng.random(shape[:2]) < 0.05
    probability[missing] = np.nan
    quantile[missing] = np.nan
    quality = np.where(rng.random(shape[:2]) < 0.05, "degraded", "ok")
    return ScoreHistory(
        symbols=symbols,
        times=bar_times(np.datetime64("2024-08-05T01:00:00"), n_bars, HOUR),
        bar=HOUR,
        horizons_h=(1, 4, 24),
        probability=probability,
        quantile=quantile,
        base_rate=np.full(shape, 0.01),
        in_progress=rng.random(shape) < 0.01,
        quality=quality,
    )


def _cut(scores, bars):
    arrays = ("probability", "quantile", "base_rate", "in_progress", "quality")
    return replace(
        scores,
        times=scores.times[bars],
        **{name: getattr(scores, name)[:, bars] for name in arrays},
    )


def test_the_fold_is_the_step_of_live(policy):
    scores = _scores()
    history = fold(scores, policy)
    positions = {}
    for bar, now in enumerate(scores.moments()):
        for symbol in scores.symbols:
            for side in SIDES:
                if bar == 0:
                    key = (symbol, side)
                    positions[key] = first_position(*key, now, bar=HOUR, policy=policy)
        given = {
            (symbol, side): scores.score(row, bar, j)
            for row, symbol in enumerate(scores.symbols)
            for j, side in enumerate(SIDES)
        }
        decisions, _ = step_book(positions, given, now, policy)
        positions = {key: decision.after for key, decision in decisions.items()}
        for (symbol, side), position in positions.items():
            cell = (scores.symbols.index(symbol), bar, SIDES.index(side))
            assert history.tiers[cell] == position.tier
            assert history.rules[cell] == position.rule
            assert history.sequences[cell] == position.sequence
    assert history.positions == positions
    assert len(np.unique(history.tiers)) >= 5


@pytest.mark.parametrize("cut", [1, 17, 119])
def test_carrying_on_from_a_position_is_the_same(policy, cut):
    scores = _scores(1)
    whole = fold(scores, policy)
    first = fold(_cut(scores, slice(None, cut)), policy)
    second = fold(_cut(scores, slice(cut, None)), policy, start=first.positions)
    assert np.array_equal(np.concatenate([first.tiers, second.tiers], axis=1), whole.tiers)
    assert second.positions == whole.positions


def test_a_symbol_starts_with_its_first_score(policy):
    scores = _scores(2)
    probability = scores.probability.copy()
    probability[1, :30] = np.nan
    probability[2] = np.nan
    history = fold(replace(scores, probability=probability), policy)
    assert (history.tiers[1, :30] == NOT_STARTED).all()
    assert (history.rules[1, :30] == "").all()
    assert (history.tiers[1, 30:] >= 0).all()
    assert (history.tiers[2, 5:] >= Tier.T3).all()
    assert history.expired[2].all()


def test_kept_are_all_changes_and_the_last_bar(policy):
    scores = _scores(3)
    history = fold(scores, policy)
    last = scores.moments()[-1]
    assert len([d for d in history.decisions if d.now == last]) == 2 * len(SYMBOLS)
    assert all(d.before.tier != d.after.tier for d in history.decisions if d.now != last)
    started = history.tiers[:, :-1] != NOT_STARTED
    changes = (started & (np.diff(history.tiers.astype(int), axis=1) != 0)).sum()
    earlier = [d for d in history.decisions if d.before.rule is not Rule.START]
    calm_at_the_end = sum(d.before.tier == d.after.tier for d in earlier)
    assert len(earlier) - calm_at_the_end == changes


def test_scores_come_back_as_values(start):
    scores = _scores(4)
    score = scores.score(0, 0, 1)
    assert (score.symbol, score.side, score.as_of) == ("BTC", "short", start + HOUR)
    assert set(score.probability) <= {1, 4, 24}
    missing = scores.probability.copy()
    missing[0, 0] = np.nan
    blank = replace(scores, probability=missing, quantile=np.full_like(scores.quantile, np.nan))
    assert (dict(blank.score(0, 0, 0).probability), blank.score(0, 0, 0).quantile) == ({}, None)


def test_arrays_that_do_not_fit_are_refused(policy):
    scores = _scores(5, n_bars=3)
    with pytest.raises(FrameError, match=r"quantile has shape \(4, 3\), expected \(4, 3, 2\)"):
        replace(scores, quantile=scores.quantile[..., 0])
    with pytest.raises(FrameError, match="expected 4 among them"):
        replace(scores, horizons_h=(1, 2, 24))
    with pytest.raises(FrameError, match=r"quality has {'fine'}, expected"):
        replace(scores, quality=np.full((4, 3), "fine"))
    stranger = {
        ("XRP", "long"): first_position("XRP", "long", scores.moments()[0], bar=HOUR, policy=policy)
    }
    with pytest.raises(FrameError, match=r"positions of \['XRP'\]"):
        fold(scores, policy, start=stranger)
