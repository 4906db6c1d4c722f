"""Evaluations made by hand: every part measured, and the same with every figure gone."""

import copy
from pathlib import Path
from types import SimpleNamespace

BUDGETS = ("0.01", "0.02", "0.05", "0.10")
KEPT = ("side", "symbol", "model", "horizon_h", "panel", "family", "kind", "variant", "strategy")


def ci(mean, half):
    return {"mean": mean, "ci": [mean - half, mean + half]}


def enriched(row):
    """The figures that results carry beside the older ones."""
    base = {"B2": 1.0, "liqwarn": 1.9}.get(row["model"], 0.6)
    row["ratio_pr_auc_vs_har"] = ci(base, 0.0 if base == 1.0 else 0.45)
    row["roc_auc_ci"] = [row["roc_auc"] - 0.03, row["roc_auc"] + 0.03]
    row["event_recall_ci"] = {
        k: [max(v - 0.09, 0.0), min(v + 0.1, 1.0)] for k, v in row["event_recall"].items()
    }
    return row


def severe():
    return [
        {
            "side": side,
            "horizon_h": 4,
            "model": model,
            "events": 17 if side == "long" else 9,
            "event_recall": {k: min(more * float(k) * 6, 1.0) for k in BUDGETS},
            "lead_minutes": {"median": 120.0, "q25": 60.0, "q75": 180.0, "share_ge_15": 0.4},
        }
        for side in ("long", "short")
        for model, more in (("liqwarn", 1.5), ("B2", 1.0))
    ]


def robustness():
    rows = []
    for k, side in enumerate(("long", "short")):
        for variant in ("thresholds_minus_33", "thresholds_plus_33", "price_only", "combinatorial"):
            row = {
                "variant": variant,
                "side": side,
                "horizon_h": 4,
                "n": 25_000,
                "events": 80,
                "base_rate": 0.012,
                "pr_auc": 0.055,
                "pr_auc_ci": [0.03, 0.09],
                "roc_auc": 0.77,
                "har_pr_auc": 0.03,
                "har_roc_auc": 0.69,
                "delta_pr_auc_vs_har": ci(0.025, 0.03 * (1 - k) + 0.01),
            }
            if variant == "combinatorial":
                row |= {
                    "paths": 5,
                    "path_pr_auc": [0.05, 0.06, 0.055, 0.02, 0.058],
                    "path_har_pr_auc": [0.03, 0.03, 0.028, 0.03, 0.031],
                }
            rows.append(row)
    return rows


def alarm_budget():
    return [
        {
            "side": side,
            "horizon_h": 4,
            "model": model,
            "budget": budget,
            "kind": kind,
            "alarm_time": wide * float(budget),
            "false_alarm_rate": wide * float(budget),
            "false_alarm_rate_ci": [0.8 * wide * float(budget), 1.1 * wide * float(budget)],
            "worst_quarter_rate": 2 * wide * float(budget),
            "event_recall": 0.3,
            "lead_median_min": 120.0,
        }
        for side in ("long", "short")
        for model in ("liqwarn", "B2")
        for budget in BUDGETS
        for kind, wide in (("frozen", 1.4), ("controlled", 0.9))
    ]


def novelty():
    return {
        "share_novel": 0.034,
        "by_quarter": [
            {"quarter": f"2023Q{q}", "share": s} for q, s in enumerate((0.01, 0.0, 0.09, 0.03), 1)
        ],
        "groups": [
            {
                "group": group,
                "side": side,
                "n": n,
                "base_rate": 0.011,
                "mean_p": 0.012,
                "brier_skill_vs_climatology": skill,
                "roc_auc": 0.7,
            }
            for group, n, skill in (("familiar", 24_000, 0.02), ("novel", 900, -0.01))
            for side in ("long", "short")
        ],
        "injected": [{"fault": "price_times_100", "n": 50, "detected": 50}],
    }


def utility():
    rows = []
    for side in ("long", "short"):
        for strategy, pnl in (("unrestricted", 0.4), ("breaker", 0.55), ("volatility_target", 0.5)):
            row = {
                "side": side,
                "strategy": strategy,
                "mean_exposure": 3.0,
                "pnl_frac": pnl,
                "loss_in_events_frac": 0.8 - pnl,
                "carry_frac": -0.1,
                "cost_frac": 0.05,
                "worst_week_frac": -0.3,
                "max_drawdown_frac": 0.6,
                "liquidations": 2,
                "turnover": 312.5,
            }
            if strategy == "breaker":
                row |= {
                    "delta_vs_volatility_target": ci(0.05, 0.2),
                    "delta_vs_unrestricted": ci(0.15, 0.1),
                    "delta_loss_in_events_vs_volatility_target": ci(-0.05, 0.02),
                }
            rows.append(row)
    return rows


def placebo():
    kinds = {
        "shuffled_features": (0.503, [0.47, 0.53]),
        "shifted_labels": (0.5, [0.5, 0.5]),
        "planted_leak": (0.66, [0.61, 0.71]),
    }
    return [
        {
            "kind": kind,
            "side": side,
            "horizon_h": 4,
            "seeds": 5,
            "base_rate": 0.011,
            "pr_auc": 0.0112,
            "pr_auc_ci": [0.0097, 0.0131],
            "roc_auc": roc,
            "roc_auc_ci": ends,
        }
        for kind, (roc, ends) in kinds.items()
        for side in ("long", "short")
    ]


def whole(evaluation):
    """An older evaluation with every newer part."""
    document = copy.deepcopy(evaluation)
    document["results"] = [enriched(row) for row in document["results"]]
    document |= {
        "bar_minutes": 60,
        "minutes": 31.4,
        "seeds": [0, 1, 2],
        "train_panels": ["other"],
        "severe": severe(),
        "robustness": robustness(),
        "alarm_budget": alarm_budget(),
        "novelty": novelty(),
        "utility": utility(),
        "placebo": placebo(),
        "ablation": [
            row | {"seeds": 5, "n_features": 12, "family": row["family"]}
            for row in document["ablation"]
        ],
    }
    return document


def emptied(node, filler=None):
    """The same shape with every figure replaced."""
    if isinstance(node, dict):
        return {k: v if k in KEPT else emptied(v, filler) for k, v in node.items()}
    if isinstance(node, list):
        return [emptied(v, filler) for v in node]
    return filler


def example():
    """The whole document made from the fixtures of the report."""
    import runpy  # noqa: PLC0415  only the browser test and the eye need it

    build = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("conftest.py"))))
    return whole(build.make_evaluation())
