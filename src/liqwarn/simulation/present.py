"""What a market frame says of the market at its last bar, in the words of the simulator."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from liqwarn.errors import ConfigError
from liqwarn.frames import FloatArray, MarketFrame
from liqwarn.liquidation.crowding import crowding
from liqwarn.simulation.behaviour import Positioning
from liqwarn.simulation.specs import OI_TO_DEPTH, SymbolSpec

__all__ = ["Present", "present_of"]

_RETURNS: Final = timedelta(days=30)
_MOODS: Final = timedelta(days=90)
_FRESH: Final = timedelta(days=1)
_LEAST: Final = 20  # values below which a past says nothing
_MOST_SHARED: Final = 0.97
_LIKE_A_BOOK: Final = (10.0, 100.0)
_DEPTHS: Final = ("bid_depth_usd", "ask_depth_usd")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Present:
    """A real market as the simulator sees it.

    Attributes
    ----------
    specs : tuple of SymbolSpec
        With price, open interest, depth, volatility and loadings of now.
    depth : ndarray, shape (n_symbols, 2)
        Log of bid and ask depth over the depth of the specs.
    mood : ndarray, shape (n_symbols,)
        Crowding, in the units of the simulated market; positive: longs are crowded.
    notes : tuple of str
        What was assumed.
    """

    specs: tuple[SymbolSpec, ...]
    depth: FloatArray
    mood: FloatArray
    notes: tuple[str, ...]


def present_of(frame: MarketFrame) -> Present:
    """Measure the market at the last bar of a frame; nothing after it is looked at.

    Volatility is the standard deviation of log returns over 30 days, scaled by the square root of
    time to an hour; the loading on the market is that on the first principal component of their
    correlations. Crowding is the z-score, within 90 days, of
    :func:`liqwarn.liquidation.crowding.crowding` (funding, basis, taker flow), as far above the
    simulated market's mean as that is above its own. Depth is taken as it is where open interest
    is 10 to 100 times as large, as in a venue's own book. Elsewhere its vendor and that of open
    interest count different venues or prices, so its level says nothing: its long-run level is
    then open interest / 25, and the data say only how far it is from its mean of 30 days.

    Raises
    ------
    ConfigError
        Naming every symbol without a price, open interest, or a past.
    """
    bars = int(_RETURNS / frame.bar)
    price = frame.field("close")[:, -1]
    coins = _freshest(frame, "open_interest")
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.diff(np.log(frame.field("close")[:, -bars - 1 :]), axis=1)
    together = returns[:, np.isfinite(returns).all(axis=0)]
    faults = [*_missing(frame, price, coins), *_short(frame, returns, together)]
    if faults:
        raise ConfigError(f"market at {frame.times[-1]}: " + "; ".join(faults))
    usd = coins * price
    level, depth, notes = _depths(frame, usd, bars)
    hours = frame.bar / timedelta(hours=1)
    volatility = np.array([r[np.isfinite(r)].std(ddof=1) for r in returns]) / np.sqrt(hours)
    shared = _shared(together)
    mood, unknown = _mood(frame)
    specs = tuple(
        SymbolSpec(
            name=name,
            sector="market",
            price=float(price[i]),
            volatility=float(volatility[i]),
            beta=float(shared[i]),
            sector_beta=0.0,
            open_interest_usd=float(usd[i]),
            depth_usd=float(level[i]),
        )
        for i, name in enumerate(frame.symbols)
    )
    return Present(specs=specs, depth=depth, mood=mood, notes=(*notes, *unknown))


def _freshest(frame: MarketFrame, name: str) -> FloatArray:
    """The last value of a field within a day; NaN where there is none."""
    recent = frame.field(name)[:, -max(1, int(_FRESH / frame.bar)) :]
    known = np.isfinite(recent)
    last = recent.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    return np.asarray(np.take_along_axis(recent, last[:, None], axis=1)[:, 0])


def _missing(frame: MarketFrame, price: FloatArray, coins: FloatArray) -> Iterator[str]:
    for name, values in (("close", price), ("open_interest", coins)):
        lacking = [s for s, v in zip(frame.symbols, values, strict=True) if not v > 0.0]
        if lacking:
            yield f"{', '.join(lacking)}: found no {name}, expected one"


def _short(frame: MarketFrame, returns: FloatArray, together: FloatArray) -> Iterator[str]:
    """Pasts too short to measure volatility and its common part."""
    known = np.isfinite(returns).sum(axis=1)
    lacking = [s for s, n in zip(frame.symbols, known, strict=True) if n < _LEAST]
    if lacking:
        yield f"{', '.join(lacking)}: found fewer than {_LEAST} returns in 30 days, expected more"
    elif together.shape[1] < _LEAST:
        yield f"found {together.shape[1]} bars with all symbols in 30 days, expected {_LEAST}"
    still = [s for s, r in zip(frame.symbols, returns, strict=True) if not np.nan_to_num(r).any()]
    if still and not lacking:
        yield f"{', '.join(still)}: found a price that never moved in 30 days"


def _shared(returns: FloatArray) -> FloatArray:
    """Loading of each symbol's returns on the first principal component of their correlations."""
    if len(returns) == 1:
        return np.array([_MOST_SHARED])
    values, vectors = np.linalg.eigh(np.corrcoef(returns))
    first = vectors[:, -1] * np.sign(vectors[:, -1].sum())
    return np.asarray(np.clip(np.sqrt(values[-1]) * first, 0.0, _MOST_SHARED))


def _depths(
    frame: MarketFrame, usd: FloatArray, bars: int
) -> tuple[FloatArray, FloatArray, list[str]]:
    """Long-run depth, the log of each side's depth over it, and what was assumed."""
    pair = np.stack([_freshest(frame, name) for name in _DEPTHS], axis=1)
    past = np.stack([frame.field(name)[:, -bars:] for name in _DEPTHS], axis=1)
    with np.errstate(invalid="ignore"):
        past = np.where(past > 0.0, past, np.nan)
    known = np.all(pair > 0.0, axis=1)
    level, logs = usd / OI_TO_DEPTH, np.zeros(pair.shape)
    assumed, relative = [], []
    for i, symbol in enumerate(frame.symbols):
        if not known[i]:
            assumed.append(symbol)
            continue
        ratio = usd[i] / pair[i].mean()
        if _LIKE_A_BOOK[0] <= ratio <= _LIKE_A_BOOK[1]:
            level[i] = pair[i].mean()
            logs[i] = np.log(pair[i] / level[i])
        else:
            relative.append(f"{symbol} {ratio:,.0f}")
            logs[i] = np.clip(np.log(pair[i] / np.nanmean(past[i])), -np.log(5.0), np.log(5.0))
    notes = []
    if assumed:
        notes.append(f"Depth is not known and taken as open interest / 25: {', '.join(assumed)}.")
    if relative:
        notes.append(
            "Depth and open interest of the data are of different scope (open interest over depth: "
            f"{', '.join(relative)}): the usual depth is taken as open interest / 25, and the data "
            "say only how far depth is from its mean of 30 days."
        )
    return level, logs, notes


def _mood(frame: MarketFrame) -> tuple[FloatArray, list[str]]:
    """Crowding as the simulated market counts it, and for whom it is not known."""
    people = Positioning()
    past = frame.between(max(0, frame.shape[1] - int(_MOODS / frame.bar)), frame.shape[1])
    buys, sells = past.field("taker_buy_volume"), past.field("taker_sell_volume")
    rate, hours = past.field("funding_rate"), past.field("funding_interval_h")
    other, other_h = past.field("funding_rate_2"), past.field("funding_interval_2_h")
    settled = np.isfinite(rate)
    with np.errstate(invalid="ignore", divide="ignore"):
        basis = past.field("mark") / past.field("index") - 1.0
        takers = (buys - sells) / (buys + sells)
    rate, hours = np.where(settled, rate, other), np.where(settled, hours, other_h)
    signs = crowding(rate, hours, basis, takers)
    known = np.isfinite(rate) | np.isfinite(basis) | np.isfinite(takers)
    mood, unknown = np.zeros(len(frame.symbols)), []
    for i, symbol in enumerate(frame.symbols):
        seen = signs[i, known[i]]
        if seen.size < _LEAST or not known[i, -1] or not seen.std() > 0.0:
            unknown.append(symbol)
            continue
        score = np.clip((signs[i, -1] - seen.mean()) / seen.std(ddof=1), -3.0, 3.0)
        mood[i] = people.crowding_mean + people.crowding_std * score
    note = f"Crowding is not known and taken as balanced: {', '.join(unknown)}."
    return mood, [note] if unknown else []
