"""Flag histories as `liqwarn score` writes them: a row a symbol, bar and side."""

from datetime import timedelta

import pandas as pd
from market import HOURS, START, SYMBOLS

STATES = {"T0": "ACTIVE", "T1": "ACTIVE", "T2": "ACTIVE", "T3": "REDUCING", "T4": "REDUCING"}


def history(tier="T0", *, symbols=SYMBOLS, first=0, hours=HOURS + 1, **changes):
    """The same flag each hour, for both sides; `changes` replace whole columns."""
    bars = [START + timedelta(hours=hour) for hour in range(first, first + hours)]
    rows = [
        {
            "symbol": symbol,
            "as_of": bar,
            "side": side,
            "p_1h": 0.001,
            "p_4h": 0.004,
            "p_24h": 0.02,
            "tier": tier,
            "state": STATES.get(tier, "HALTED"),
            "rule": "calm",
            "quality": "ok",
            "sequence": int(bar.timestamp()),
            "issued_at": bar,
            "valid_until": bar + timedelta(minutes=70),
        }
        for bar in bars
        for symbol in symbols
        for side in ("long", "short")
    ]
    return pd.DataFrame(rows).assign(**changes)


def joined(*parts):
    return pd.concat(parts, ignore_index=True)
