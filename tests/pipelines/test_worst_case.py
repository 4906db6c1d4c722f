"""The search as a file and a page, from a simulated start and from a store."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
import yaml

from liqwarn.errors import ConfigError
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.worst_case import WorstCaseOrder, run_worst_case

SYNTHETIC = {"kind": "synthetic", "seed": 1, "days": 2}


def scenario(folder, initial, **changed):
    raw = {
        "schema": "liqwarn.scenario/1",
        "name": "small",
        "title": "A small market",
        "description": "Three hours.",
        "symbols": ["BTCUSDT", "DOGEUSDT"],
        "initial": initial,
        "horizon": "3h",
        "step": "5m",
        "bar": "15m",
        "shocks": [{"at": "0m", "kind": "price", "move": -0.5, "over": "10m"}],
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(raw | changed))
    return path


def order_of(folder, initial=SYNTHETIC, **changed):
    given = {
        "scenario": scenario(folder, initial),
        "out": folder / "out",
        "radii": (1.0, 3.0),
        "paths": 3,
        "evaluations": 20,
    }
    return WorstCaseOrder(**given | changed)


@pytest.fixture(scope="module")
def written(tmp_path_factory, now):
    order = order_of(tmp_path_factory.mktemp("worst"))
    return order, run_worst_case(order, now=now)


def test_what_is_returned_is_what_is_written(written):
    order, document = written
    assert orjson.loads((order.out / "worst_case.json").read_bytes()) == orjson.loads(
        orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    )
    assert document["schema"] == "liqwarn.worst_case/1"
    assert (document["market"], document["objective"]) == ("simulated", "loss")
    assert document["factors"] == ["market", "sector majors", "BTCUSDT", "DOGEUSDT"]
    assert document["initial"]["kind"] == "synthetic"
    assert document["initial"]["as_of"] is None


def test_each_radius_says_how_plausible_its_shock_is(written):
    _, document = written
    one, three = document["radii"]
    assert one["plausibility"]["mahalanobis"] <= 1.0 + 1e-9
    assert one["plausibility"]["chi2_tail"] == pytest.approx(0.6065, abs=1e-3)
    assert three["plausibility"]["mahalanobis"] == pytest.approx(3.0)
    assert three["plausibility"]["seen_days_frac"] is None
    assert list(three["shock"]["factors"]) == document["factors"]
    assert list(three["shock"]["moves_pct"]) == document["symbols"]
    assert one["worst"]["value"] <= three["worst"]["value"]
    assert three["worst"]["ci"][0] < three["worst"]["value"] < three["worst"]["ci"][1]
    assert three["evaluations"] == 20


def test_the_shocks_of_the_scenario_are_not_applied(written):
    _, document = written
    assert all(row["worst"]["value"] < 20.0 for row in document["radii"])


def test_the_path_begins_at_the_first_price(written):
    _, document = written
    path = document["path"]
    assert path["times_h"][:2] == [0.0, 0.25]
    assert path["times_h"][-1] == 3.0
    for line in (*path["symbols"].values(), path["liquidated_usd"]):
        assert len(line) == 13
        assert line[0] == 0.0
    assert path["liquidated_usd"] == sorted(path["liquidated_usd"])


def test_the_page_shows_it_with_its_assumptions(written):
    order, _ = written
    page = (order.out / "worst_case.html").read_text()
    assert "The worst plausible shock" in page
    assert "the shock arrives evenly within 1 h" in page
    assert "have bounds and no probability" in page


def test_the_same_order_writes_the_same_bytes_whatever_its_threads(written, tmp_path, now):
    order, _ = written
    run_worst_case(replace(order, out=tmp_path / "two", threads=2), now=now)
    for name in ("worst_case.json", "worst_case.html"):
        assert (tmp_path / "two" / name).read_bytes() == (order.out / name).read_bytes()


def test_progress_names_its_stage(written, tmp_path, now):
    order, _ = written
    seen = []
    run_worst_case(
        replace(order, out=tmp_path, radii=(1.0,), evaluations=5),
        now=now,
        on_progress=lambda *said: seen.append(said),
    )
    assert ("worst case: shocks", 10, 10) in seen


def test_a_store_start_has_factors_fitted_to_its_past(given_market, tmp_path, now):
    store = tmp_path / "store"
    job = MarketJob(panel=given_market.panel, data=given_market.files, store=store)
    frame = open_market(job, now=now).frame
    at = f"{frame.times[-200]}Z"
    initial = {"kind": "store", "panel": str(given_market.panel), "at": at}
    order = order_of(tmp_path, initial, store=store, objective="liquidated")
    document = run_worst_case(order, now=now)
    assert document["initial"]["as_of"] == at
    assert document["factors"] == ["factor_1", "factor_2"]
    seen = [row["plausibility"]["seen_days_frac"] for row in document["radii"]]
    assert 1.0 > seen[0] > seen[1] >= 0.0
    days = (len(frame.times) - 200) // 24
    assert f"covariance of {days} past days" in " ".join(document["initial"]["notes"])


def test_every_fault_of_the_search_is_named_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match=r"objective is 'pain'.*radius is 0.*haircut_max is 2"):
        WorstCaseOrder(
            scenario=tmp_path / "absent.yaml",
            out=tmp_path,
            objective="pain",
            radii=(0.0,),
            haircut_max=2.0,
        )


def test_a_shock_longer_than_the_horizon_leaves_nothing_behind(tmp_path, now):
    order = order_of(tmp_path, over=timedelta(hours=5))
    with pytest.raises(ConfigError, match="expected at most the horizon"):
        run_worst_case(order, now=now)
    assert not order.out.exists()
