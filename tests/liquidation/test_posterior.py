"""Candidates that cover the prior, and weights that are never too sure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liqwarn.errors import FrameError
from liqwarn.liquidation.posterior import PRIOR, candidates, heaviest, posterior_weights

EVIDENCE = arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e4, 1e4))


def shares(name, n_candidates=64, seed=0):
    """Where in its prior each candidate's parameter lies, from 0 to 1."""
    low, high = PRIOR[name]
    values = np.array([getattr(one, name) for one in candidates(n_candidates, seed)])
    if name in ("median_leverage", "half_life_h"):
        return np.log(values / low) / np.log(high / low)
    return (values - low) / (high - low)


@pytest.mark.parametrize("name", PRIOR)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_candidates_cover_every_range_evenly(name, seed):
    found = shares(name, seed=seed)
    assert ((found >= 0.0) & (found <= 1.0)).all()
    assert np.histogram(found, 64, (0.0, 1.0))[0].tolist() == [1] * 64


def test_the_same_seed_gives_the_same_candidates_and_another_others():
    assert candidates(16, 5) == candidates(16, 5)
    assert candidates(16, 5) != candidates(16, 6)


def test_more_candidates_keep_the_first():
    assert candidates(64, 3)[:16] == candidates(16, 3)


@pytest.mark.parametrize("number", [-4, 0, 3, 24])
def test_their_number_is_a_power_of_two(number):
    with pytest.raises(FrameError, match=f"{number} candidates, expected a power of two"):
        candidates(number, 0)


def effective(weights):
    return 1.0 / float((weights**2).sum())


@given(evidence=EVIDENCE, share=st.floats(0.01, 1.0))
def test_weights_are_shares_carried_by_enough_candidates(evidence, share):
    wanted = 1.0 + share * (len(evidence) - 1)
    weights = posterior_weights(evidence, wanted)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0.0).all()
    assert effective(weights) >= wanted * (1.0 - 1e-9)


@given(evidence=EVIDENCE)
def test_the_likelier_never_weighs_less(evidence):
    weights = posterior_weights(evidence, 2.0)
    order = np.argsort(evidence)
    assert (np.diff(weights[order]) >= 0.0).all()


def test_evidence_is_flattened_no_more_than_it_must():
    evidence = np.linspace(0.0, 300.0, 64)
    assert effective(posterior_weights(evidence, 16.0)) == pytest.approx(16.0, rel=1e-6)
    mild = np.linspace(0.0, 0.5, 64)
    plain = np.exp(mild) / np.exp(mild).sum()
    assert np.allclose(posterior_weights(mild, 16.0), plain)


def test_more_than_there_are_is_all_alike():
    weights = posterior_weights(np.array([0.0, 1.0, 2.0]), 10.0)
    assert np.allclose(weights, 1.0 / 3.0)


@given(evidence=EVIDENCE, offset=st.integers(-1_000, 1_000))
def test_only_differences_of_evidence_count(evidence, offset):
    shifted = posterior_weights(evidence + offset, 2.0)
    assert np.allclose(shifted, posterior_weights(evidence, 2.0), atol=1e-6)


@given(weights=EVIDENCE)
def test_the_heaviest_are_no_lighter_than_the_rest(weights):
    ours = heaviest(weights, len(weights) // 2)
    rest = sorted(set(range(len(weights))) - set(ours))
    assert list(ours) == sorted(set(ours))
    assert not ours or weights[list(ours)].min() >= weights[rest].max()


def test_of_equals_the_first_are_taken():
    assert heaviest(np.array([0.1, 0.3, 0.3, 0.3]), 2) == (1, 2)


def test_no_more_are_taken_than_there_are():
    with pytest.raises(FrameError, match="3 draws of 2 candidates, expected no more"):
        heaviest(np.ones(2), 3)
