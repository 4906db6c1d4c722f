"""Figures of the closed loop over its seeds: means, intervals, differences, and where it hurts."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from scipy.stats import t as student

from liqwarn.frames import FloatArray
from liqwarn.pipelines.loop_seed import SeedResult
from liqwarn.simulation.loop_metrics import DEFINITIONS, METRICS

__all__ = ["summary_of"]

ARMS: Final = ("none", "breaker", "price_line", "vol_target")
KINDS: Final = {False: "plain", True: "anticipation"}
DRAWS: Final = 2_000
FEWEST: Final = 10
"""Seeds below which no interval of a difference is given: a bootstrap of fewer is too narrow."""
NO_BASE: Final = {("none", m) for m in ("time_restricted", "time_limited", "cost", "exposure")}
"""What is zero without restrictions, so that nothing can be said in per cent of it."""


def summary_of(results: Sequence[SeedResult], *, noise: Sequence[float]) -> dict[str, Any]:
    """The figures of ``closed_loop.json``."""
    arms = {
        name: {kind: _arm(results, name, told) for told, kind in KINDS.items()} for name in ARMS
    }
    against = {
        name: {kind: _against(results, name, told) for told, kind in KINDS.items()}
        for name in ARMS
        if name != "breaker"
    }
    return {
        "score": {
            "auc_long": _mean([one.auc["long"] for one in results]),
            "auc_short": _mean([one.auc["short"] for one in results]),
            "noise": list(noise),
        },
        "events": sum(one.events for one in results),
        "arms": arms,
        "against": against,
        "magnet": _magnet(results),
        "hurts": _hurts(against),
        "definitions": DEFINITIONS,
    }


def _arm(results: Sequence[SeedResult], name: str, told: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        metric: _mean([one.metrics[name, told][metric] for one in results]) for metric in METRICS
    }
    if name == "breaker":
        found["time_in_tier"] = {
            tier: _mean([one.tiers[told][tier] for one in results])
            for tier in results[0].tiers[told]
        }
    return found


def _mean(values: Sequence[float]) -> dict[str, Any]:
    """Mean over seeds with Student's 95 % interval; seeds without a figure are left out."""
    known = np.array([value for value in values if np.isfinite(value)])
    if known.size == 0:
        return {"mean": None, "ci": [None, None]}
    mean = float(known.mean())
    if known.size == 1:
        return {"mean": mean, "ci": [None, None]}
    half = float(student.ppf(0.975, known.size - 1) * known.std(ddof=1) / np.sqrt(known.size))
    return {"mean": mean, "ci": [mean - half, mean + half]}


def _against(results: Sequence[SeedResult], name: str, told: bool) -> dict[str, Any]:
    """Breaker minus another arm, in per cent of the other, on the same news."""
    out: dict[str, Any] = {}
    for metric in METRICS:
        mine = np.array([one.metrics["breaker", told][metric] for one in results])
        other = np.array([one.metrics[name, told][metric] for one in results])
        out[metric] = (
            {"mean": None, "ci": [None, None]}
            if (name, metric) in NO_BASE
            else _relative(mine, other)
        )
    return out


def _relative(mine: FloatArray, other: FloatArray) -> dict[str, Any]:
    """Ratio of means less one, in per cent, with a bootstrap interval over seeds."""
    known = np.isfinite(mine) & np.isfinite(other)
    a, b = mine[known], other[known]
    if a.size == 0 or not b.mean() > 0.0:
        return {"mean": None, "ci": [None, None]}
    change = 100.0 * float(a.mean() / b.mean() - 1.0)
    if a.size < FEWEST:
        return {"mean": change, "ci": [None, None]}
    rows = np.random.default_rng(1).integers(0, a.size, (DRAWS, a.size))
    drawn = a[rows].mean(axis=1) / np.maximum(b[rows].mean(axis=1), 1e-300)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "mean": change,
        "ci": [float(100.0 * (low - 1.0)), float(100.0 * (high - 1.0))],
    }


def _magnet(results: Sequence[SeedResult]) -> dict[str, Any]:
    """What anticipation changes under each arm, in per cent: above 0, the line attracts."""
    return {
        name: {
            metric: _relative(
                np.array([one.metrics[name, True][metric] for one in results]),
                np.array([one.metrics[name, False][metric] for one in results]),
            )
            for metric in ("cascade_size", "liquidated_usd", "trough")
        }
        for name in ARMS
        if name != "none"
    }


def _hurts(against: dict[str, Any]) -> list[str]:
    """Where the breaker is worse than another arm beyond chance, in words."""
    return [
        f"{metric.replace('_', ' ')}: {figure['mean']:+.0f} % against {name.replace('_', ' ')} "
        f"({kind}), 95 % interval {figure['ci'][0]:+.0f} to {figure['ci'][1]:+.0f} %"
        for name, kinds in against.items()
        for kind, figures in kinds.items()
        for metric, figure in figures.items()
        if figure["ci"][0] is not None and figure["ci"][0] > 0.0 and metric != "exposure"
    ]
