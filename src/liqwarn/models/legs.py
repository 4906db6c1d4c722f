"""The three legs a cascade stands on: price, deleveraging, forced flow. Thresholds are past-only.

A leg is measured over one *span*: 30 minutes, or one bar where bars are longer. Its threshold comes
from trailing windows that end before the span begins, so the span never judges itself.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, BoolArray, FloatArray, MarketFrame, Side
from liqwarn.windows import (
    lag,
    needed_bars,
    rolling_max,
    rolling_min,
    rolling_quantile,
    rolling_std,
    rolling_sum,
)

__all__ = ["EventConfig", "Legs", "measure_legs"]

SPAN: Final = timedelta(minutes=30)
# longest bar: (sigma_k, price_floor, oi_quantile); floors set on the first training blocks
BY_BAR: Final = (
    (timedelta(minutes=5), (4.0, 0.015, 0.99)),
    (timedelta(minutes=15), (4.0, 0.015, 0.98)),
    (timedelta(minutes=30), (3.5, 0.015, 0.97)),
    (timedelta(hours=1), (3.0, 0.015, 0.95)),
    (timedelta(hours=4), (2.5, 0.020, 0.90)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventConfig:
    """What counts as a cascade on bars of one length.

    Attributes
    ----------
    bar : timedelta
        Length of the bars it is for.
    sigma_k, price_floor : float
        Price leg: the move is at least ``max(price_floor, sigma_k * sigma)``, as a fraction.
    oi_quantile, oi_floor : float
        Deleveraging leg: open interest in coins falls by at least
        ``max(oi_floor, oi_scale * trailing oi_quantile of declines)``, as a fraction.
    oi_scale : float
        What the trailing quantile of declines is multiplied by; 1 but for robustness.
    needs_open_interest : bool
        False for a label of price alone, a robustness check: deleveraging and flow are not asked
        for. True is the definition: without open interest nothing is known.
    oi_fault : float
        A fall over one span by this fraction or more (or the rise that mirrors it) is a splice of
        sources or a fault, not deleveraging: unknown.
    taker_quantile, liq_quantile : float
        Forced-flow leg: trailing quantile of taker imbalance, and of liquidations in USD.
    sigma_window, trailing_window, min_history : timedelta
        Windows of sigma and of the quantiles, and how much of them must be known.
    merge_gap : timedelta
        Events of one side whose end and next onset are closer are one event.
    quiet : timedelta
        After an event's end, before rows count as early warning again.
    """

    bar: timedelta
    sigma_k: float
    price_floor: float
    oi_quantile: float
    oi_floor: float = 0.01
    oi_scale: float = 1.0
    needs_open_interest: bool = True
    oi_fault: float = 0.6
    taker_quantile: float = 0.95
    liq_quantile: float = 0.99
    sigma_window: timedelta = timedelta(days=30)
    trailing_window: timedelta = timedelta(days=90)
    min_history: timedelta = timedelta(days=14)
    merge_gap: timedelta = timedelta(hours=6)
    quiet: timedelta = timedelta(hours=2)

    @classmethod
    def for_bar(cls, bar: timedelta) -> "EventConfig":
        """The frozen defaults for a bar length.

        Raises
        ------
        ModelError
            For bars of no length or longer than 4 h, which hide a cascade.

        Examples
        --------
        >>> EventConfig.for_bar(timedelta(hours=1)).sigma_k
        3.0
        """
        if timedelta(0) < bar:
            for longest, (sigma_k, price_floor, oi_quantile) in BY_BAR:
                if bar <= longest:
                    return cls(
                        bar=bar, sigma_k=sigma_k, price_floor=price_floor, oi_quantile=oi_quantile
                    )
        raise ModelError(f"bars are {bar} long, expected at most {BY_BAR[-1][0]} to see a cascade")

    def scaled(self, factor: float) -> "EventConfig":
        """The same with the thresholds of price and of open interest times `factor`.

        Thresholds of forced flow, windows and what counts as severe stay.

        Raises
        ------
        ModelError
            When the factor is not above 0.

        Examples
        --------
        >>> EventConfig.for_bar(timedelta(hours=1)).scaled(2.0).price_floor
        0.03
        """
        if not factor > 0.0:
            raise ModelError(f"thresholds are scaled by {factor}, expected a factor above 0")
        return replace(
            self,
            sigma_k=self.sigma_k * factor,
            price_floor=self.price_floor * factor,
            oi_floor=self.oi_floor * factor,
            oi_scale=self.oi_scale * factor,
        )

    def milder(self) -> "EventConfig":
        """The same of milder moves, to learn from: never what is forecast or scored.

        Price moves two thirds as far, falls of open interest four times as frequent or half as
        deep. On hourly bars: 2 sigma and 1 %, the 80th percentile of declines and 0.5 %.

        Examples
        --------
        >>> milder = EventConfig.for_bar(timedelta(hours=1)).milder()
        >>> milder.sigma_k, milder.price_floor, round(milder.oi_quantile, 9), milder.oi_floor
        (2.0, 0.01, 0.8, 0.005)
        """
        return replace(
            self,
            sigma_k=self.sigma_k * 2.0 / 3.0,
            price_floor=self.price_floor * 2.0 / 3.0,
            oi_quantile=1.0 - 4.0 * (1.0 - self.oi_quantile),
            oi_floor=self.oi_floor / 2.0,
        )

    def price_only(self) -> "EventConfig":
        """The same without deleveraging and flow: a robustness check, never the definition."""
        return replace(self, needs_open_interest=False)

    @property
    def span_bars(self) -> int:
        """Bars a leg is measured over."""
        return max(1, SPAN // self.bar)

    @property
    def run_bars(self) -> int:
        """Bars whose closes a running move may start from: the span, at least two bars."""
        return max(2, self.span_bars)

    @property
    def confirm_bars(self) -> int:
        """Most bars from an onset to the bar that confirms it."""
        return max(2, self.merge_gap // self.bar)

    @property
    def gap(self) -> timedelta:
        """Time after a bar's close in which nobody can act any more: one bar of 5 min or less."""
        return self.bar if self.bar <= timedelta(minutes=5) else timedelta(0)

    @property
    def lookback_bars(self) -> int:
        """Bars of history that make the legs of the last bar exact."""
        return needed_bars(self.trailing_window // self.bar) + 2 * self.run_bars


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Legs:
    """The legs of one side, each of shape (n_symbols, n_bars).

    Attributes
    ----------
    move, price_threshold : ndarray of float64
        Signed towards the side, fractions: positive is a fall for ``long``, a rise for ``short``.
    oi_loss, oi_threshold : ndarray of float64
        Fraction of the open interest in coins lost over the span.
    flow : ndarray of float64
        1 forced flow seen, 0 ruled out by everything that could show it, NaN not known.
    flow_ratio : ndarray of float64
        Strongest flow evidence as a multiple of its threshold; NaN where none is known.
    running : ndarray of bool
        The running move has passed half the price threshold and has not fallen back.
    known : ndarray of bool
        Whether price and deleveraging can be judged at all.
    price_alone : bool
        Whether the price leg makes an event by itself.
    """

    move: FloatArray
    price_threshold: FloatArray
    oi_loss: FloatArray
    oi_threshold: FloatArray
    flow: FloatArray
    flow_ratio: FloatArray
    running: BoolArray
    known: BoolArray
    price_alone: bool = False

    def confirmed(self, *, straddle: bool) -> BoolArray:
        """Bars at which all legs hold and no known flow speaks against them.

        Parameters
        ----------
        straddle : bool
            Let price and deleveraging hold in neighbouring bars of one running move, for bars so
            long that a cascade which crosses a bar's edge splits its legs.
        """
        price: BoolArray = self.move >= self.price_threshold
        if self.price_alone:
            return price
        deleveraging = self.oi_loss >= self.oi_threshold
        free = ~(self.flow == 0.0)
        together: BoolArray = price & deleveraging & free
        if not straddle:
            return together
        apart = np.zeros_like(together)
        either_free = free[:, 1:] | free[:, :-1]
        after = deleveraging[:, :-1] & self.running[:, :-1] & price[:, 1:]
        before = price[:, :-1] & deleveraging[:, 1:] & self.running[:, 1:]
        apart[:, 1:] = (after | before) & either_free
        return np.logical_or(together, apart)


def measure_legs(frame: MarketFrame, config: EventConfig) -> dict[Side, Legs]:
    """Measure every leg of both sides at every bar.

    Raises
    ------
    ModelError
        When the configuration is for bars of another length.
    """
    if frame.bar != config.bar:
        raise ModelError(f"events are defined for {config.bar} bars, the frame has {frame.bar}")
    threshold = _price_threshold(frame, config)
    loss, loss_threshold = _deleveraging(frame, config)
    judged = np.isfinite(loss + loss_threshold) | (not config.needs_open_interest)
    legs: dict[Side, Legs] = {}
    for side in SIDES:
        move = _move(frame, config, side, config.span_bars)
        flow, ratio = _flow(frame, config, side)
        legs[side] = Legs(
            move=move,
            price_threshold=threshold,
            oi_loss=loss,
            oi_threshold=loss_threshold,
            flow=flow,
            flow_ratio=ratio,
            running=_move(frame, config, side, config.run_bars) >= threshold / 2,
            known=np.isfinite(move) & np.isfinite(threshold) & judged,
            price_alone=not config.needs_open_interest,
        )
    return legs


def _move(frame: MarketFrame, config: EventConfig, side: Side, bars: int) -> FloatArray:
    """Signed move of the close from the extreme of the previous `bars` closes."""
    close = frame.field("close")
    find = rolling_max if side == "long" else rolling_min
    extreme = find(lag(close, 1), bars, first_bar=frame.first_bar, min_count=config.span_bars)
    return 1.0 - close / extreme if side == "long" else close / extreme - 1.0


def _price_threshold(frame: MarketFrame, config: EventConfig) -> FloatArray:
    close = frame.field("close")
    returns = np.log(close / lag(close, 1))
    window = config.sigma_window // config.bar
    least = min(window, config.min_history // config.bar)
    sigma = rolling_std(returns, window, first_bar=frame.first_bar, min_count=least)
    scaled = config.sigma_k * np.sqrt(config.span_bars) * lag(sigma, config.span_bars)
    return np.where(np.isnan(scaled), np.nan, np.maximum(config.price_floor, scaled))


def _trailing_quantile(
    x: FloatArray, q: float, frame: MarketFrame, config: EventConfig
) -> FloatArray:
    window = config.trailing_window // config.bar
    found = rolling_quantile(
        x, window, q, first_bar=frame.first_bar, min_count=config.min_history // config.bar
    )
    return lag(found, config.span_bars)


def _deleveraging(frame: MarketFrame, config: EventConfig) -> tuple[FloatArray, FloatArray]:
    coins = _fresh_open_interest(frame)
    kept = coins / lag(coins, config.span_bars)
    least = 1.0 - config.oi_fault
    loss = np.where((kept > least) & (kept < 1.0 / least), 1.0 - kept, np.nan)
    quantile = config.oi_scale * _trailing_quantile(loss, config.oi_quantile, frame, config)
    return loss, np.where(np.isnan(quantile), np.nan, np.maximum(config.oi_floor, quantile))


def _fresh_open_interest(frame: MarketFrame) -> FloatArray:
    """Open interest where a new record came within the bar; none at all is a fault of its source.

    A record carried over is older by a full bar; it says nothing of this bar's change.
    """
    coins = frame.field("open_interest")
    coins = np.where(coins > 0.0, coins, np.nan)
    age = frame.ages.get("open_interest")
    if age is None:
        return coins
    carried = np.zeros(coins.shape, dtype=bool)
    carried[:, 1:] = np.diff(age, axis=1) >= frame.bar_s
    return np.where(carried, np.nan, coins)


def _flow(frame: MarketFrame, config: EventConfig, side: Side) -> tuple[FloatArray, FloatArray]:
    """Three-valued evidence, and its strength in multiples of the threshold."""
    imbalance = _taker_imbalance(frame, config) * (-1.0 if side == "long" else 1.0)
    usd = rolling_sum(frame.field(f"{side}_liq_usd"), config.span_bars, first_bar=frame.first_bar)
    strength = []
    for x, q in ((imbalance, config.taker_quantile), (usd, config.liq_quantile)):
        bar_to_pass = _trailing_quantile(x, q, frame, config)
        # nothing at all is never evidence, however quiet the market was before
        multiple = x / np.where(bar_to_pass > 0, bar_to_pass, np.nan)
        passed = np.where(bar_to_pass > 0, multiple, np.where(x > 0, 1.0, 0.0))
        strength.append(np.where(np.isnan(x + bar_to_pass), np.nan, passed))
    taker, liquidations = strength
    ratio = np.fmax(taker, liquidations)
    known = np.isfinite(taker) & np.isfinite(liquidations)
    return np.where(ratio >= 1.0, 1.0, np.where(known, 0.0, np.nan)), ratio


def _taker_imbalance(frame: MarketFrame, config: EventConfig) -> FloatArray:
    """Taker buys less sells over their sum, in the span: -1 all selling, 1 all buying."""
    buy = frame.field("taker_buy_volume")
    sell = frame.field("taker_sell_volume")
    if "taker_sell_volume" not in frame.fields:
        sell = frame.field("volume") - buy
    bought, sold = (
        rolling_sum(x, config.span_bars, first_bar=frame.first_bar) for x in (buy, sell)
    )
    total = bought + sold
    return np.where(total > 0, (bought - sold) / np.where(total > 0, total, np.nan), np.nan)
