"""The bound of a feed's completeness, of a panel."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest
from liqwarn.data.store import Store
from liqwarn.frames import MarketFrame, bar_times
from liqwarn.pipelines.tape_completeness import CAVEAT, feed_completeness

PANELS = Path(__file__).parents[2] / "conf" / "panels"
HOUR = timedelta(hours=1)


def market(share=0.1, n=2_000, stale=False, venue="binance", kind="real"):
    rng = np.random.default_rng(4)
    hard = np.arange(50, n, 40)
    moves = 0.001 * rng.normal(size=n)
    moves[hard] = -0.03
    coins = np.full(n, 1_000.0)
    for bar in hard:
        coins[bar:] *= 0.97
    close = 100.0 * np.exp(np.cumsum(moves))
    told = np.zeros(n)
    left = coins[hard - 1] - coins[hard]
    told[hard] = share * left * (close[hard] + close[hard - 1]) / 2
    fields = {"close": close, "open_interest": coins, "long_liq_usd": told}
    age = np.full((1, n), 3_600.0 if stale else 60.0)
    frame = MarketFrame(
        symbols=("BTCUSDT",), times=bar_times(np.datetime64("2024-01-01T01:00:00"), n, HOUR),
        bar=HOUR, fields={name: values[None] for name, values in fields.items()},
        ages={"open_interest": age},
    )  # fmt: skip
    panel = SimpleNamespace(name="p", market=kind, venue=venue, bar=HOUR)
    return SimpleNamespace(frame=frame, panel=panel)


def test_the_share_and_the_venue_s_own_word_are_told_together():
    found = feed_completeness(market())

    long, short = found["sides"]
    assert long["share"] == pytest.approx(0.1, rel=0.03)
    assert (long["symbol"], long["side"], short["side"]) == ("BTCUSDT", "long", "short")
    assert short["share"] is None  # nothing is known of shorts in this frame
    assert found["grade"].startswith("binance says of its feed: one a second. Since 2021-04-27")
    assert found["caveat"] == CAVEAT


def test_an_open_interest_that_was_carried_on_says_nothing():
    assert feed_completeness(market(stale=True))["sides"][0]["episodes"] == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"kind": "simulated"}, "SIMULATED"), ({"venue": "nobody"}, "nobody: nothing is known")],
)
def test_without_a_word_of_the_venue(changed, told):
    assert told in feed_completeness(market(**changed))["grade"]


def test_the_feed_of_real_history_tells_a_few_percent(real_data, tmp_path):
    panel = load_panel(PANELS / "btc_core.yaml")
    wanted = {"perp", "derivatives", "liquidations"}
    few = panel.model_copy(
        update={"sources": tuple(s for s in panel.sources if s.name in wanted), "calendars": ()}
    )
    store = Store(tmp_path / "store")
    ingest(few, real_data, store, now=datetime(2026, 1, 1, tzinfo=UTC))
    frame = market_frame(store, few, start=datetime(2023, 4, 17, tzinfo=UTC))

    sides = feed_completeness(SimpleNamespace(frame=frame, panel=few))["sides"]

    for one in sides:
        assert one["episodes"] > 100
        assert 0.01 < one["low"] < one["share"] < one["high"] < 0.1
