"""The closed loop end to end on few short markets: the same bytes again, whatever the processes."""

import orjson
import pytest

from liqwarn.errors import ConfigError
from liqwarn.pipelines.closed_loop import ClosedLoopOrder, run_closed_loop
from liqwarn.simulation.loop_metrics import METRICS

ARMS = {"none", "breaker", "price_line", "vol_target"}


@pytest.fixture(scope="module")
def done(tmp_path_factory, request):
    out = tmp_path_factory.mktemp("loop")
    policy = request.config.rootpath / "conf" / "policy.yaml"
    order = ClosedLoopOrder(out=out, policy=policy, seeds=2, days=3)
    told = []
    document = run_closed_loop(order, on_progress=lambda *what: told.append(what))
    return order, document, told


def test_every_arm_has_every_metric_with_and_without_anticipation(done):
    _, document, _ = done
    assert set(document["arms"]) == ARMS
    for arm in document["arms"].values():
        for kind in ("plain", "anticipation"):
            for metric in METRICS:
                assert {"mean", "ci"} <= set(arm[kind][metric])
    assert document["schema"] == "liqwarn.closed_loop/1"
    assert set(document["against"]) == ARMS - {"breaker"}


def test_nobody_restricted_pays_nothing(done):
    _, document, _ = done
    none = document["arms"]["none"]["plain"]
    assert none["time_restricted"]["mean"] == none["cost"]["mean"] == 0.0
    assert document["arms"]["none"]["anticipation"] == none


def test_the_breaker_is_in_its_tiers_for_the_time_it_says(done):
    _, document, _ = done
    breaker = document["arms"]["breaker"]["plain"]
    tiers = sum(found["mean"] for found in breaker["time_in_tier"].values())
    assert 0.0 < tiers <= breaker["time_limited"]["mean"] + 0.02
    assert breaker["cost"]["mean"] > 0.0


def test_the_files_are_the_document_and_progress_was_told(done):
    order, document, told = done
    assert orjson.loads((order.out / "closed_loop.json").read_bytes())["arms"] == orjson.loads(
        orjson.dumps(document["arms"])
    )
    page = (order.out / "closed_loop.html").read_text()
    assert "breaker" in page
    assert told[-1] == ("markets", 2, 2)


def test_processes_do_not_change_a_byte(done, tmp_path):
    order, _, _ = done
    again = ClosedLoopOrder(out=tmp_path, policy=order.policy, seeds=2, days=3, threads=2)
    run_closed_loop(again)
    assert (tmp_path / "closed_loop.json").read_bytes() == (
        order.out / "closed_loop.json"
    ).read_bytes()


def test_a_folder_that_is_a_file_is_refused_before_a_market_lives(done, tmp_path):
    order, _, _ = done
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file, expected a folder"):
        run_closed_loop(ClosedLoopOrder(out=tmp_path / "file", policy=order.policy, seeds=1))


def test_every_fault_of_an_order_is_named(tmp_path):
    with pytest.raises(ConfigError, match="delay_min is 7, expected a multiple of 15"):
        ClosedLoopOrder(out=tmp_path, delay_min=7)
    with pytest.raises(ConfigError, match=r"seeds is 0.*days is 1.*phi is 1\.5.*delay_min is -1"):
        ClosedLoopOrder(out=tmp_path, seeds=0, days=1, phi=1.5, delay_min=-1)
