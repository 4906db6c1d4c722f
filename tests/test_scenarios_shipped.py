"""Every shipped scenario parses, has a plan, and says where its numbers are from."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from liqwarn.config import load_panel, load_scenario
from liqwarn.errors import ConfigError
from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.plan import market_of, plan_of
from liqwarn.simulation.scenario import AdlShock, HaircutShock, OutageShock, StoreStart
from liqwarn.simulation.scenario_shocks import SHOCK_KINDS

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "conf" / "scenarios").glob("*.yaml"))
SIMULATED = [file for file in FILES if file.stem != "from_store"]
FALLS = {  # moves of BTC in history, of which the news must be a part only
    "crash_2020_03_12": -0.51,
    "crash_2021_05_19": -0.33,
    "collateral_2022_06": -0.21,
    "crash_2025_10_10": -0.13,
}


def plan_in(file, specs=DEFAULT_SPECS):
    scenario = load_scenario(file)
    market = market_of(scenario, specs)
    return scenario, market, plan_of(scenario, market)


def test_nine_are_shipped():
    assert [file.stem for file in FILES] == [
        "calm",
        "collateral_2022_06",
        "crash_2020_03_12",
        "crash_2021_05_19",
        "crash_2025_10_10",
        "from_store",
        "slow_grind",
        "squeeze_ai_token",
        "venue_outage",
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_its_name_is_the_file_s_and_its_numbers_have_an_origin(file):
    scenario = load_scenario(file)

    assert scenario.name == file.stem
    assert 3 < len(scenario.title) <= 80
    assert len(scenario.description) > 200
    assert scenario.description.endswith(".")
    assert "from history" in scenario.description.lower()
    assert "Assumptions: " in scenario.description


@pytest.mark.parametrize("file", SIMULATED, ids=lambda f: f.stem)
def test_it_plans_on_the_simulated_market(file):
    scenario, market, plan = plan_in(file)

    assert market.symbols == tuple(spec.name for spec in DEFAULT_SPECS)
    assert (scenario.step, scenario.bar) == (timedelta(minutes=1), timedelta(minutes=15))
    assert market.n_bars * market.steps_per_bar == scenario.n_steps == plan.news.shape[1]
    assert all(np.isfinite(getattr(plan, name)).all() for name in plan._fields)
    assert np.exp(plan.depth).min() > 0.0999  # the floor of the book


@pytest.mark.parametrize("name", FALLS)
def test_the_news_is_a_part_of_the_fall_only(name):
    _, market, plan = plan_in(ROOT / "conf" / "scenarios" / f"{name}.yaml")
    news = plan.news[market.symbols.index("BTCUSDT")].sum()
    whole = np.log1p(FALLS[name])

    assert 0.4 * whole > news > 0.6 * whole


def test_the_calm_day_has_no_shock_at_all():
    _, _, plan = plan_in(ROOT / "conf" / "scenarios" / "calm.yaml")

    for name in ("news", "depth", "erosion", "supply", "drained"):
        assert not getattr(plan, name).any(), name
    assert plan.up.all()
    assert (plan.collateral == 1.0).all()


def test_2025_10_10_takes_the_depth_and_the_insurance_and_hits_the_small_hardest():
    scenario, market, plan = plan_in(ROOT / "conf" / "scenarios" / "crash_2025_10_10.yaml")
    moves = dict(zip(market.symbols, np.expm1(plan.news.sum(axis=1)), strict=True))

    assert np.exp(plan.depth.min()) == pytest.approx(0.1)
    assert market.venue.engine == "partial"
    assert plan.drained.any()
    assert any(isinstance(shock, AdlShock) for shock in scenario.shocks)
    assert moves["BTCUSDT"] == max(moves.values())
    assert moves["TAOUSDT"] < 2.5 * moves["BTCUSDT"]


def test_the_collateral_scenario_cuts_the_collateral_of_larger_cross_margin():
    scenario, market, plan = plan_in(ROOT / "conf" / "scenarios" / "collateral_2022_06.yaml")
    cut = [shock.haircut for shock in scenario.shocks if isinstance(shock, HaircutShock)]

    assert cut == [0.06]
    assert market.cross.share > type(market.cross)().share
    assert plan.collateral.prod() == pytest.approx(1.0 - 0.8 * 0.06)


def test_the_squeeze_raises_one_token_most_while_shorts_pay():
    _, market, plan = plan_in(ROOT / "conf" / "scenarios" / "squeeze_ai_token.yaml")
    row = market.symbols.index("FETUSDT")

    assert plan.news.sum(axis=1).argmax() == row
    assert (plan.news >= 0.0).all()
    assert plan.erosion[row, 1].sum() > 0.0 > plan.erosion[row, 0].sum()


def test_price_moves_on_while_the_venue_is_down():
    scenario, _, plan = plan_in(ROOT / "conf" / "scenarios" / "venue_outage.yaml")
    outage = next(shock for shock in scenario.shocks if isinstance(shock, OutageShock))

    assert (~plan.up[0]).sum() == outage.lasts // scenario.step
    assert plan.news[0][~plan.up[0]].sum() < -0.02


def test_the_grind_never_jumps():
    _, _, plan = plan_in(ROOT / "conf" / "scenarios" / "slow_grind.yaml")

    assert np.abs(plan.news).max() < 0.0002
    assert plan.news[2].sum() < -0.08


def test_the_one_from_a_store_names_a_shipped_panel_and_its_symbols():
    file = ROOT / "conf" / "scenarios" / "from_store.yaml"
    start = load_scenario(file).start
    assert isinstance(start, StoreStart)
    panel = load_panel(ROOT / start.panel)
    specs = [spec for spec in DEFAULT_SPECS if spec.name in panel.symbol_names]
    _, market, plan = plan_in(file, specs)

    assert set(market.symbols) == set(panel.symbol_names)
    assert market.start == start.at
    assert np.expm1(plan.news.sum(axis=1)) == pytest.approx(-0.06)
    assert np.exp(plan.depth.min()) == pytest.approx(0.5)


def test_each_kind_of_shock_has_an_example():
    seen = {shock.kind for file in FILES for shock in load_scenario(file).shocks}

    assert seen == set(SHOCK_KINDS)


def test_a_faulty_file_is_named_with_every_fault(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("schema: liqwarn.scenario/1\nname: x\ntittle: X\n")

    with pytest.raises(
        ConfigError, match=r"bad\.yaml: scenario has 5 faults:\n- tittle: .*'title'"
    ):
        load_scenario(file)
