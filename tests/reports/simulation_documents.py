"""Made-up results of the simulator that look like real ones: scenario, closed loop, worst case."""

import numpy as np

SYMBOLS = (
    "ADAUSDT", "AVAXUSDT", "BTCUSDT", "DOGEUSDT", "ETHUSDT", "FETUSDT",
    "LINKUSDT", "NEARUSDT", "RNDRUSDT", "SOLUSDT", "TAOUSDT", "XRPUSDT",
)  # fmt: skip
PRICES = (0.412, 21.37, 64_120.0, 0.1043, 2_571.4, 1.183, 11.02, 4.061, 5.288, 139.7, 246.1, 0.5534)
PARTS = {
    "news": -4.1, "thin_book": -2.0, "liquidation": -3.0, "stop": -1.2, "margin_call": -0.5,
    "cross_margin": -0.9, "contagion": -1.4, "slow_flow": -0.2, "arbitrage": 1.1,
}  # fmt: skip
METRICS = ("cascade_size", "liquidated_usd", "trough", "recovery", "time_restricted", "cost")
LEVELS = {
    "none": (4.1, 2.4e8, 9.5, 7.4, 0.0, 0.0),
    "breaker": (1.9, 1.3e8, 7.7, 7.2, 0.034, 0.021),
    "price_line": (3.4, 2.2e8, 9.1, 7.9, 0.061, 0.034),
    "vol_target": (2.6, 1.7e8, 8.3, 7.3, 0.11, 0.052),
}


def spread(mean, width, *, low_tail=False):
    """A statistic with its quantiles and intervals."""
    half = abs(width) / 6
    found = {
        "mean": mean,
        "ci": [mean - half, mean + half],
        "p05": mean - width,
        "p50": mean * 0.97,
        "p95": mean + width,
        "p95_ci": [mean + width - 2 * half, mean + width + 2 * half],
    }
    if low_tail:
        found["p05_ci"] = [mean - width - 2 * half, mean - width + 2 * half]
    return found


def one_symbol(scale):
    moves = {name: scale * part for name, part in PARTS.items()}
    total = sum(moves.values())
    return {
        "trough_pct": spread(total, 6 * scale, low_tail=True),
        "peak_pct": spread(1.3 * scale, 1.0 * scale),
        "time_to_trough_h": spread(3.2, 2.4),
        "liquidated_long_usd": spread(4.2e7 * scale, 3.1e7 * scale),
        "liquidated_short_usd": spread(3.1e6 * scale, 2.9e6 * scale),
        "adl_usd": spread(2.2e5 * scale, 2.0e5 * scale),
        "amplification": spread(1.4 + 0.3 * scale, 0.4),
        "channels": {
            name: {"mean_pct": move, "share": move / total} for name, move in moves.items()
        },
    }


def state(symbols=SYMBOLS, kind="synthetic", as_of=None, notes=()):
    return {
        "kind": kind,
        "as_of": as_of,
        "notes": list(notes),
        "symbols": {
            name: {
                "price": PRICES[i],
                "open_interest_usd": 4e9 / (i + 1),
                "bid_depth_usd": 1.6e8 / (i + 1),
                "ask_depth_usd": 1.5e8 / (i + 1),
                "crowding": 0.85 - 0.2 * i,
            }
            for i, name in enumerate(symbols)
        },
    }


def fan(symbols, scales, horizon_h=24.0, points=97):
    times = np.linspace(0.0, horizon_h, points)
    shape = -(1 - np.exp(-times / 2.0)) + 0.35 * (1 - np.exp(-times / 12.0))
    rng = np.random.default_rng(3)
    found = {}
    for name, scale in zip(symbols, scales, strict=True):
        rough = np.cumsum(rng.normal(0, 0.12, points)) * scale
        wide = 3.2 * scale * np.sqrt(times / horizon_h)
        found[name] = {
            label: (9.0 * scale * shape + rough + z * wide).round(4).tolist()
            for label, z in zip(
                ("p05", "p25", "p50", "p75", "p95"), (-1.9, -0.7, 0, 0.6, 1.3), strict=True
            )
        }
    return {"times_h": times.tolist(), "symbols": found}


def scenario_document(symbols=SYMBOLS, **changes):
    scales = [0.6 + 0.9 * ((5 * i) % 12) / 12 for i in range(len(symbols))]
    n = len(symbols)
    matrix = [
        [round(0.34 if i == j else 0.22 / (1 + abs(i - j)), 4) for j in range(n)] for i in range(n)
    ]
    matrix[0][-1] = -0.03 if n > 1 else matrix[0][-1]
    document = {
        "schema": "liqwarn.scenario_result/1",
        "version": "0.1.0",
        "scenario": {
            "name": "crash_2020_03_12",
            "title": "Like 2020-03-12",
            "description": "A fall of 12 % in half an hour into a book that has lost 70 % of its "
            "depth, with funding that turns and a haircut on collateral. Imitates the shape of the "
            "day, leaves out the venue's own outage.",
            "sha256": "9f2b6c1d" * 8,
        },
        "market": "simulated",
        "seed": 1,
        "paths": 10_000,
        "diverged": 0,
        "horizon_h": 24.0,
        "step_s": 60,
        "symbols": list(symbols),
        "initial": state(symbols, notes=["Positions are drawn after 60 simulated days."]),
        "shocks": [
            {"at": "0m", "kind": "price", "move": -0.12, "over": "30m", "symbols": "all",
             "follow": "beta"},
            {"at": "0m", "kind": "depth", "to": 0.3, "for": "2h", "symbols": "all",
             "half_life": "20m"},
            {"at": "4h", "kind": "funding", "rate": 0.003, "payments": 3, "every": "1h",
             "symbols": list(symbols[:2])},
            {"at": "1h", "kind": "haircut", "haircut": 0.06, "over": "6h"},
            {"at": "2h", "kind": "outage", "for": "45m", "symbols": list(symbols[:1])},
            {"at": "8h", "kind": "unlock", "symbols": list(symbols[-1:]), "share": 0.3,
             "over": "12h"},
            {"at": "10h", "kind": "adl"},
        ],
        "symbols_results": {
            name: one_symbol(scale) for name, scale in zip(symbols, scales, strict=True)
        },
        "total": {
            "liquidated_usd": spread(6.1e8, 3.3e8),
            "loss_pct": spread(-9.9, 6.4, low_tail=True),
            "insurance_left_frac": spread(0.62, 0.3),
            "adl_probability": {"value": 0.081, "ci": [0.076, 0.086]},
        },
        "contagion": {
            "shock_pct": -5.0, "matrix": matrix, "spectral_radius": 0.71, "ci": [0.66, 0.77],
        },
        "fan": fan(symbols, scales),
    }  # fmt: skip
    return document | changes


def around(mean, width=0.12):
    return {"mean": mean, "ci": [mean * (1 - width), mean * (1 + width)]}


def arm(name, anticipation):
    factor = 1.12 if anticipation and name == "price_line" else 1.03 if anticipation else 1.0
    found = {
        metric: around(factor * level) for metric, level in zip(METRICS, LEVELS[name], strict=True)
    }
    if name == "breaker":
        found["time_in_tier"] = {"T1": 0.051, "T2": 0.022, "T3": 0.009, "T4": 0.003}
    return found


def against(name, anticipation):
    ours, other = arm("breaker", anticipation), arm(name, anticipation)
    found = {}
    for metric in METRICS:
        base = other[metric]["mean"]
        if not base:
            found[metric] = {"mean": None, "ci": None}
            continue
        mean = 100 * (ours[metric]["mean"] / base - 1)
        found[metric] = {"mean": mean, "ci": [mean - 6, mean + 6]}
    return found


def closed_loop_document(**changes):
    document = {
        "schema": "liqwarn.closed_loop/1",
        "version": "0.1.0",
        "seeds": 40,
        "phi": 0.5,
        "days": 60,
        "delay_min": 5,
        "score": {
            "auc_long": {"mean": 0.78, "ci": [0.75, 0.81]},
            "auc_short": {"mean": 0.76, "ci": [0.72, 0.79]},
            "noise": 1.1,
        },
        "arms": {
            name: {"plain": arm(name, False), "anticipation": arm(name, True)} for name in LEVELS
        },
        "against": {
            name: {"plain": against(name, False), "anticipation": against(name, True)}
            for name in ("none", "price_line", "vol_target")
        },
        "hurts": [
            "The obedient pay 2.1 bps of their turnover, which without a breaker they do not."
        ],
        "events": 412,
        "definitions": {
            "cascade_size": "Endogenous part of the largest fall of an event, %.",
            "liquidated_usd": "Liquidated in events, USD a seed.",
            "trough": "Depth of the deepest fall of an event, %.",
            "recovery": "Hours until half of the fall is made good.",
            "time_restricted": "Share of the time in T2 or above.",
            "cost": "Missed trades and slippage of the obedient, % of their turnover.",
        },
    }
    return document | changes


def radius(r, symbols, factors):
    worst = 3.1 * r**1.3
    return {
        "radius": r,
        "plausibility": {
            "mahalanobis": 0.98 * r,
            "chi2_tail": float(np.exp(-(r**2) / 2)),
            "seen_days_frac": None if r > 4 else float(np.exp(-r)),
        },
        "shock": {
            "factors": {name: r * (-0.8 + 0.5 * i) for i, name in enumerate(factors)},
            "moves_pct": {name: -r * (1 + 0.2 * i) for i, name in enumerate(symbols)},
            "depth": max(1 - 0.2 * r, 0.2),
            "haircut": 0.02 * r,
        },
        "worst": {"value": worst, "ci": [0.94 * worst, 1.07 * worst]},
        "evaluations": 400,
        "random_best": 0.82 * worst,
    }


def worst_case_document(symbols=SYMBOLS, **changes):
    factors = ("market", "majors", "ai")
    times = np.linspace(0.0, 24.0, 97)
    document = {
        "schema": "liqwarn.worst_case/1",
        "version": "0.1.0",
        "market": "from real data",
        "seed": 7,
        "objective": "loss",
        "symbols": list(symbols),
        "factors": list(factors),
        "initial": state(
            symbols,
            kind="store",
            as_of="2025-02-02T20:00:00Z",
            notes=["Order books are not recorded: depth is open interest over 25."],
        ),
        "radii": [radius(r, symbols, factors) for r in (1, 2, 3, 4, 5)],
        "path": {
            "times_h": times.tolist(),
            "symbols": {
                name: (-(4 + 1.5 * i) * (1 - np.exp(-times / 3))).tolist()
                for i, name in enumerate(symbols)
            },
            "liquidated_usd": (9e8 * (1 - np.exp(-times / 2))).tolist(),
        },
    }
    return document | changes


SHAPE = {
    "schema", "symbols", "shocks", "times_h", "horizon_h", "seed", "paths", "diverged", "step_s"
}  # fmt: skip
WORDS = {"schema", "kind", "market", "objective", "follow", "at", "over", "for", "every"}


def nothing(value):
    """The same document with every number a null, except those that give it its shape."""
    if isinstance(value, dict):
        return {
            key: item if key in SHAPE and not isinstance(item, dict) else nothing(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [nothing(item) for item in value]
    return value if isinstance(value, str) else None


def poisoned(value, evil):
    """The same document with every text from outside an attack, also the names of symbols."""
    if isinstance(value, dict):
        return {
            evil if key in SYMBOLS else key: item if key in WORDS else poisoned(item, evil)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [poisoned(item, evil) for item in value]
    return evil if isinstance(value, str) else value
