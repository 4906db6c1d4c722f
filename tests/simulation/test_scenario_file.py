"""A scenario file is checked whole: all faults at once, each with its place."""

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ConfigError
from liqwarn.simulation.scenario import (
    DepthShock,
    FundingShock,
    HaircutShock,
    PriceShock,
    StoreStart,
    SyntheticStart,
    plain_shock,
)
from liqwarn.simulation.scenario_file import SCHEMA, parse_scenario

SHARED = runpy.run_path(str(Path(__file__).with_name("scenarios.py")))
any_shock, scenario_of = SHARED["shocks"], SHARED["scenario_of"]


def content(*shocks, **changed):
    return {
        "schema": SCHEMA,
        "name": "test",
        "title": "A test",
        "description": "Nothing of note.",
        "initial": {"kind": "synthetic"},
        "horizon": "6h",
        "shocks": list(shocks),
    } | changed


def price(**changed):
    return {"at": "0m", "kind": "price", "move": -0.1} | changed


def faults(raw):
    with pytest.raises(ConfigError, match=r"^scenario has ") as told:
        parse_scenario(raw)
    head, *lines = str(told.value).splitlines()
    assert head == f"scenario has {len(lines)} fault{'s' if len(lines) > 1 else ''}:"
    return [line.removeprefix("- ") for line in lines]


def test_what_is_left_out_has_its_default():
    scenario = parse_scenario(
        content(
            price(),
            {"at": "30s", "kind": "depth", "to": 0.5, "for": "2h"},
            {"at": "1h", "kind": "funding", "rate": 0.003},
            {"at": "1h", "kind": "haircut", "haircut": 1},
        )
    )

    assert scenario == scenario_of(
        PriceShock(at=timedelta(0), move=-0.1, over=timedelta(0), symbols=None, follow="equal"),
        DepthShock(
            at=timedelta(seconds=30),
            to=0.5,
            lasts=timedelta(hours=2),
            symbols=None,
            half_life=timedelta(minutes=20),
        ),
        FundingShock(
            at=timedelta(hours=1), rate=0.003, payments=1, every=timedelta(hours=8), symbols=None
        ),
        HaircutShock(at=timedelta(hours=1), haircut=1.0, over=timedelta(0)),
    )
    assert (scenario.symbols, dict(scenario.market)) == (None, {})
    assert (scenario.step, scenario.bar) == (timedelta(minutes=1), timedelta(minutes=15))
    assert scenario.start == SyntheticStart(seed=1, days=60, depth=1.0, volatility=1.0)
    assert (scenario.start.crowding, scenario.start.appetite) == (None, None)


def test_everything_can_be_said():
    scenario = parse_scenario(
        content(
            price(over="30m", symbols=["BTCUSDT"], follow="beta"),
            symbols=["BTCUSDT", "ETHUSDT"],
            initial={"kind": "synthetic", "seed": 7, "days": 30, "crowding": -1, "appetite": 0.5},
            market={"venue": {"engine": "partial"}, "leverage": {"tilt": 0}},
            step="30s",
            bar="5m",
        )
    )

    assert scenario.symbols == ("BTCUSDT", "ETHUSDT")
    assert scenario.start.crowding == -1.0
    assert scenario.market == {"venue": {"engine": "partial"}, "leverage": {"tilt": 0}}
    assert scenario.n_steps == 720
    assert scenario.shocks[0].follow == "beta"


@pytest.mark.parametrize("at", [datetime(2025, 2, 2, 20, tzinfo=UTC), "2025-02-02T21:00:00+01:00"])
def test_a_real_start_names_its_panel_and_any_symbols(at):
    start = {"kind": "store", "panel": "conf/panels/majors_4h.yaml", "at": at}
    scenario = parse_scenario(content(price(symbols=["BNBUSDT"]), initial=start))

    assert scenario.start == StoreStart(
        panel=PurePosixPath("conf/panels/majors_4h.yaml"), at=datetime(2025, 2, 2, 20, tzinfo=UTC)
    )


def test_every_fault_is_named_at_once():
    found = faults(
        content(
            price(at="7h"),
            {"at": "0m", "kind": "depth", "to": -0.3, "for": "2h", "half_live": "1h"},
            {"at": "0m", "kind": "depth", "to": -0.3, "for": "2h"},
            {"at": "1h", "kind": "haircut", "haircut": 1.2},
            {"at": "1h", "kind": "haricut", "haircut": 0.2},
            price(move=-1, symbols=["BTCUSD"]),
            price(symbols=["BTCUSD"]),
            7,
            initial={"kind": "synthetic", "days": 0, "seed": -1},
            horizont="6h",
            bar="7m",
            market={"venu": {}, "cross": {"share": "much"}},
        )
    )

    assert found == [
        "horizont: unknown key, did you mean 'horizon'?",
        "initial.seed: found -1, expected 0 to 2^63 - 1",
        "initial.days: found 0, expected 1 to 3650",
        "market.venu: unknown part, did you mean 'venue'?",
        "market.cross.share: found 'much', expected a finite number, such as 0.05",
        "shocks[1].half_live: unknown key, did you mean 'half_life'?",
        "shocks[1].to: found -0.3, expected a factor above 0",
        "shocks[2].to: found -0.3, expected a factor above 0",
        "shocks[3].haircut: found 1.2, expected a share from 0 to 1",
        "shocks[4].kind: found 'haricut', did you mean 'haircut'?",
        "shocks[5].move: found -1.0, expected a return above -1",
        "shocks[7]: found 7, expected keys and values with a kind",
        "horizon: found 6h, expected a multiple of the bar, 7m",
        "shocks[0].at: found 7h, expected before the horizon, 6h",
        "shocks[6].symbols: unknown symbol BTCUSD, did you mean 'BTCUSDT'?",
    ]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ({}, "schema: found None, expected liqwarn.scenario/1"),
        ({}, "horizon: required and missing"),
        (content(schema="liqwarn.scenario/2"), "schema: found 'liqwarn.scenario/2', expected"),
        (content(name="Crash!"), "name: found 'Crash!', expected lower-case"),
        (content(name=False), "name: found False, expected a text that is not empty"),
        (content(title="  "), "title: found '  ', expected a text"),
        (content(horizon="0h"), "horizon: found 0s, expected a multiple of the bar"),
        (content(horizon=24), "horizon: found 24, expected a duration such as 30s, 15m, 24h or 2d"),
        (content(horizon="1.5h"), "horizon: found '1.5h', expected a duration"),
        (content(horizon="-1h"), "horizon: found '-1h', expected a duration"),
        (content(horizon="9999999999d"), "horizon: found '9999999999d', expected a duration"),
        (content(horizon="999999d"), "horizon: found 1,439,998,560 steps, expected at most"),
        (content(step="2m"), "bar: found 15m, expected a multiple of the step, 2m"),
        (content(symbols=[]), "symbols: found [], expected all, or a list of symbols"),
        (content(symbols="BTCUSDT"), "symbols: found 'BTCUSDT', expected all, or a list"),
        (content(symbols=["BTCUSDT"] * 2), "symbols: found BTCUSDT, BTCUSDT, expected at least"),
        (content(symbols=["PEPE"]), "symbols: unknown symbol PEPE, expected one of ADAUSDT, "),
        (content(shocks={}), "shocks: found {}, expected a list"),
        (content({"at": "0m", "move": 1}), "shocks[0]: found {'at': '0m', 'move': 1}, expected"),
        (content({"kind": ["price"]}), "shocks[0].kind: found ['price'], did you mean 'price'?"),
        (content(price(move=True)), "shocks[0].move: found True, expected a finite number"),
        (content(price(move=float("nan"))), "shocks[0].move: found nan, expected a finite"),
        (content(price(move=10**400)), "shocks[0].move: found 1000"),
        (content(price(follow="gamma")), "shocks[0].follow: found 'gamma', expected one of equal"),
        (content(price(follow=["beta"])), "shocks[0].follow: found ['beta'], expected one of"),
        (content(price(), price()), "shocks[1]: found a duplicate of shocks[0], expected one"),
        (content(price(move=None)), "shocks[0].move: found None, expected a finite number"),
        (content({"at": "1h", "kind": "adl", "for": "1h"}), "shocks[0].for: unknown key"),
        (
            content({"at": "1h", "kind": "funding", "rate": 0.1, "payments": 1.5}),
            "shocks[0].payments: found 1.5, expected a whole number",
        ),
        (content(initial=None), "initial: found None, expected keys and values with a kind"),
        (content(initial={"kind": "stor"}), "initial.kind: found 'stor', did you mean 'store'?"),
        (
            content(initial={"kind": "store", "panel": "p.yaml", "at": "2025-02-02"}),
            "initial.at: found '2025-02-02', expected a time with a timezone",
        ),
        (
            content(initial={"kind": "store", "panel": "p", "at": "9999-12-31T23:59:59-12:00"}),
            "initial.at: found '9999-12-31T23:59:59-12:00', expected a time",
        ),
        (content(initial={"kind": "synthetic", "panel": "p"}), "initial.panel: unknown key"),
        (content(market=7), "market: found 7, expected parts with keys and values"),
        (content(market={"liquidity": {"floor": 0}}), "market: liquidity.floor"),
        (content(**{"7": 1}), "7: unknown key, expected one of schema, name"),
    ],
)
def test_one_fault(raw, fault):
    assert any(line.startswith(fault) for line in faults(raw)), faults(raw)


@settings(max_examples=200, deadline=None)
@given(shocks=st.lists(any_shock, max_size=5, unique_by=repr))
def test_plain_data_of_shocks_reads_back_as_the_same_shocks(shocks):
    plain = [plain_shock(shock) for shock in shocks]

    assert parse_scenario(content(*plain)).shocks == tuple(shocks)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "at", "for", "to", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(key=st.sampled_from(sorted(content())), value=trees, shock=trees)
def test_nothing_but_a_config_error_is_ever_raised(key, value, shock):
    raw = content(price(), shock, shock | {"kind": "depth"} if isinstance(shock, dict) else shock)
    try:
        parse_scenario(raw | {key: value})
    except ConfigError as error:
        assert str(error).startswith("scenario has ")  # noqa: PT017 - it may also be sound
