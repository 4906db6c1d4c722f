"""Made-up signal boards: what the tests of their words, their page and their file stand on."""

from liqwarn.reports.signal_content import Board, Group, Reading, direction_of

AS_OF = "2024-08-05T03:00:00.000Z"


def reading(key="funding_rate", push=0.3, **changes):
    parts = {
        "key": key,
        "title": key.replace("_", " ").capitalize(),
        "feature": key,
        "unit": "share",
        "value": 1.0,
        "text": "1.0",
        "percentile": 0.98,
        "level": "high",
        "contribution": push,
        "direction": direction_of(push),
        "expected": "raising",
        "agrees": None,
        "missing": None,
        "phrase": f"high {key.replace('_', ' ')}",
    }
    return Reading(**(parts | changes))


def missing(key="whales", since="never"):
    nothing = dict.fromkeys(("value", "percentile", "level", "contribution", "direction"))
    return reading(key, **(nothing | {"text": "", "phrase": "", "missing": since}))


def group(key, *signals, rest=0.0):
    total = rest + sum(s.contribution or 0.0 for s in signals)
    return Group(
        key=key, title=key.capitalize(), contribution=total, rest=rest, signals=tuple(signals)
    )


def board(*groups, **changes):
    parts = {
        "symbol": "BTCUSDT",
        "side": "long",
        "as_of": AS_OF,
        "tier": None,
        "p_4h": 0.068,
        "base_rate": 0.068 / 5.1,
        "quantile": 0.9712,
        "log_odds": -2.618,
        "start": -4.2,
        "groups": groups or (group("funding", reading()),),
        "verdict": "BTCUSDT long side: 6.8 % in 4 h",
    }
    return Board(**(parts | changes))


def without_probability(*groups, **changes):
    known = dict.fromkeys(("p_4h", "base_rate", "quantile", "log_odds", "start"))
    return board(*groups, **(known | changes))
