"""A made-up event of 40 hourly bars, as the event explorer writes it."""

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from liqwarn.decisions import iso_utc
from liqwarn.reports.canvas import heat_map_canvas

_maps = runpy.run_path(str(Path(__file__).with_name("synthetic_maps.py")))
BARS, ONSET, END = 40, 20, 23
START = datetime(2024, 5, 1, 1, tzinfo=UTC)  # close of the first bar, as in the made-up map


def at(bar):
    return iso_utc(START + timedelta(hours=bar))


def driver(name, contribution, percentile=0.4):
    return {
        "feature": name, "what": "What it is.", "unit": "share", "value": 0.0123,
        "percentile": percentile, "contribution": contribution,
    }  # fmt: skip


def budget(threshold, lead=None, *, earlier=None, late=None):
    return {
        "threshold": threshold,
        "verdict": "missed" if lead is None else "warned",
        "lead_minutes": lead,
        "first_alarm": None if lead is None else at(ONSET - 1 - lead / 60),
        "earlier": earlier,
        "late": late,
    }


def event(side="long", **changes):
    sign = -1 if side == "long" else 1
    made = {
        "symbol": "BTCUSDT", "side": side, "onset_start": at(ONSET - 1), "onset": at(ONSET),
        "confirmed": at(ONSET + 1), "peak": at(END), "end": at(END), "move": 0.08 * sign,
        "oi_loss": 0.064, "long_liq_usd": 31.4e6, "short_liq_usd": 2.1e6, "severity": 5.2,
        "flags": ["severe", "flow_confirmed"],
    }  # fmt: skip
    return made | changes


def series():
    heat = _maps["simulate"](n_times=BARS, n_bins=60)
    p = np.geomspace(0.004, 0.06, BARS)
    columns = {
        "time": [at(k) for k in range(BARS)],
        "open": [heat.close[0], *heat.close[:-1].tolist()],
        "high": heat.high.tolist(),
        "low": heat.low.tolist(),
        "close": heat.close.tolist(),
        "open_interest": np.linspace(90_000, 80_000, BARS).tolist(),
        "long_liq_usd": np.linspace(0, 5e6, BARS).tolist(),
        "short_liq_usd": np.linspace(1e6, 0, BARS).tolist(),
        "funding_8h": [0.0001] * 30 + [-0.0002] * 10,
        "quality": ["ok"] * BARS,
    }
    for side in ("long", "short"):
        columns |= {f"p_{h}h_{side}": (p * f).tolist() for h, f in ((1, 0.4), (4, 1.0), (24, 3.0))}
        columns[f"quantile_{side}"] = np.linspace(0.2, 0.99, BARS).tolist()
        columns[f"tier_{side}"] = [0] * 15 + [1] * 6 + [4] * 8 + [2] * 11
        columns[f"rule_{side}"] = ["score"] * BARS
        columns[f"early_{side}"] = [not ONSET <= k <= END + 2 for k in range(BARS)]
    return columns, heat_map_canvas(heat)


def event_document(side="long"):
    """An event warned of 120 minutes ahead at 10 % time in alarm, missed at 5 %."""
    columns, canvas = series()
    return {
        "schema": "liqwarn.event/1",
        "panel": "btc_core",
        "market": "real",
        "bar_s": 3600,
        "event": event(side),
        "choice": {"asked": "2024-05-01", "exact": True, "others": []},
        "model": {
            "fitted": True, "version": "until 2024-04-29", "sha256": "ab" * 32,
            "panel": "btc_core", "trained_until": "2024-04-29T00:00:00.000Z", "rows": 30_000,
            "events": 200, "seen_event": False, "seen_bars": 0,
            "policy": {"version": "1.0.0", "sha256": "cd" * 32},
        },
        "warning": {
            "horizon_h": 4,
            "bars": 4,
            "judged_bars": 4,
            "budgets": {"0.05": budget(0.031), "0.10": budget(0.0125, 120.0)},
            "peak": {
                "time": at(ONSET - 1), "probability": {"1h": 0.008, "4h": 0.0155, "24h": 0.05},
                "quantile": 0.934, "base_rate": 0.01,
                "raised": [driver("rv_6h", 0.51, 0.94)],
                "lowered": [driver("oi_drawdown_24h", -0.31, 0.09)],
            },
            "inputs": {
                "quality": "ok", "completeness": 1.0, "missing_fields": [],
                "unknown_features": 0, "features": 100,
                "volatility": {"feature": "rv_1d", "value": 0.005, "percentile": 0.31},
            },
            "running_before": [],
        },
        "tiers": {"before": 1, "at_onset": 1, "during": 4, "after": 2, "changes": []},
        "series": columns,
        "map": canvas,
    }  # fmt: skip


def missed_document():
    """The same, missed at both shares of time in alarm."""
    document = event_document()
    document["warning"]["budgets"] = {"0.05": budget(0.062), "0.10": budget(0.031)}
    return document
