"""Made-up accounts of a ledger, in the exact shape of ``liqwarn.ledger/1``."""

from datetime import date, timedelta

SIDES = ("long", "short")


def figure(value, spread=0.25):
    return {"value": value, "low": round(value * (1 - spread), 4), "high": value * (1 + spread)}


def skill(scope, side, window="all", onsets=48, **told):
    caught = round(onsets * 0.7)
    return {
        "scope": scope,
        "side": side,
        "horizon_h": 4,
        "window": window,
        "model": "any",
        "rows": 210 * onsets + 1000,
        "replayed": 0,
        "note": "",
        "onsets": onsets,
        "base_rate": 0.0112,
        "pr_auc": figure(0.064 if side == "long" else 0.051),
        "roc_auc": {"value": 0.78, "low": 0.71, "high": 0.84},
        "brier": 0.0104,
        "brier_skill": 0.021,
        "slope": {"value": 0.94, "low": 0.71, "high": 1.18},
        "ece": 0.0021,
        "recall": {
            "value": caught / onsets if onsets else None,
            "low": 0.55 if onsets else None,
            "high": 0.83 if onsets else None,
            "caught": caught,
            "events": onsets,
        },
        "false_alarms_per_week": 1.4,
        "time_in_alarm": 0.051,
        **told,
    }


def week(number, side):
    onsets = (3 * number + (side == "long")) % 5
    return {
        "week": (date(2025, 6, 2) + timedelta(weeks=number)).isoformat(),
        "side": side,
        "rows": 1008,
        "onsets": onsets,
        "pr_auc": 0.03 + 0.02 * onsets if onsets else None,
        "brier": 0.004 + 0.002 * onsets,
        "caught": onsets - onsets // 2,
        "missed": onsets // 2,
        "false_alarms": (number + 2 * (side == "short")) % 4,
    }


def miss(number, symbol="BTCUSDT"):
    return {
        "symbol": symbol,
        "side": SIDES[number % 2],
        "onset": f"2025-{6 + number % 4:02d}-{1 + number % 28:02d}T{number % 24:02d}:00:00.000Z",
        "severity": 1.5 + 0.25 * (number % 7),
        "p_4h": 0.004 + 0.001 * (number % 9),
        "tier": "T1" if number % 3 else "T0",
        "model": str(3 + number % 2),
    }


def drift(grade="none"):
    inputs = [
        {
            "feature": f"feature_{n:02d}",
            "psi": 0.01 * n,
            "ks": 0.02 + 0.005 * n,
            "missing_reference": 0.0,
            "missing_recent": 0.01 * (n % 3),
            "grade": "large" if n >= 28 else "moderate" if n >= 20 else "none",
        }
        for n in range(30)
    ]
    calibration = [
        {"side": side, "slope": 0.9, "low": 0.62, "high": 1.2, "expected": 0.011,
         "observed": 0.013, "grade": grade} for side in SIDES
    ]  # fmt: skip
    span = {"from": "2025-01-01T00:00:00.000Z", "until": "2025-06-01T00:00:00.000Z", "rows": 43488}
    return {
        "reference": span,
        "recent": {**span, "from": "2025-09-01T00:00:00.000Z", "until": "2025-10-01T00:00:00.000Z"},
        "inputs": inputs,
        "scores": [{"side": side, "psi": 0.14, "ks": 0.09, "grade": "moderate"} for side in SIDES],
        "calibration": calibration,
    }


ALARMS = (
    {
        "rule": "drift",
        "subject": "inputs",
        "severity": "warn",
        "since": "2025-09-20T00:00:00.000Z",
        "text": "9 of 30 inputs drifted far, most of all feature_29, feature_28",
    },
    {
        "rule": "skill",
        "subject": "all long",
        "severity": "act",
        "since": "2025-09-28T00:00:00.000Z",
        "text": "ROC-AUC of the last 90 days is 0.410 [0.330, 0.480]: worse than guessing",
    },
)


def make_account(symbols=("BTCUSDT", "DOGEUSDT"), weeks=18, missed=22, **told):
    """An account of a ledger with everything in it."""
    scopes = [("all", 48), *((symbol, 48 // len(symbols)) for symbol in symbols)]
    return {
        "schema": "liqwarn.ledger/1",
        "panel": "made_up",
        "market": "simulated",
        "as_of": "2025-10-01T00:00:00.000Z",
        "generated_at": "2025-10-01T00:05:00.000Z",
        "counts": {
            "issued": 61234,
            "known": 52110,
            "running": 900,
            "pending": 48,
            "unknown": 76,
            "replayed": 8000,
            "in_sample": 1000,
            "changed": 3,
            "revised": 2,
        },
        "champion": {"version": "4", "since": "2025-08-01T03:00:00.000Z"},
        "skill": [
            skill(scope, side, window, onsets // divisor)
            for window, divisor in (("all", 1), ("90d", 2), ("30d", 8))
            for scope, onsets in scopes
            for side in SIDES
        ],
        "timely_skill": [skill("all", side, onsets=40) for side in SIDES],
        "pooled": [],
        "weekly": [week(number, side) for number in range(weeks) for side in SIDES],
        "misses": [miss(n, symbols[n % len(symbols)]) for n in range(missed)],
        "drift": drift(),
        "standings": [
            {
                "symbol": symbol,
                "enabled": n != 1,
                "since": "2025-09-01T00:00:00.000Z",
                "reason": "live ROC-AUC 0.310 [0.200, 0.440] lies below the floor" * (n == 1),
                "champion": "4",
            }
            for n, symbol in enumerate(symbols)
        ],
        "alarms": list(ALARMS),
        **told,
    }


def new_account():
    """A ledger in which nothing is known yet."""
    empty = [
        skill("all", side, onsets=0, rows=0, base_rate=None, pr_auc=None, roc_auc=None,
              brier=None, brier_skill=None, slope=None, ece=None, false_alarms_per_week=None,
              time_in_alarm=None) for side in SIDES
    ]  # fmt: skip
    counts = dict.fromkeys(
        ("issued", "known", "running", "pending", "unknown", "replayed", "in_sample", "changed",
         "revised"), 0
    )  # fmt: skip
    return make_account(
        counts=counts | {"issued": 4, "pending": 4},
        champion=None, skill=empty, timely_skill=empty, weekly=[], misses=[], standings=[],
        alarms=[],
        drift={"reference": None, "recent": None, "inputs": [], "scores": [], "calibration": []},
    )  # fmt: skip
