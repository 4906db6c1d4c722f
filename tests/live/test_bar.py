"""What a bar's scores mean to the breaker, and which symbols get a flag."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.decisions import ModelStamp, Tier
from liqwarn.errors import PolicyError
from liqwarn.live.bar import flags_of
from liqwarn.policy.flags import FlagSource

NAN = float("nan")
SOURCE = FlagSource(
    model=ModelStamp(version="1", sha256="ab" * 32), data_sha256="cd" * 32, completeness=0.0
)


def issued(bar, policy, after=timedelta(seconds=1)):
    return list(flags_of(bar, policy, SOURCE, issued_at=bar.scores.as_of + after))


@pytest.mark.parametrize(
    ("quality", "quantile", "probability", "doubtful", "known"),
    [
        ("ok", 0.5, 0.2, False, True),
        ("degraded", 0.5, 0.2, True, True),
        ("ok", NAN, 0.2, True, True),
        ("stale", 0.5, NAN, True, False),
        ("unknown", NAN, NAN, True, False),
        ("stale", 0.5, 0.2, True, False),
        ("ok", 0.5, NAN, False, False),
    ],
)
def test_evidence_is_no_better_than_its_bar(
    make_scores, quality, quantile, probability, doubtful, known
):
    scores = make_scores(
        quality=np.array([quality, "ok"]),
        quantile=np.full((2, 2), quantile),
        probability=np.full((2, 2, 3), probability),
    )
    found = scores.evidence(0, 1)

    assert found[0] == scores.as_of
    np.testing.assert_equal(list(found[1:]), [probability, quantile, 0.02, False, doubtful, known])


def test_evidence_of_all_sides_is_that_of_each(make_scores):
    rng = np.random.default_rng(3)
    scores = make_scores(
        quality=np.array(["degraded", "ok"]),
        quantile=rng.random((2, 2)),
        probability=np.sort(rng.random((2, 2, 3)), axis=2),
        in_progress=np.array([[True, False], [False, True]]),
    )
    sides = [(row, side) for row in range(2) for side in range(2)]

    assert list(scores.evidences().values()) == [scores.evidence(*one) for one in sides]
    assert list(scores.evidences())[1] == ("BTCUSDT", "short")


def test_a_flag_has_the_horizons_that_are_known(make_bar, make_scores, policy):
    probability = np.broadcast_to([0.1, NAN, 0.3], (2, 2, 3)).copy()
    probability[0, 1] = NAN
    one, other = issued(make_bar(make_scores(probability=probability)), policy)

    assert dict(other.sides["long"].probability) == {1: 0.1, 24: 0.3}
    assert dict(one.sides["short"].probability) == {}


def test_probabilities_that_fall_with_the_horizon_are_refused(make_bar, make_scores, policy):
    probability = np.broadcast_to([0.3, 0.2, 0.4], (2, 2, 3))

    with pytest.raises(PolicyError, match=r"probabilities \[0.3, 0.2, 0.4\] fall with the horizon"):
        issued(make_bar(make_scores(probability=probability)), policy)


def test_which_symbols_have_any_probability(make_scores):
    probability = np.full((2, 2, 3), NAN)
    probability[1, 1, 2] = 0.3

    assert make_scores(probability=probability).scored().tolist() == [False, True]


def test_a_symbol_that_never_had_a_score_has_no_flag(make_bar, policy):
    flags = issued(make_bar(symbols=("DOGEUSDT",)), policy)

    assert [flag.symbol for flag in flags] == ["DOGEUSDT"]


def test_a_disabled_symbol_says_nothing_but_why(make_bar, make_scores, policy):
    scores = make_scores().without(np.array([False, True]), {"DOGEUSDT": "its live skill is low"})
    good, off = issued(make_bar(scores), policy)

    assert (good.quality, off.quality) == ("ok", "unknown")
    for side in off.sides.values():
        assert side.probability == {}
        assert side.reasons[-1] == "Not scored: its live skill is low."
        assert side.tier >= Tier.T2
    assert not any("Not scored" in why for side in good.sides.values() for why in side.reasons)


def test_nobody_disabled_leaves_scores_as_they_are(make_scores):
    scores = make_scores()

    assert scores.without(np.array([False, False]), {}) is scores


def test_a_flag_has_its_own_symbol_s_completeness_and_strangeness(make_bar, make_scores, policy):
    bar = make_bar(make_scores(strange={"DOGEUSDT": "rv_1d is 9 robust deviations"}))
    one, other = issued(bar, policy)

    assert (one.completeness, other.completeness) == (1.0, 0.75)
    assert [flag.model for flag in (one, other)] == [SOURCE.model] * 2
    assert one.data_sha256 == "cd" * 32
    assert "rv_1d is 9 robust deviations" not in str(one)
    assert "rv_1d is 9 robust deviations" in str(other)


def test_a_flag_s_life_counts_from_the_close_not_from_its_issue(make_bar, policy):
    bar = make_bar()
    early, late = (issued(bar, policy, timedelta(seconds=s))[0] for s in (1, 600))

    assert early.valid_until == late.valid_until
    assert late.issued_at - early.issued_at == timedelta(seconds=599)
