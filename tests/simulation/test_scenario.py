"""A scenario is checked as a whole: its axis, its times, its symbols, its duplicates."""

import math
import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from liqwarn.errors import ConfigError
from liqwarn.simulation.scenario import (
    AdlShock,
    DepthShock,
    FundingShock,
    OutageShock,
    PriceShock,
    StoreStart,
    plain_shock,
    unknown_symbols,
)

SHARED = runpy.run_path(str(Path(__file__).with_name("scenarios.py")))
scenario_of, minutes, HORIZON = SHARED["scenario_of"], SHARED["minutes"], SHARED["HORIZON"]
NOW = timedelta(0)
FALL = PriceShock(at=NOW, move=-0.1)


@pytest.mark.parametrize(
    ("shocks", "changed", "message"),
    [
        ((), {"name": "A Fall"}, "^name: found 'A Fall', expected lower-case"),
        ((), {"name": ""}, "^name: found ''"),
        ((), {"name": "x\n"}, "^name: found"),
        ((), {"symbols": ()}, "^symbols: found , expected at least one"),
        ((), {"symbols": ("BTCUSDT", "BTCUSDT")}, "^symbols: .* each once"),
        ((), {"horizon": NOW}, "^horizon: found 0s, expected a multiple of the bar, 15m"),
        ((), {"horizon": minutes(70)}, "^horizon: found 70m, expected a multiple of the bar"),
        ((), {"horizon": timedelta(days=100)}, "^horizon: found 144,000 steps, .*100,000"),
        ((), {"step": NOW}, "^step: found 0s, expected whole seconds, 1s to 1h"),
        ((), {"step": timedelta(hours=2), "bar": timedelta(hours=2)}, "^step: found 2h"),
        ((), {"step": timedelta(milliseconds=1500)}, "^step: found 0:00:01.5"),
        ((), {"step": minutes(-1)}, "^step: found -1 day"),
        ((), {"step": minutes(4)}, "^bar: found 15m, expected a multiple of the step, 4m"),
        ((), {"bar": timedelta(seconds=30)}, "^bar: found 30s"),
        ((), {"bar": NOW}, "^bar: found 0s"),
        ((AdlShock(at=HORIZON),), {}, r"^shocks\[0\]\.at: found 6h, expected before the horizon"),
        (
            (FALL, PriceShock(at=minutes(300), move=0.1, over=minutes(61))),
            {},
            r"^shocks\[1\]: ends 361m after the start, expected within the horizon, 6h$",
        ),
        (
            (FundingShock(at=NOW, rate=0.1, payments=4, every=minutes(120)),),
            {},
            r"^shocks\[0\]: ends 21601s after",
        ),
        ((FALL, AdlShock(at=NOW), FALL), {}, r"^shocks\[2\]: found a duplicate of shocks\[0\]"),
        (
            (PriceShock(at=NOW, move=0.1, symbols=("ETHUSD",)),),
            {"symbols": ("BTCUSDT", "ETHUSDT")},
            r"^shocks\[0\]\.symbols: unknown symbol ETHUSD, did you mean 'ETHUSDT'\?$",
        ),
    ],
)
def test_one_fault(shocks, changed, message):
    with pytest.raises(ConfigError, match=message):
        scenario_of(*shocks, **changed)


def test_every_fault_is_named_at_once():
    with pytest.raises(ConfigError, match=r"^name: found") as told:
        scenario_of(AdlShock(at=HORIZON), FALL, FALL, name="?", bar=minutes(16))

    assert [line.split(":")[0] for line in str(told.value).splitlines()] == [
        "name",
        "horizon",
        "shocks[0].at",
        "shocks[2]",
    ]


def test_what_ends_with_the_horizon_fits():
    whole = PriceShock(at=NOW, move=-0.1, over=HORIZON)
    lasting = OutageShock(at=NOW, lasts=2 * HORIZON)
    last = FundingShock(at=HORIZON - timedelta(seconds=1), rate=0.1)

    assert scenario_of(whole, lasting, last).n_steps == 360


def test_a_day_of_seconds_fits():
    second = timedelta(seconds=1)

    assert scenario_of(horizon=timedelta(days=1), step=second, bar=minutes(1)).n_steps == 86_400


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"at": datetime(2025, 2, 2)}, "^at: .*expected a timezone"),  # noqa: DTZ001 - the fault
        ({"depth": 0.0}, r"^depth: found 0\.0, expected a factor above 0"),
        ({"volatility": math.nan}, "^volatility: found nan"),
        ({"depth": math.inf}, "^depth: found inf"),
    ],
)
def test_a_start_is_checked(changes, message):
    given = {"panel": PurePosixPath("p.yaml"), "at": datetime(2025, 2, 2, tzinfo=UTC)}
    with pytest.raises(ConfigError, match=message):
        StoreStart(**given | changes)


def test_a_real_moment_lies_on_the_grid_of_bars():
    start = StoreStart(panel=PurePosixPath("p.yaml"), at=datetime(2025, 2, 2, 20, 5, tzinfo=UTC))
    with pytest.raises(ConfigError, match=r"^initial\.at: .*expected a multiple of the bar, 15m"):
        scenario_of(start=start)

    assert scenario_of(start=start, bar=minutes(5)).start == start


def test_unknown_symbols_are_named_with_their_place():
    shocks = [(3, PriceShock(at=NOW, move=0.1, symbols=("BTCUSDT", "XXX"))), (4, AdlShock(at=NOW))]

    assert list(unknown_symbols(shocks, ["BTCUSDT"])) == [
        "shocks[3].symbols: unknown symbol XXX, expected one of BTCUSDT"
    ]


def test_plain_data_of_a_shock_tells_everything():
    shock = DepthShock(at=minutes(30), to=0.3, lasts=timedelta(hours=2), symbols=("BTCUSDT",))

    assert plain_shock(shock) == {
        "kind": "depth",
        "at": "30m",
        "to": 0.3,
        "for": "2h",
        "symbols": ["BTCUSDT"],
        "half_life": "20m",
    }
