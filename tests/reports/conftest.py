"""A made-up run that looks like a real one: ten symbols, flags, events, a full evaluation."""

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqwarn.decisions import (
    Flag,
    Limits,
    ModelStamp,
    PolicyStamp,
    Restriction,
    Tier,
    TradingState,
    flag_to_dict,
)
from liqwarn.reports.content import ReportContent, ReportMeta

EVALUATIONS = runpy.run_path(str(Path(__file__).with_name("evaluation_documents.py")))
LEDGERS = runpy.run_path(str(Path(__file__).with_name("ledger_documents.py")))
SYMBOLS = tuple(
    f"{coin}USDT"
    for coin in "ADA AVAX BNB BTC DOGE ETH LINK LTC SOL XRP".split()  # noqa: SIM905
)
END = datetime(2024, 8, 5, 3, tzinfo=UTC)
HASHES = {
    "model": "9f2b6c1d" * 8,
    "policy": "41c07aa3" * 8,
    "data": "d05e88f1" * 8,
    "configuration": "77ab1290" * 8,
}
DRIVERS = (
    "rv_1h",
    "oi_z_7d",
    "funding_z_60d",
    "rv_1d",
    "cluster_dist_long_pct",
    "liq_long_share_1h",
    "oi_change_1h",
    "leader_return_4h",
    "inflow_z_6h",
    "drawdown_1d",
    "volume_surge_1h",
    "breadth_oi_drop_1h",
)
LIMITS = (
    Limits(),
    Limits(leverage_frac=0.75, order_size_frac=0.75),
    Limits(leverage_frac=0.5, add_frac=0.5, max_participation_frac=0.05),
    Limits(leverage_frac=0.5, net_increase=False, post_only=True),
    Limits(leverage_frac=0.5, add_frac=0.0, net_increase=False, collar_frac=0.01),
    Limits(add_frac=0.0, net_increase=False, cancel_increasing=True),
)
REASONS = (
    ("No rule asks for a restriction.",),
    ("The probability of a cascade is high for this symbol.",),
    ("The probability of a cascade is high for this symbol.",),
    ("Several core symbols are at risk together with this one.",),
    ("A cascade is in progress.",),
    ("An integrity check failed: disk",),
)
EVENTS = ("2024-05-12", "2024-06-07", "2024-06-18", "2024-07-04", "2024-08-02", "2024-08-04")


def tiers_of(likely: np.ndarray, bar_h: int) -> np.ndarray:
    """A ladder with dwell, roughly as the breaker climbs it."""
    ranks = pd.Series(likely).rolling(24 * 60 // bar_h, min_periods=50).rank(pct=True).fillna(0.5)
    raw = np.searchsorted([0.93, 0.972, 0.99, 0.998], ranks.to_numpy(), side="right")
    held = pd.Series(raw).rolling(max(4 // bar_h, 1), min_periods=1).max().astype(int)
    return held.to_numpy()


def one_side(rng, symbol, side, times, bar_h):
    """Scores of one side: quiet most of the time, bursts around the events."""
    n = len(times)
    base = 0.011 if side == "long" else 0.008
    state = np.zeros(n)
    for i in range(1, n):
        state[i] = 0.985**bar_h * state[i - 1] + 0.14 * rng.normal() * bar_h**0.5
    for day in EVENTS if side == "long" else EVENTS[1::2]:
        peak = np.datetime64(day, "s") + np.timedelta64(int(rng.integers(0, 24)), "h")
        hours = (times - peak).astype("timedelta64[s]").astype(float) / 3600
        state += np.where(hours < 0, 1.6, 3.2) * np.exp(-np.abs(hours) / 19)
    p_4h = base * np.exp(0.9 * state) / (1 + base * np.exp(0.9 * state))
    tiers = tiers_of(p_4h, bar_h)
    quality = np.where(rng.random(n) < 0.004, "degraded", "ok")
    frame = pd.DataFrame(
        {
            "symbol": symbol,
            "time": pd.DatetimeIndex(times.astype("datetime64[us]")).tz_localize("UTC"),
            "side": side,
            "p_1h": 0.35 * p_4h,
            "p_4h": p_4h,
            "p_24h": 1 - (1 - p_4h) ** 4,
            "quantile": pd.Series(p_4h).rank(pct=True),
            "base_rate": base,
            "in_progress": tiers == 4,
            "quality": quality,
            "completeness": np.where(quality == "ok", 1.0, 0.83),
            "tier": [f"T{t}" for t in tiers],
            "state": np.where(tiers >= 4, "REDUCING", "ACTIVE"),
            "rule": "quantile",
        }
    )
    ranks = np.argsort(rng.exponential(np.arange(1, len(DRIVERS) + 1), (n, len(DRIVERS))), axis=1)
    for k in (1, 2, 3):
        frame[f"driver_{k}"] = np.array(DRIVERS)[ranks[:, k - 1]]
        frame[f"contribution_{k}"] = rng.normal(0.9 / k, 0.3, size=n)
    return frame


def make_scores(symbols=SYMBOLS, days=120, bar_h=1, seed=7):
    rng = np.random.default_rng(seed)
    last = np.datetime64(END.replace(tzinfo=None), "s")
    n = days * 24 // bar_h
    times = last - np.arange(n)[::-1] * np.timedelta64(3600 * bar_h, "s")
    parts = [one_side(rng, s, side, times, bar_h) for s in symbols for side in ("long", "short")]
    return pd.concat(parts, ignore_index=True)


def make_flags(scores):
    latest = scores.sort_values("time", kind="stable").groupby(["symbol", "side"]).tail(1)
    flags = []
    for sequence, (symbol, rows) in enumerate(latest.groupby("symbol")):
        sides = {}
        for row in rows.to_dict("records"):
            tier = Tier[row["tier"]]
            sides[row["side"]] = Restriction(
                tier=tier,
                state=TradingState(row["state"]),
                limits=LIMITS[tier],
                probability={1: row["p_1h"], 4: row["p_4h"], 24: row["p_24h"]},
                reasons=REASONS[tier],
            )
        flags.append(
            flag_to_dict(
                Flag(
                    symbol=symbol,
                    as_of=END,
                    issued_at=END + timedelta(seconds=2),
                    valid_until=END + timedelta(minutes=75),
                    sequence=4000 + sequence,
                    quality="ok",
                    sides=sides,
                    model=ModelStamp(version="3", sha256=HASHES["model"]),
                    policy=PolicyStamp(version="1.0.0", sha256=HASHES["policy"]),
                    data_sha256=HASHES["data"],
                    completeness=1.0,
                )
            )
        )
    return tuple(flags)


def make_events(symbols=SYMBOLS, seed=11):
    rng = np.random.default_rng(seed)
    rows = []
    for day in ("2023-08-17", "2024-01-03", "2024-03-05", "2024-04-13", *EVENTS):
        for symbol in symbols:
            if rng.random() < 0.75:
                side = "long" if rng.random() < 0.72 else "short"
                onset = pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=int(rng.integers(0, 24)))
                size = float(rng.gamma(3, 0.012)) + 0.015
                rows.append(
                    {
                        "symbol": symbol,
                        "side": side,
                        "onset": onset,
                        "peak": onset + pd.Timedelta(hours=2),
                        "end": onset + pd.Timedelta(hours=5),
                        "move": -size if side == "long" else size,
                        "oi_loss": float(rng.gamma(2, 0.015)) + 0.01,
                        "long_liq_usd": 4e7 * size * 30 if side == "long" else 1.2e6,
                        "short_liq_usd": float("nan") if side == "long" else 3e7 * size,
                        "severity": float(rng.gamma(4, 1.2)) + 2,
                        "flags": "severe;flow_confirmed" if size > 0.05 else "flow_unknown",
                    }
                )
    return pd.DataFrame(rows)


def make_result(side, horizon_h, model, skill, rng):
    base = {1: 0.003, 4: 0.011, 24: 0.055}[horizon_h] * (1 if side == "long" else 0.7)
    pr = base * (1 + (skill - 1) * {1: 1.0, 4: 0.8, 24: 0.25}[horizon_h])
    wide = 0.16 * pr
    delta = pr - base * (1 + (2.9 - 1) * {1: 1.0, 4: 0.8, 24: 0.25}[horizon_h])
    budgets = {"0.01": 0.11, "0.02": 0.2, "0.05": 0.37, "0.10": 0.52}
    levels = np.linspace(0, 1, 60)
    predicted = base * np.geomspace(0.05, 14, 10)
    return {
        "side": side,
        "horizon_h": horizon_h,
        "model": model,
        "n": 262_800,
        "events": 168 if side == "long" else 94,
        "base_rate": base,
        "pr_auc": pr,
        "pr_auc_ci": [pr - wide, pr + 1.2 * wide],
        "roc_auc": min(0.5 + 0.075 * skill, 0.86),
        "brier": base * (1 - base) * 0.98,
        "brier_skill_vs_har": 0.006 * (skill - 2.9),
        "calibration_slope": 0.94 + 0.02 * rng.normal(),
        "calibration_intercept": -0.08,
        "ece": 0.0011,
        "brier_skill_vs_climatology": 0.011,
        "molchan_skill": 0.52,
        "event_recall": {k: min(v * skill / 4, 1.0) for k, v in budgets.items()},
        "lead_minutes": {"median": 100.0, "q25": 40.0, "q75": 165.0, "share_ge_15": 0.78},
        "alarm_time": {"0.01": 0.011, "0.02": 0.023, "0.05": 0.061, "0.10": 0.12},
        "false_alarms_per_symbol_week": {"0.01": 0.31, "0.02": 0.55, "0.05": 1.2, "0.10": 2.1},
        "delta_pr_auc_vs_har": {"mean": delta, "ci": [delta - 0.3 * wide, delta + 0.3 * wide]},
        "reliability": {
            "predicted": predicted.tolist(),
            "observed": (predicted * np.exp(0.2 * rng.normal(size=10))).tolist(),
            "n": np.geomspace(90_000, 700, 10).round().tolist(),
        },
        "molchan": {
            "alarm_time": levels.tolist(),
            "miss_rate": ((1 - levels) ** (0.9 * skill)).tolist(),
        },
    }


SKILLS = {
    "liqwarn": 4.4, "B0": 1.2, "B1": 2.5, "B2": 2.9, "B3": 1.6, "B4": 2.2, "B5": 1.7, "B6": 3.3,
}  # fmt: skip


def make_evaluation():
    rng = np.random.default_rng(5)
    families = ("funding", "open_interest", "flows", "clusters", "market", "liquidations")
    return {
        "panel": "simulated_10",
        "test": {"from": "2023-02-01T00:00:00Z", "to": "2024-08-05T03:00:00Z"},
        "n_symbols": len(SYMBOLS),
        "results": [
            make_result(side, h, model, skill, rng)
            for side in ("long", "short")
            for h in (1, 4, 24)
            for model, skill in SKILLS.items()
        ],
        "by_symbol": [
            {
                "symbol": symbol,
                "side": side,
                "horizon_h": 4,
                "model": "liqwarn",
                "n": 26_280,
                "base_rate": 0.011,
                "pr_auc": 0.041,
                "roc_auc": 0.8,
                "delta_pr_auc_vs_har": {"mean": 0.012, "ci": [-0.004, 0.03]},
            }
            for symbol in SYMBOLS
            for side in ("long", "short")
        ],
        "by_year": [
            {
                "year": year,
                "side": side,
                "horizon_h": 4,
                "model": "liqwarn",
                "n": 8_760,
                "base_rate": 0.011,
                "pr_auc": 0.041,
                "roc_auc": 0.8,
                "delta_pr_auc_vs_har": {"mean": 0.012, "ci": [low, 0.03]},
            }
            for side in ("long", "short")
            for year, low in (("2023", 0.004), ("2024", -0.004))
        ],
        "ablation": [
            {
                "family": family,
                "side": side,
                "horizon_h": 4,
                "delta_pr_auc": {"mean": mean, "ci": [mean - 0.002, mean + 0.002]},
            }
            for family, mean in zip(
                families, (0.003, 0.0045, 0.0004, 0.001, 0.009, -0.0001), strict=True
            )
            for side in ("long", "short")
        ],
        "placebo": [
            {
                "kind": kind,
                "side": side,
                "horizon_h": 4,
                "base_rate": 0.011,
                "pr_auc": 0.0112,
                "pr_auc_ci": [0.0097, 0.0131],
                "roc_auc": 0.503,
                "roc_auc_ci": [0.47, 0.53],
            }
            for kind in ("shuffled_features", "shifted_labels")
            for side in ("long", "short")
        ],
    }


def make_content(**changes):
    scores = changes.pop("scores", None)
    scores = make_scores() if scores is None else scores
    parts = {
        "flags": make_flags(scores),
        "scores": scores,
        "events": make_events(),
        "evaluation": make_evaluation(),
        "ledger": LEDGERS["make_account"](),
        "meta": ReportMeta(
            panel="simulated_10",
            market="simulated",
            generated_at=END + timedelta(minutes=1),
            version="0.1.0",
            hashes=HASHES,
            links={"events.csv": "events.csv", "scores.parquet": "scores.parquet"},
            quarantined={"price not positive": 3, "outside the valid span": 24},
        ),
    }
    return ReportContent(**(parts | changes))


@pytest.fixture(scope="session")
def scores():
    return make_scores()


@pytest.fixture(scope="session")
def content(scores):
    return make_content(scores=scores)


@pytest.fixture
def evaluation():
    return make_evaluation()


@pytest.fixture
def document(evaluation):
    """An evaluation with every part measured."""
    return EVALUATIONS["whole"](evaluation)


@pytest.fixture(scope="session")
def emptied():
    """Makes the same document with every figure replaced."""
    return EVALUATIONS["emptied"]


@pytest.fixture(scope="session")
def build():
    """The builders of this file, for tests that need other content."""
    return {
        "content": make_content,
        "scores": make_scores,
        "flags": make_flags,
        "events": make_events,
        "evaluation": make_evaluation,
        "result": make_result,
    }
