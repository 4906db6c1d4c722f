"""A scenario's first moment: simulated, or a store's market as it was known, and no later."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest

from liqwarn.config import load_scenario
from liqwarn.errors import ConfigError
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.scenario_start import open_start
from liqwarn.simulation.scenario import PriceShock, Scenario, StoreStart, SyntheticStart

ROOT = Path(__file__).parents[2]
NOW = datetime(2024, 1, 1, tzinfo=UTC)
AT = datetime(2022, 5, 1, tzinfo=UTC)
SYMBOLS = ("BTCUSDT", "DOGEUSDT")


@pytest.fixture(scope="module", autouse=True)
def _home():
    """The project's folder, for the tiers are found from there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


@pytest.fixture(scope="module")
def store(given_market, tmp_path_factory):
    """The filled store of the simulated market."""
    folder = tmp_path_factory.mktemp("filled")
    open_market(MarketJob(panel=given_market.panel, data=given_market.files, store=folder), now=NOW)
    return folder


def scenario_at(panel, at=AT, **changed):
    start = {"panel": PurePosixPath(panel), "at": at, **changed.pop("start", {})}
    given = {
        "name": "now",
        "title": "Now",
        "description": "From a store.",
        "start": StoreStart(**start),
        "horizon": timedelta(hours=2),
    }
    return Scenario(**given | changed)


@pytest.fixture(scope="module")
def found(given_market, store):
    return open_start(scenario_at(given_market.panel), store=store, now=NOW)


def test_price_and_open_interest_are_those_of_the_moment(given_market, store, found):
    frame = open_market(MarketJob(panel=given_market.panel, store=store), now=NOW).frame
    column = int(np.searchsorted(frame.times, np.datetime64("2022-05-01T00:00:00")))

    assert found.as_of == AT
    assert found.opening.config.symbols == SYMBOLS
    np.testing.assert_allclose(found.opening.prices, frame.field("close")[:, column])
    np.testing.assert_allclose(
        found.opening.open_interest, frame.field("open_interest")[:, column], rtol=1e-9
    )


def test_a_simulated_panel_is_called_simulated_and_its_book_is_taken_as_it_is(found):
    part = found.to_dict()

    assert (found.market, part["kind"], part["as_of"]) == (
        "simulated",
        "store",
        "2022-05-01T00:00:00Z",
    )
    assert tuple(part["symbols"]) == SYMBOLS
    assert not any("Depth" in note for note in part["notes"])
    assert "of the coins that the liquidation map holds" in part["notes"][0].lower()
    for symbol in part["symbols"].values():
        assert 5.0 < symbol["open_interest_usd"] / symbol["bid_depth_usd"] < 120.0


def test_each_side_s_cohorts_hold_its_open_interest(found):
    """What the engine checks at every step, here at the first: rings and far coins sum to it."""
    books, coins = found.opening.books, found.opening.open_interest
    share = 1.0 - found.opening.config.cross.share
    for i in range(len(SYMBOLS)):
        for ring in (0, 2):
            assert 0.05 * coins[i] < books.ring[i, ring].sum() < share * coins[i] * 1.0001


def test_it_is_the_start_of_that_moment_had_nothing_followed(given_market, found, tmp_path):
    """A store that ends at the moment gives the same bits."""
    files = tmp_path / "files" / "market"
    files.mkdir(parents=True)
    for file in sorted((given_market.files / "market").iterdir()):
        table = pd.read_parquet(file)
        early = table[pd.to_datetime(table["timestamp"], utc=True) < pd.Timestamp(AT)]
        early.to_parquet(files / file.name, index=False)
    then = open_start(
        scenario_at(given_market.panel),
        data=tmp_path / "files",
        store=tmp_path / "store",
        now=NOW,
    )

    assert then.to_dict() == found.to_dict()
    for name in ("cells", "ring"):
        mine, theirs = (getattr(one.opening.books, name) for one in (then, found))
        assert mine.tobytes() == theirs.tobytes()


def test_depth_and_volatility_are_factors_on_those_of_the_moment(given_market, store, found):
    scaled = open_start(
        scenario_at(given_market.panel, start={"depth": 0.5, "volatility": 2.0}),
        store=store,
        now=NOW,
    )

    np.testing.assert_allclose(scaled.opening.depth, found.opening.depth + np.log(0.5))
    np.testing.assert_array_equal(scaled.opening.activity, 2.0)
    assert scaled.opening.config.specs == found.opening.config.specs


def test_a_moment_between_two_bars_is_the_bar_before(given_market, store, found):
    late = scenario_at(given_market.panel, AT + timedelta(minutes=45))

    assert open_start(late, store=store, now=NOW).to_dict() == found.to_dict()


def test_some_of_the_symbols(given_market, store):
    one = scenario_at(given_market.panel, symbols=("DOGEUSDT",))

    assert open_start(one, store=store, now=NOW).opening.config.symbols == ("DOGEUSDT",)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"symbols": ("BTCUSDT", "SHIBUSDT")}, "unknown symbol SHIBUSDT"),
        (
            {"shocks": (PriceShock(at=timedelta(0), move=-0.1, symbols=("ETHUSDT",)),)},
            r"shocks\[0\]\.symbols: unknown symbol ETHUSDT",
        ),
        ({"at": datetime(2021, 12, 1, tzinfo=UTC)}, "expected one that closed last by 2021-12-01"),
        ({"at": datetime(2023, 1, 1, tzinfo=UTC)}, "panel 'demo' has bars from 2022-01-01T01"),
        ({"at": datetime(2022, 1, 6, tzinfo=UTC)}, "BTCUSDT, DOGEUSDT are too young or stale"),
        ({"at": datetime(2022, 1, 1, 9, tzinfo=UTC)}, "BTCUSDT, DOGEUSDT: found fewer than 20"),
    ],
)
def test_what_cannot_be_a_start_is_refused(given_market, store, changed, message):
    with pytest.raises(ConfigError, match=message):
        open_start(scenario_at(given_market.panel, **changed), store=store, now=NOW)


def test_a_simulated_start(given_market):
    scenario = replace(
        scenario_at(given_market.panel), start=SyntheticStart(days=2), symbols=("BTCUSDT",)
    )
    told = []
    start = open_start(scenario, now=NOW, on_progress=lambda *step: told.append(step))

    assert (start.market, start.kind, start.as_of) == ("simulated", "synthetic", None)
    assert start.to_dict()["notes"] == []
    assert told == [("simulate the past", 0, 1), ("simulate the past", 1, 1)]


def test_a_real_day(real_data, tmp_path):
    """2025-02-02: four majors, whose depth is of another scope than their open interest."""
    scenario = load_scenario(ROOT / "conf/scenarios/from_store.yaml")
    start = open_start(scenario, data=real_data, store=tmp_path, now=NOW.replace(year=2026))
    part = start.to_dict()

    assert (start.market, part["as_of"]) == ("from real data", "2025-02-02T20:00:00Z")
    assert list(part["symbols"]) == ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"]
    assert any("different scope" in note for note in part["notes"])
    assert all(one["crowding"] < 0.15 for one in part["symbols"].values())  # funding was low
    near = start.opening.books.ring[:4].sum(axis=(1, 2)) / (2.0 * start.opening.open_interest)
    assert (near < 0.9).all()
