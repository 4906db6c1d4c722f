"""Stylised facts: the arithmetic, tolerances of the default market, and real history beside it.

``pytest tests/simulation/test_realism.py -s`` prints the table of docs/simulation.md.
"""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from liqwarn.errors import FrameError
from liqwarn.frames import MarketFrame, bar_times
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.market import simulate_market
from liqwarn.simulation.realism import cascade_bars, stylised_facts

BTC = {  # fact of simulated BTC: lowest and highest value that passes
    "return_std_pct": (0.4, 0.9),
    "return_kurtosis": (8.0, 60.0),
    "return_acf_1h": (-0.06, 0.08),
    "abs_return_acf_1h": (0.15, 0.4),
    "abs_return_acf_24h": (0.05, 0.35),
    "tail_index": (2.5, 4.5),
    "range_over_abs_return": (1.7, 2.6),
    "oi_change_std_pct": (0.4, 1.3),
    "volume_over_oi_median_pct": (4.0, 15.0),
    "long_events_a_month": (0.3, 3.3),
    "short_events_a_month": (0.3, 3.3),
    "event_oi_loss_median_pct": (1.5, 5.0),
    "event_oi_loss_p90_pct": (3.0, 10.0),
    "funding_mean_pct": (0.004, 0.015),
    "funding_std_pct": (0.005, 0.02),
    "funding_acf_8h": (0.5, 0.95),
}


def frame_of(symbol: str, bars: pd.DataFrame) -> MarketFrame:
    """A frame of hourly bars labelled by their start."""
    closes = (bars.index + pd.Timedelta("1h")).tz_localize(None).to_numpy()
    return MarketFrame(
        symbols=(symbol,),
        times=closes.astype("datetime64[s]"),
        bar=timedelta(hours=1),
        fields={name: bars[[name]].to_numpy(np.float64).T.copy() for name in bars.columns},
        ages={},
    )


def candles(path) -> pd.DataFrame:
    table = pd.read_parquet(path).set_index("timestamp")
    table = table.rename(columns=lambda name: name.split("_")[0])
    rules = {"high": "max", "low": "min", "close": "last", "volume": "sum"}
    return table[list(rules)].astype(float).resample("1h").agg(rules)


def real_btc(root) -> dict[str, float]:
    """Prices and funding 2022-01 to 2024-06, open interest 2023-04 to 2024-12."""
    bars = candles(root / "klines/binance_um_perp_1h_BTCUSDT.parquet")
    funding = pd.read_parquet(root / "funding/binance_um_funding_settled.parquet")
    rates = funding[funding["symbol"] == "BTCUSDT"].set_index("timestamp")["funding_rate"]
    rates.index = rates.index.floor("1h")
    bars["funding_rate"] = rates.reindex(bars.index, method="ffill")
    venue = pd.read_parquet(root / "context/cryptoquant_btc_binance_derivatives_1h.parquet")
    venue = venue.set_index("ts_utc")
    coins = (venue["open_interest_usd"] / venue["btc_close_usd"]).astype(float)
    later = bars.loc["2023-04-16":"2024-12-31"].assign(open_interest=coins)
    facts = stylised_facts(frame_of("BTCUSDT", later))["BTCUSDT"]
    earlier = frame_of("BTCUSDT", bars.loc["2022-01-01":"2024-06-30"])
    return facts | stylised_facts(earlier)["BTCUSDT"]


def real_prices(root, symbol: str) -> dict[str, float]:
    """Prices 2023-01 to 2025-06, from half-hourly bars."""
    bars = candles(root / f"klines/binance_um_perp_30m_{symbol}.parquet").loc[:"2025-06-30"]
    return stylised_facts(frame_of(symbol, bars))[symbol]


@pytest.fixture(scope="module")
def simulated() -> dict[str, dict[str, float]]:
    return stylised_facts(simulate_market(MarketConfig(), seed=1).frame)


@pytest.mark.parametrize("fact", list(BTC))
def test_simulated_btc_is_within_tolerance(simulated, fact):
    low, high = BTC[fact]
    assert low <= simulated["BTCUSDT"][fact] <= high


def test_every_symbol_has_events_on_both_sides_and_longs_have_more(simulated):
    table = pd.DataFrame(simulated).T
    rates = table[["long_events_a_month", "short_events_a_month"]]
    assert rates.to_numpy().min() > 0.3
    assert rates.to_numpy().max() < 4.0
    assert rates["long_events_a_month"].mean() > rates["short_events_a_month"].mean()


def test_smaller_coins_move_more(simulated):
    std = pd.DataFrame(simulated).loc["return_std_pct"]
    assert std["BTCUSDT"] == std.min()
    assert std["ETHUSDT"] < std["SOLUSDT"] < std["FETUSDT"]


def test_real_btc_lies_within_the_same_tolerances_but_for_what_the_docs_admit(real_data):
    real = real_btc(real_data)
    missed = {fact for fact, (low, high) in BTC.items() if not low <= real[fact] <= high}
    assert missed == set()


def test_the_table_of_the_docs(real_data, simulated):
    table = {"real BTC": real_btc(real_data)}
    table |= {f"real {s[:-4]}": real_prices(real_data, s) for s in ("ETHUSDT", "FETUSDT")}
    table |= {f"sim {s[:-4]}": simulated[s] for s in ("BTCUSDT", "ETHUSDT", "FETUSDT")}
    facts = pd.DataFrame(table)
    facts["sim, mean of 10"] = pd.DataFrame(simulated).mean(axis=1)
    print("\n| fact | " + " | ".join(facts.columns) + " |")
    for fact, row in facts.iterrows():
        cells = ["–" if np.isnan(value) else f"{value:.3g}" for value in row]
        print(f"| {fact} | " + " | ".join(cells) + " |")
    assert facts.loc[list(BTC), "sim BTC"].notna().all()


def planted(n_bars: int = 1_200) -> MarketFrame:
    """Small noise, and one hour in which price falls 5 % and open interest 4 %."""
    rng = np.random.default_rng(1)
    moves = 0.002 * rng.standard_normal((2, 1, n_bars))
    moves[:, 0, 1_000] = -0.05, -0.04
    close, held = np.exp(np.cumsum(moves, axis=2))
    return MarketFrame(
        symbols=("AUSDT",),
        times=bar_times(np.datetime64("2024-01-01T00:00:00"), n_bars, timedelta(hours=1)),
        bar=timedelta(hours=1),
        fields={"close": 100.0 * close, "open_interest": 10.0 * held},
        ages={},
    )


def test_a_planted_cascade_is_found_on_its_side():
    found = cascade_bars(planted())
    assert found[0, 1_000].tolist() == [True, False]
    assert found.sum() == 1


def test_facts_of_a_frame_without_open_interest_leave_it_out():
    frame = planted()
    bare = MarketFrame(
        symbols=frame.symbols,
        times=frame.times,
        bar=frame.bar,
        fields={"close": frame.field("close")},
        ages={},
    )
    facts = stylised_facts(bare)["AUSDT"]
    assert not [name for name in facts if name.startswith(("oi_", "long_", "event_", "range"))]
    assert "funding_mean_pct" not in facts


def test_only_hourly_bars_are_measured():
    config = MarketConfig(specs=DEFAULT_SPECS[:1], bar=timedelta(minutes=30), n_bars=50)
    frame = simulate_market(config, seed=1).frame
    with pytest.raises(FrameError, match="bar is 0:30:00, expected 1:00:00"):
        stylised_facts(frame)
    with pytest.raises(FrameError, match="expected 1:00:00"):
        cascade_bars(frame)
