"""An example of every answer, for OpenAPI; each fits the schema it stands beside."""

from typing import Any, Final

from pydantic import BaseModel

from liqwarn.serving.data_schema import Problem

__all__ = [
    "EVENTS",
    "FLAG",
    "FLAGS",
    "HEALTH",
    "HISTORY",
    "MAP",
    "METRICS",
    "NOT_HTTP",
    "SCORES",
    "SCORE_ASK",
    "UNAVAILABLE",
    "UNKNOWN",
    "bad_request",
    "described",
    "problem",
]

_LIMITS: Final = {
    "leverage_frac": 0.5,
    "order_size_frac": 0.75,
    "add_frac": 0.0,
    "collateral_buffer_mult": 1.5,
    "max_participation_frac": 0.05,
    "net_increase": False,
    "post_only": True,
    "collar_frac": None,
    "cancel_increasing": False,
}
_PROBABILITIES: Final = {"p_1h": 0.041, "p_4h": 0.112, "p_24h": 0.304}
_SIDE: Final = {
    **_PROBABILITIES,
    "tier": "T3",
    "state": "REDUCING",
    "limits": _LIMITS,
    "reasons": ["The probability of a cascade is high for this symbol."],
}
_UNKNOWN_SIDE: Final = {**_SIDE, **dict.fromkeys(_PROBABILITIES)}
_NO_FLAG: Final = {
    "quality": "unknown",
    "sides": {
        name: {**_UNKNOWN_SIDE, "reasons": ["No flag is known for this symbol."]}
        for name in ("long", "short")
    },
}
FLAG: Final[dict[str, Any]] = {
    "schema": "liqwarn.flag/1",
    "symbol": "BTCUSDT",
    "as_of": "2024-08-05T06:00:00.000Z",
    "issued_at": "2024-08-05T06:00:41.120Z",
    "valid_until": "2024-08-05T07:10:00.000Z",
    "sequence": 1722837600,
    "quality": "ok",
    "sides": {"long": _SIDE, "short": _SIDE},
    "model": {"version": "3", "sha256": "9f2c"},
    "policy": {"version": "1.0.0", "sha256": "41ab"},
    "data": {"sha256": "77e0", "completeness": 1.0},
}
FLAGS: Final[dict[str, Any]] = {
    "schema": "liqwarn.flags/1",
    "generated_at": "2024-08-05T06:00:41.120Z",
    "market": "real",
    "flags": [FLAG],
}
UNKNOWN: Final[dict[str, Any]] = {
    "detail": "no flag for this symbol",
    "symbol": "NOPEUSDT",
    **_NO_FLAG,
}
UNAVAILABLE: Final[dict[str, Any]] = {
    "detail": "no flags have been read: flags.json: No such file or directory",
    **_NO_FLAG,
}
HEALTH: Final[dict[str, Any]] = {
    "status": "ok",
    "version": "0.1.0",
    "generated_at": "2024-08-05T06:00:41.120Z",
    "fresh": 300,
    "stale": 0,
    "fault": None,
}
HISTORY: Final[dict[str, Any]] = {
    "schema": "liqwarn.flag_history/1",
    "symbol": "BTCUSDT",
    "known_by": "2024-08-05T06:00:41.120Z",
    "rows": [
        {
            "symbol": "BTCUSDT",
            "as_of": "2024-08-05T06:00:00.000Z",
            "side": "long",
            **_PROBABILITIES,
            "tier": "T3",
            "state": "REDUCING",
            "rule": "enter",
            "quality": "ok",
            "sequence": 1722837600,
            "issued_at": "2024-08-05T06:00:41.120Z",
            "valid_until": "2024-08-05T07:10:00.000Z",
        }
    ],
    "next": None,
}
EVENTS: Final[dict[str, Any]] = {
    "schema": "liqwarn.events/1",
    "total": 1,
    "events": [
        {
            "symbol": "BTCUSDT",
            "side": "long",
            "onset": "2024-08-05T01:00:00.000Z",
            "peak": "2024-08-05T06:00:00.000Z",
            "end": "2024-08-05T07:00:00.000Z",
            "move": -0.118,
            "oi_loss": 0.164,
            "long_liq_usd": 2520501.5,
            "short_liq_usd": None,
            "severity": 14.2,
            "flags": ["severe"],
        }
    ],
}
MAP: Final[dict[str, Any]] = {
    "schema": "liqwarn.map_profile/1",
    "symbol": "BTCUSDT",
    "as_of": "2024-08-05T06:00:00Z",
    "price": 54000.0,
    "open_interest": 81000.0,
    "bins": [{"price": 53000.0, "long": 120.5, "short": 0.0}],
    "usable": True,
}
SCORE_ASK: Final[dict[str, Any]] = {
    "names": ["oi_change_4h", "funding_rate"],
    "rows": [[0.12, 0.0003], [None, 0.0001]],
}
_ROW: Final = {
    "long": _PROBABILITIES,
    "short": _PROBABILITIES,
    "quality": "ok",
    "novelty": 0.31,
}
SCORES: Final[dict[str, Any]] = {
    "schema": "liqwarn.scores/1",
    "model": {"version": "3", "sha256": "9f2c"},
    "rows": [_ROW, {**_ROW, "quality": "degraded", "novelty": None}],
}
METRICS: Final[dict[str, Any]] = {
    "description": "Prometheus text",
    "content": {
        "text/plain": {
            "schema": {"type": "string"},
            "example": "# TYPE liqwarn_flags gauge\nliqwarn_flags 300\n",
        }
    },
}

NOT_HTTP: Final[dict[str, Any]] = {
    "description": "No HTTP, or a URL of more than 64 KiB: refused before the application sees it",
    "content": {
        "text/plain": {"schema": {"type": "string"}, "example": "Invalid HTTP request received."}
    },
}


def described(
    description: str, example: dict[str, Any], model: type[BaseModel] | None = None
) -> dict[str, Any]:
    """A documented answer: what it says, one of them, and its schema where FastAPI needs it."""
    content = {"application/json": {"example": example}}
    shape: dict[str, Any] = {"description": description, "content": content}
    return shape if model is None else {**shape, "model": model}


def problem(detail: str) -> dict[str, Any]:
    """A documented error."""
    return described("Why not", {"detail": detail}, Problem)


def bad_request(detail: str) -> dict[str, Any]:
    """A documented 400 of the application, beside the server's own."""
    ours = problem(detail)
    return {**ours, "content": {**NOT_HTTP["content"], **ours["content"]}}
