"""Bars of a simulated market as a market that runs: prices, books and orders at every moment.

All of it is a function of the time alone, so whoever asks again gets the same, and what was
recorded can be held against what was said.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

MINUTE_MS = 60_000
ORDER_USD = 25_000.0
LEVELS = 30
STEP_FRAC = 0.001


@dataclass(frozen=True)
class Order:
    """A liquidation."""

    time_ms: int
    side: str
    price: float
    size: float


class PlayedSymbol:
    """One perpetual between the closes of its bars."""

    def __init__(self, bars: dict[int, dict[str, float]], bar_ms: int) -> None:
        self._bars, self._bar_ms = bars, bar_ms

    def field(self, name: str, at_ms: int) -> float:
        """A bar's value at a moment within it."""
        return self._bars[-(-(at_ms + 1) // self._bar_ms) * self._bar_ms][name]

    def price(self, at_ms: int) -> float:
        """On the way open, low, high, close, or the other way round when the bar falls."""
        first, last = self.field("open", at_ms), self.field("close", at_ms)
        turns = [self.field("low", at_ms), self.field("high", at_ms)]
        way = [first, *(turns if last >= first else turns[::-1]), last]
        leg, part = divmod(3 * (at_ms % self._bar_ms) / self._bar_ms, 1)
        return way[int(leg)] + part * (way[int(leg) + 1] - way[int(leg)])

    def candle(self, opens_ms: int) -> dict[str, float]:
        """Of a minute, every second looked at."""
        prices = [self.price(opens_ms + 1_000 * s) for s in range(60)]
        share = MINUTE_MS / self._bar_ms
        volume = share * self.field("volume", opens_ms)
        return {
            "open": prices[0], "high": max(prices), "low": min(prices), "close": prices[-1],
            "volume": volume,
            "taker_buy_volume": min(volume, share * self.field("taker_buy_volume", opens_ms)),
        }  # fmt: skip

    def orders(self, second: int) -> Iterator[Order]:
        """Liquidations of a second, one of either side at most."""
        at_ms = 1_000 * second
        n_seconds = self._bar_ms // 1_000
        for k, side in enumerate(("long", "short")):
            usd = self.field(f"{side}_liq_usd", at_ms)
            count = min(n_seconds // 2, -(-usd // ORDER_USD))
            if not count or (second + k) % 2:
                continue
            place = second % n_seconds // 2
            if int((place + 1) * count // (n_seconds // 2)) > int(
                place * count // (n_seconds // 2)
            ):
                price = round(self.price(at_ms), 2)
                yield Order(at_ms + 7, side, price, max(0.001, round(usd / count / price, 3)))

    def book(self, at_ms: int) -> tuple[dict[str, str], dict[str, str]]:
        """Bids and asks, a level every tenth of a percent; ten of them within one percent."""
        mid = self.price(at_ms)
        sides = []
        for name, sign in (("bid_depth_usd", -1), ("ask_depth_usd", 1)):
            usd = self.field(name, at_ms) / 9.5
            prices = [mid * (1 + sign * STEP_FRAC * (n + 0.5)) for n in range(LEVELS)]
            sides.append({f"{price:.2f}": f"{usd / price:.3f}" for price in prices})
        return sides[0], sides[1]


def load_market(path: Path) -> dict[str, PlayedSymbol]:
    """The symbols of a file of bars, one JSON message a line."""
    bars: dict[str, dict[int, dict[str, float]]] = {}
    bar_ms = 0
    for line in path.read_text().splitlines():
        told = json.loads(line)
        close_ms = int(datetime.fromisoformat(told["time"]).timestamp()) * 1_000
        bars.setdefault(told["symbol"], {})[close_ms] = told["fields"]
        bar_ms = 1_000 * told["bar_s"]
    return {symbol: PlayedSymbol(found, bar_ms) for symbol, found in bars.items()}
