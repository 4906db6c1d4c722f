"""Intervals, differences, and the sentences that say where the breaker hurts."""

import numpy as np
import pytest

from liqwarn.pipelines.loop_seed import SeedResult
from liqwarn.pipelines.loop_summary import summary_of
from liqwarn.simulation.loop_metrics import METRICS

ARMS = ("none", "breaker", "price_line", "vol_target")


def results(n_seeds=12, **worse):
    """Every arm the same on a seed, but for the breaker's metrics named."""
    rng = np.random.default_rng(1)
    out = []
    for seed in range(1, n_seeds + 1):
        base = 1.0 + rng.random()
        metrics = {
            (arm, told): {
                metric: base * (worse.get(metric, 1.0) if arm == "breaker" else 1.0)
                for metric in METRICS
            }
            for arm in ARMS
            for told in (False, True)
        }
        tiers = {told: {"T1": 0.1, "T2": 0.05, "T3": 0.02, "T4": 0.01} for told in (False, True)}
        skill = {"long": 0.8, "short": float("nan")}
        out.append(SeedResult(seed=seed, events=3, metrics=metrics, tiers=tiers, auc=skill))
    return out


def test_a_known_ratio_is_found_with_its_interval():
    found = summary_of(results(cascade_size=0.5), noise=[1.0, 1.0])
    cut = found["against"]["none"]["plain"]["cascade_size"]
    assert cut["mean"] == pytest.approx(-50.0)
    assert cut["ci"] == pytest.approx([-50.0, -50.0])
    assert found["events"] == 36
    assert found["score"]["auc_short"] == {"mean": None, "ci": [None, None]}


def test_only_what_is_worse_beyond_chance_is_said_to_hurt():
    assert summary_of(results(), noise=[])["hurts"] == []
    hurts = summary_of(results(recovery=1.5, trough=0.9), noise=[])["hurts"]
    assert hurts[0].startswith("recovery: +50 % against none (plain), 95 % interval +50 to +50 %")
    assert not [line for line in hurts if line.startswith("trough")]


def test_nothing_is_said_in_per_cent_of_nothing():
    found = summary_of(results(), noise=[])
    assert found["against"]["none"]["plain"]["cost"]["mean"] is None
    assert found["against"]["price_line"]["plain"]["cost"]["mean"] == pytest.approx(0.0)


def test_one_seed_has_no_interval():
    found = summary_of(results(1), noise=[])
    assert found["arms"]["none"]["plain"]["trough"]["ci"] == [None, None]
    assert found["against"]["none"]["plain"]["trough"]["ci"] == [None, None]


def test_few_seeds_give_no_verdict():
    found = summary_of(results(9, recovery=1.5), noise=[])
    assert found["against"]["none"]["plain"]["recovery"]["mean"] == pytest.approx(50.0)
    assert found["against"]["none"]["plain"]["recovery"]["ci"] == [None, None]
    assert found["hurts"] == []


def test_means_have_students_interval():
    found = summary_of(results(4), noise=[])["arms"]["none"]["plain"]["trough"]
    values = [one.metrics["none", False]["trough"] for one in results(4)]
    half = 3.182446 * np.std(values, ddof=1) / 2.0
    assert found["ci"] == pytest.approx([np.mean(values) - half, np.mean(values) + half], rel=1e-5)
