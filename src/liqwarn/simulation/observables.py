"""What an outsider sees of the simulated market: the fields of :data:`liqwarn.frames.FIELDS`.

Ground truth goes in; volumes, funding, transfers and account ratios come out, with the noise that
such data has. Liquidation prints are truncated like the public feeds.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from liqwarn.frames import FloatArray
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.history import Record
from liqwarn.simulation.layout import LIQUIDATED_COINS, LIQUIDATED_USD, PULL_SUM, TALLY
from liqwarn.simulation.paths import Purpose, decay, half_life_noise, stream
from liqwarn.simulation.shocks import Shocks

__all__ = ["Truth", "observe"]

INTEREST = 0.0001  # a funding interval's share of the interest rate difference
CLAMP = 0.0005  # how far the interest pulls premium towards itself
FUNDING_CAP = 0.003
SETTLEMENT_H = 8
PREMIUM = -0.0003  # in balanced times perpetuals trade a little below the index
CROWD_PREMIUM = 0.0005, 0.65  # size, and how much stronger crowded longs are than crowded shorts
PULL_PREMIUM = 0.05  # share of a forced move that spot does not follow
RESERVE_TO_OI = 8.0
CALM_COIN, CHURN = 0.004, 0.4  # hourly volatility of the calmest coin, and a power of it
PRINTED = 0.75, 1.0  # share of liquidations that are printed at all: lowest and highest, by bar
FEED_LIMIT = 2.7e-6  # an hour's liquidations over open interest beyond which prints are cut
FEED_POWER = 0.74  # prints then grow as this power of what is liquidated


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What observables are made from; bars that are kept only."""

    record: Record
    shocks: Shocks
    open_interest: FloatArray  # (n_symbols, 1): long-run coins


def observe(config: MarketConfig, seed: int, truth: Truth) -> dict[str, FloatArray]:
    """All fields of a market, by name, shape (n_symbols, n_bars) and contiguous."""
    prices = _prices(truth.record)
    fields = prices | _positions(truth, prices["close"])
    fields |= _prints(config, stream(seed, Purpose.PRINTS), truth, prices["close"])
    fields |= _volumes(config, stream(seed, Purpose.TRADING), truth)
    fields |= _funding(config, stream(seed, Purpose.VENUES), truth, prices["close"])
    fields |= _transfers(config, stream(seed, Purpose.FLOWS), truth)
    fields |= _accounts(config, stream(seed, Purpose.ACCOUNTS), truth)
    return {name: np.ascontiguousarray(plane) for name, plane in fields.items()}


def _prices(record: Record) -> dict[str, FloatArray]:
    names = ("open", "high", "low", "close")
    return dict(zip(names, np.exp(record.prices), strict=True))


def _moves(record: Record) -> FloatArray:
    return np.asarray(record.prices[3] - record.prices[0])


def _positions(truth: Truth, close: FloatArray) -> dict[str, FloatArray]:
    """Open interest, and depth in USD a percent."""
    record = truth.record
    return {
        "open_interest": record.held,
        "bid_depth_usd": record.depth[:, :, 0] * close,
        "ask_depth_usd": record.depth[:, :, 1] * close,
    }


def _prints(
    config: MarketConfig, rng: np.random.Generator, truth: Truth, close: FloatArray
) -> dict[str, FloatArray]:
    """Liquidations as a public feed prints them: at most one order a second.

    The more there are, the smaller the share that is seen; what is seen keeps a power law's tail.
    """
    record = truth.record
    limit = FEED_LIMIT * config.bar_h * (record.held * close)[:, :, None]
    true = record.tally[:, :, LIQUIDATED_USD - TALLY : LIQUIDATED_USD - TALLY + 2]
    share = rng.uniform(*PRINTED, size=true.shape)
    prints = share * true * (1.0 + true / limit) ** (FEED_POWER - 1.0)
    return {"long_liq_usd": prints[:, :, 0], "short_liq_usd": prints[:, :, 1]}


def _volumes(config: MarketConfig, rng: np.random.Generator, truth: Truth) -> dict[str, FloatArray]:
    """Volume follows activity and the move; takers push price, and forced flow is taker flow."""
    activity = truth.shocks.activity
    steps = config.steps_per_bar
    surprise = _moves(truth.record) / (truth.shocks.step_std * np.sqrt(steps))
    noise = np.exp(0.5 * rng.standard_normal(activity.shape) - 0.125)
    usual = config.positioning.volume_to_oi * config.bar_h * truth.open_interest * _churn(config)
    chosen = usual * activity**1.3 * noise * (0.7 + 0.35 * np.abs(surprise))
    share = 0.5 + 0.035 * np.tanh(surprise) + 0.02 * rng.standard_normal(activity.shape)
    forced = truth.record.tally[:, :, LIQUIDATED_COINS - TALLY : LIQUIDATED_COINS - TALLY + 2]
    return {
        "volume": chosen + forced.sum(axis=2),
        "taker_buy_volume": chosen * share + forced[:, :, 1],
        "taker_sell_volume": chosen * (1.0 - share) + forced[:, :, 0],
    }


def _churn(config: MarketConfig) -> FloatArray:
    """Coins that move more change hands more often for the same open interest."""
    moves = np.array([[spec.volatility] for spec in config.specs])
    return np.asarray((moves / CALM_COIN) ** CHURN)


def _funding(
    config: MarketConfig, rng: np.random.Generator, truth: Truth, close: FloatArray
) -> dict[str, FloatArray]:
    """Premium of crowding and of forced moves; rates settled from its average.

    Rate = premium + clamp(interest - premium, ±0.05 %), the rule of the large venues: within the
    clamp the rate is the interest itself. Positive: longs pay.
    """
    record = truth.record
    shape = record.held.shape
    hours = 1.0 / config.bar_h
    pull = record.tally[:, :, PULL_SUM - TALLY] / config.steps_per_bar
    noise = half_life_noise(rng.standard_normal((3, *shape)), 6.0 * hours)
    crowd = CROWD_PREMIUM[0] * np.expm1(CROWD_PREMIUM[1] * record.crowding)
    premium = PREMIUM + crowd + PULL_PREMIUM * pull + 0.00012 * noise[0]
    other = PREMIUM + 1.3 * crowd + PULL_PREMIUM * pull + 0.00020 * noise[1]
    index = close / (1.0 + premium)
    settle_h = max(SETTLEMENT_H, int(config.bar_h))
    settle_2_h = max(1, int(config.bar_h))
    return {
        "index": index,
        "mark": close * np.exp(0.0001 * rng.standard_normal(shape)),
        "funding_rate": _settled(config, premium, settle_h, settle_h / SETTLEMENT_H),
        "funding_interval_h": np.full(shape, float(settle_h)),
        "funding_rate_2": _settled(config, other, settle_2_h, settle_2_h / SETTLEMENT_H),
        "funding_interval_2_h": np.full(shape, float(settle_2_h)),
    }


def _settled(config: MarketConfig, premium: FloatArray, settle_h: int, share: float) -> FloatArray:
    """The rate in force at each bar's close: that of the last settlement, averaged before it."""
    bars = max(1, round(settle_h / config.bar_h))
    sums = np.cumsum(premium, axis=-1)
    before = np.pad(sums, ((0, 0), (bars, 0)))[:, : sums.shape[1]]
    mean = np.where(np.arange(sums.shape[1]) < bars - 1, premium, (sums - before) / bars)
    rate = np.clip(mean + np.clip(INTEREST - mean, -CLAMP, CLAMP), -FUNDING_CAP, FUNDING_CAP)
    first = round(config.start.timestamp() / (3600.0 * config.bar_h)) + 1
    close = first + np.arange(premium.shape[1])
    last = np.maximum(close - close % bars - first, 0)
    return np.asarray(rate[:, last] * share)


def _transfers(
    config: MarketConfig, rng: np.random.Generator, truth: Truth
) -> dict[str, FloatArray]:
    """Coins onto and off exchanges: noise, large holders, and the reserve they leave."""
    shape = truth.record.held.shape
    usual = 0.004 * config.bar_h * truth.open_interest
    noise = np.exp(0.7 * rng.standard_normal((2, *shape)) - 0.245)
    held = config.volatility.seller_share
    large = held * truth.open_interest * np.stack([truth.shocks.deposits, truth.shocks.withdrawals])
    inflow, outflow = usual * truth.shocks.activity**0.5 * noise + large
    share = np.clip(0.78 + 0.13 * rng.standard_normal(shape), 0.05, 0.97)
    whales = (share * (inflow - large[0]) + large[0]) / inflow
    return {
        "inflow": inflow,
        "outflow": outflow,
        "netflow": inflow - outflow,
        "reserve": RESERVE_TO_OI * truth.open_interest + np.cumsum(inflow - outflow, axis=1),
        "whale_ratio": whales,
    }


def _accounts(
    config: MarketConfig, rng: np.random.Generator, truth: Truth
) -> dict[str, FloatArray]:
    """Accounts long over accounts short: small traders buy dips, and follow the crowd a little."""
    shape = truth.record.held.shape
    hours = 1.0 / config.bar_h
    left = decay(24.0 * hours)
    moves = lfilter([1.0], [1.0, -left], _moves(truth.record), axis=-1)
    drift = half_life_noise(rng.standard_normal(shape), 96.0 * hours)
    log_ratio = 0.35 + 0.15 * truth.record.crowding - 4.0 * moves + 0.22 * drift
    return {"long_short_ratio": np.exp(np.clip(log_ratio, -2.0, 2.0))}
