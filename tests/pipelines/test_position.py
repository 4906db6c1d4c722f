"""Where the maintenance margin, the price and the candles of a position come from."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest
import yaml

from liqwarn.errors import ConfigError, FrameError
from liqwarn.liquidation.funding import Funding
from liqwarn.liquidation.position import Position
from liqwarn.pipelines.demo import write_simulated_market
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.position import PositionOrder, draw_position, examine_position
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig

ROOT = Path(__file__).parents[2]
TIERS = ROOT / "conf" / "margin_tiers"
NOW = datetime(2025, 1, 1, tzinfo=UTC)


def order(**changed):
    held = {"side": "long", "entry": 67_000.0, "notional": 250e3, "leverage": 10.0}
    held |= changed.pop("held", {})
    return PositionOrder(**({"position": Position(**held), "tiers": TIERS} | changed))


def examined(**changed):
    return examine_position(order(**changed), now=NOW)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A panel of one simulated perpetual, 30 days of hours."""
    folder = tmp_path_factory.mktemp("position")
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name == "BTCUSDT")
    write_simulated_market(MarketConfig(specs=specs, n_bars=24 * 30), 4, folder / "files")
    raw = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text()) | {"symbols": ["BTCUSDT"]}
    (folder / "panel.yaml").write_text(yaml.safe_dump(raw))
    return MarketJob(panel=folder / "panel.yaml", data=folder / "files", store=folder / "store")


def test_a_given_rate_goes_before_a_table():
    alone, both = examined(rate=0.01), examined(rate=0.01, venue="binance", symbol="BTCUSDT")
    assert alone.risk.liquidation_price == both.risk.liquidation_price
    assert both.risk.requirement.name == "flat rate 0.01, not binance's table"


def test_the_table_is_the_one_of_the_day():
    found = [
        examined(venue="binance", symbol="BTCUSDT", at=at).risk.requirement.effective
        for at in (None, datetime(2024, 10, 23, 23, tzinfo=UTC))
    ]
    assert found == [date(2024, 10, 24), date(2021, 9, 24)]


def test_a_symbol_without_a_table_is_assumed():
    risk = examined(venue="bybit", symbol="XYZUSDT", held={"leverage": 3.0}).risk
    assert risk.assumed
    assert not examined(venue="binance", symbol="BTCUSDT").risk.assumed


def test_a_fee_is_added_and_replaces_the_tables():
    plain, charged = examined(rate=0.01), examined(rate=0.01, fee_rate=0.001)
    assert charged.risk.liquidation_price > plain.risk.liquidation_price
    okx = {"venue": "okx", "symbol": "SOLUSDT", "held": {"entry": 100.0, "notional": 1e4}}
    with_fee, without = examined(**okx).risk, examined(**okx, fee_rate=0.0).risk
    assert with_fee.maintenance == pytest.approx(0.0105 * 1e4)
    assert without.maintenance == pytest.approx(0.01 * 1e4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "found no maintenance rate, expected --mmr or --venue"),
        ({"venue": "ftx"}, r"venue is 'ftx', expected one of \['binance', 'bybit',"),
        ({"rate": 0.01, "job": MarketJob(panel=Path("x"))}, "a panel is given without a symbol"),
    ],
)
def test_an_order_that_lacks_something_is_refused(changed, message):
    with pytest.raises(ConfigError, match=message):
        examined(**changed)


def test_without_a_panel_the_price_is_the_entry_unless_given():
    assert examined(rate=0.01).risk.mark == 67_000.0
    given = examined(rate=0.01, mark=66_000.0)
    assert (given.risk.mark, given.candles, given.atr) == (66_000.0, None, None)
    assert given.as_of == NOW


def test_a_panel_gives_price_range_and_candles(job):
    frame = open_market(job, now=NOW).frame
    entry = float(frame.field("close")[0, -1])
    held = {"entry": entry, "notional": 1e4}
    report = examined(rate=0.01, symbol="BTCUSDT", job=job, held=held, clusters=True)
    assert report.risk.mark == frame.field("mark")[0, -1]
    assert report.as_of == frame.times[-1].astype(datetime).replace(tzinfo=UTC)
    high, low = frame.field("high")[0, -14:], frame.field("low")[0, -14:]
    before = frame.field("close")[0, -15:-1]
    ranges = np.max([high - low, np.abs(high - before), np.abs(low - before)], axis=0)
    assert report.atr == pytest.approx(ranges.mean())
    assert report.risk.distance_atr == pytest.approx(
        (report.risk.mark - report.risk.liquidation_price) / report.atr
    )
    assert len(report.candles.times) == 168
    assert report.candles.close[-1] == frame.field("close")[0, -1]
    assert report.profile.as_of == frame.times[-1]
    assert report.profile.price == report.risk.mark
    assert report.profile.long.sum() > 0.0


def test_without_open_interest_there_are_no_clusters(job, tmp_path):
    raw = yaml.safe_load(job.panel.read_text()) | {"core": ["close"]}
    del raw["sources"][0]["fields"]["open_interest"]
    (tmp_path / "panel.yaml").write_text(yaml.safe_dump(raw))
    bare = MarketJob(panel=tmp_path / "panel.yaml", data=job.data, store=tmp_path / "store")
    report = examined(rate=0.01, symbol="BTCUSDT", job=bare, clusters=True)
    assert report.profile is None
    draw_position(report, tmp_path / "p.svg")
    assert (tmp_path / "p.svg").stat().st_size > 10_000


def test_clusters_are_fitted_only_when_asked_for_and_only_of_a_map_a_week_old(job):
    times = open_market(job, now=NOW).frame.times
    held = {"entry": 30_000.0, "notional": 1e4, "leverage": 2.0}
    late, early = (times[k].astype(datetime).replace(tzinfo=UTC) for k in (300, 100))
    asked = {"rate": 0.01, "symbol": "BTCUSDT", "job": job, "held": held, "mark": 30_000.0}

    assert examined(**asked, at=late).profile is None
    assert examined(**asked, at=late, clusters=True).profile is not None
    assert examined(**asked, at=early, clusters=True).profile is None


def test_nothing_after_the_moment_is_seen(job):
    frame = open_market(job, now=NOW).frame
    at = frame.times[300].astype(datetime).replace(tzinfo=UTC)
    held = {"entry": float(frame.field("close")[0, 300]), "notional": 1e4}
    report = examined(rate=0.01, symbol="BTCUSDT", job=job, at=at, held=held, clusters=True)
    assert report.as_of == at
    assert report.candles.times[-1] == frame.times[300]
    assert report.candles.close[-1] == frame.field("close")[0, 300]
    assert report.profile.as_of == at.replace(tzinfo=None)
    early = frame.times[0].astype(datetime).replace(tzinfo=UTC)
    first = examined(rate=0.01, symbol="BTCUSDT", job=job, at=early, held=held)
    assert first.atr is None
    assert len(first.candles.times) == 1


def test_a_moment_or_symbol_the_panel_does_not_know_is_refused(job):
    with pytest.raises(FrameError, match="knows no close of BTCUSDT at or before 2001-01-01 00:00"):
        examined(rate=0.01, symbol="BTCUSDT", job=job, at=datetime(2001, 1, 1, tzinfo=UTC))
    with pytest.raises(FrameError, match=r"symbols \['ETHUSDT'\] are not in the frame"):
        examined(rate=0.01, symbol="ETHUSDT", job=job)


def test_machines_get_nulls_for_what_is_not_finite():
    safe = examined(rate=0.01, held={"side": "short", "leverage": 1.0, "contract": "inverse"})
    told = orjson.loads(orjson.dumps(safe.to_dict()))
    assert told["never_liquidated"] is True
    assert told["liquidation_price"] is told["days_funded"] is told["distance_atr"] is None
    assert told["margin_unit"] == "coins"
    assert set(told["risks"]) == {"liquidation", "margin_call", "funding"}
    assert told["requirement"] == {
        "name": "flat rate 0.01",
        "source": "given by the caller",
        "effective": None,
        "assumed": False,
    }


def test_a_picture_is_written(tmp_path, job):
    report = examined(
        rate=0.01,
        symbol="BTCUSDT",
        job=job,
        funding=Funding(rate=0.0001),
        held={"notional": 1e4},
    )
    draw_position(report, tmp_path / "p.svg")
    assert (tmp_path / "p.svg").stat().st_size > 10_000
    with pytest.raises(FrameError, match=r"figure file is 'p\.pdf'"):
        draw_position(report, tmp_path / "p.pdf")
