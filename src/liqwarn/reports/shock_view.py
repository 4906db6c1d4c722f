"""The shocks of a scenario in words, and laid out on its time axis."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.reports.formats import DASH, finite, number, percent, signed
from liqwarn.reports.simulation_charts import duration

__all__ = ["ShockBar", "hours_of", "shock_bars", "shock_sentence", "shocked_symbols"]

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h|d)")
_HOURS: Final = {"s": 1 / 3600, "min": 1 / 60, "m": 1 / 60, "h": 1.0, "d": 24.0}
_THINNEST: Final = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class ShockBar:
    """One shock; positions are percent of the horizon, None where its moment cannot be read."""

    kind: str
    when: str
    sentence: str
    symbols: str
    left: float | None
    width: float
    tail: float


def hours_of(shock: Mapping[str, Any], name: str) -> float | None:
    """A time span of a shock in hours, written as text or as a number named by its unit.

    >>> hours_of({"over": "30m"}, "over"), hours_of({"at": "1h30m"}, "at")
    (0.5, 1.5)
    >>> hours_of({"at_s": 1800}, "at"), hours_of({"at": 0}, "at"), hours_of({"at": 7}, "at")
    (0.5, 0.0, None)
    """
    for unit, hours in _HOURS.items():
        found = finite(shock.get(f"{name}_{unit}"))
        if found is not None:
            return found * hours
    raw = shock.get(name)
    if isinstance(raw, str) and re.fullmatch(f"(?:{_SPAN.pattern})+", raw):
        return sum(float(size) * _HOURS[unit] for size, unit in _SPAN.findall(raw))
    return 0.0 if finite(raw) == 0.0 else None


def shocked_symbols(shock: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Whom a shock hits; None for everybody.

    >>> shocked_symbols({"symbols": "all"}), shocked_symbols({"symbols": ["BTCUSDT"]})
    (None, ('BTCUSDT',))
    """
    raw = shock.get("symbols")
    if raw is None or raw == "all":
        return None
    return (raw,) if isinstance(raw, str) else tuple(str(symbol) for symbol in raw)


def shock_sentence(shock: Mapping[str, Any]) -> str:
    """What a shock does.

    >>> shock_sentence({"kind": "price", "move": -0.12, "over": "30m", "follow": "beta"})
    'Price −12.0 % over 30 min, each symbol by its beta'
    >>> shock_sentence({"kind": "comet", "size": 3})
    'comet: size 3'
    """
    write = _SENTENCES.get(str(shock.get("kind")))
    if write is not None:
        return write(shock)
    rest = [f"{k} {v}" for k, v in shock.items() if k not in ("kind", "at", "symbols")]
    return f"{shock.get('kind', DASH)}: {', '.join(rest)}"


def shock_bars(shocks: Sequence[Mapping[str, Any]], horizon_h: float) -> tuple[ShockBar, ...]:
    """Shocks on an axis from 0 to the horizon, the first one first."""
    return tuple(
        sorted(
            (_bar(shock, horizon_h) for shock in shocks),
            key=lambda bar: (bar.left is None, bar.left or 0.0),
        )
    )


def _bar(shock: Mapping[str, Any], horizon_h: float) -> ShockBar:
    at = hours_of(shock, "at")
    left = None if at is None else min(100 * at / horizon_h, 100 - _THINNEST)
    room = 100 - (left or 0.0)
    length, fading = _lasts(shock, horizon_h)
    width = min(max(100 * length / horizon_h, _THINNEST), room)
    symbols = shocked_symbols(shock)
    return ShockBar(
        kind=str(shock.get("kind", DASH)),
        when=DASH if at is None else f"at {duration(at)}",
        sentence=shock_sentence(shock),
        symbols="all symbols" if symbols is None else ", ".join(symbols) or "no symbol",
        left=left,
        width=width,
        tail=min(100 * fading / horizon_h, room - width),
    )


def _lasts(shock: Mapping[str, Any], horizon_h: float) -> tuple[float, float]:
    """Hours in force, and hours of fading afterwards (three half-lives: seven eighths gone)."""
    if shock.get("kind") == "adl":
        return horizon_h, 0.0
    if shock.get("kind") == "funding":
        payments = finite(shock.get("payments")) or 1.0
        return (payments - 1) * (hours_of(shock, "every") or 0.0), 0.0
    length = hours_of(shock, "over") or hours_of(shock, "for") or 0.0
    return length, 3 * (hours_of(shock, "half_life") or 0.0)


def _span(shock: Mapping[str, Any], name: str) -> str:
    found = hours_of(shock, name)
    return DASH if found is None else duration(found)


def _price(shock: Mapping[str, Any]) -> str:
    move = finite(shock.get("move"))
    size = signed(None if move is None else 100 * move, 1)
    how = ", each symbol by its beta" if shock.get("follow") == "beta" else ""
    return f"Price {size} % over {_span(shock, 'over')}{how}"


def _depth(shock: Mapping[str, Any]) -> str:
    back = f", then back with a half-life of {_span(shock, 'half_life')}"
    after = "" if hours_of(shock, "half_life") is None else back
    return f"Depth of the book {number(shock.get('to'), 2)}× for {_span(shock, 'for')}{after}"


def _funding(shock: Mapping[str, Any]) -> str:
    rate = finite(shock.get("rate"))
    payer = "" if not rate else ", longs pay" if rate > 0 else ", shorts pay"
    often = number(shock.get("payments"), 0)
    size = percent(None if rate is None else abs(rate), 2)
    return f"Funding of {size} a payment, {often} of them every {_span(shock, 'every')}{payer}"


def _haircut(shock: Mapping[str, Any]) -> str:
    size = percent(shock.get("haircut"))
    return f"Haircut of {size} on cross-margin collateral over {_span(shock, 'over')}"


def _outage(shock: Mapping[str, Any]) -> str:
    return f"Venue down for {_span(shock, 'for')}: no trade, no liquidation; the index moves on"


def _unlock(shock: Mapping[str, Any]) -> str:
    share = percent(shock.get("share"))
    return f"Coins worth {share} of open interest are sold slowly over {_span(shock, 'over')}"


def _adl(_shock: Mapping[str, Any]) -> str:
    return "The insurance fund is empty from here on: losses are shared by auto-deleveraging"


_SENTENCES: Final = {
    "price": _price,
    "depth": _depth,
    "funding": _funding,
    "haircut": _haircut,
    "outage": _outage,
    "unlock": _unlock,
    "adl": _adl,
}
