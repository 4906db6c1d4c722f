"""liqwarn map: one JSON object, a table, every kind of file, and refusals in one line."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pandas as pd
import pytest
import yaml

from liqwarn.pipelines.demo import write_simulated_market
from liqwarn.pipelines.market import MarketJob, bring_up_to_date
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig

ROOT = Path(__file__).parents[2]
NOW = datetime(2024, 1, 1, tzinfo=UTC)
AT = ("--at", "2022-01-12T00:00:00")
SHOW = ("map", "show", "--symbol", "BTCUSDT")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two panels of one perpetual over 20 days, each with provider files and a filled store."""
    folder = tmp_path_factory.mktemp("maps")
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name == "BTCUSDT")
    for seed, name in enumerate(("one", "two")):
        write_simulated_market(MarketConfig(specs=specs, n_bars=480), seed, folder / name)
        raw = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text())
        raw |= {"symbols": ["BTCUSDT"], "name": name}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(raw))
        job = MarketJob(
            panel=folder / f"{name}.yaml", data=folder / name, store=folder / "store" / name
        )
        bring_up_to_date(job, now=NOW)
    return folder


def stored(small, name="one"):
    return ("--panel", small / f"{name}.yaml", "--store", small / "store" / name)


def test_a_profile_for_machines_from_the_store(run, small):
    told = run(*SHOW, *AT, *stored(small), "--json").json

    assert told["schema"] == "liqwarn.map_profile/1"
    assert (told["symbol"], told["as_of"]) == ("BTCUSDT", "2022-01-12T00:00:00Z")
    assert told["panels"] == ["one"]
    assert "venues" not in told
    assert 0 < told["totals"]["long_coins"] <= told["open_interest"] * (1 + 1e-9)
    assert all(one["distance_pct"] < 0.2 for one in told["bins"] if one["long_coins"] > 0)
    assert set(told["clusters"]) == {"long", "short"}


def test_a_profile_from_provider_files_is_the_same(run, small, tmp_path):
    files = ("--panel", small / "one.yaml", "--data", small / "one", "--store", tmp_path / "s")
    from_files, from_store = (
        run(*SHOW, *AT, *options, "--json").json for options in (files, stored(small))
    )
    assert from_files == from_store


def test_a_profile_in_words(run, small):
    told = run(*SHOW, *stored(small))

    assert told.code == 0
    assert told.out.startswith("BTCUSDT as of 2022-01-21T00:00:00Z: price ")
    assert "estimated, not observed" in told.out
    assert "long " in told.out
    assert "short " in told.out


def test_two_panels_are_two_venues(run, small, monkeypatch):
    monkeypatch.setenv("LIQWARN_HOME", str(small))
    panels = ("--panel", small / "one.yaml", "--panel", small / "two.yaml")
    told = run(*SHOW, *AT, *panels, "--json").json

    assert told["panels"] == list(told["venues"]) == ["one", "two"]
    total = sum(one["totals"]["long_coins"] for one in told["venues"].values())
    assert told["totals"]["long_coins"] == pytest.approx(total)
    for venue in told["venues"].values():
        assert venue["schema"] == "liqwarn.map_profile/1"
    misused = run(*SHOW, *AT, *panels, "--store", small / "store" / "one")
    assert misused.code == 2
    assert "--store is for one --panel" in " ".join(misused.err.split())


def test_without_a_panel_the_first_shipped_one_with_a_store_is_read(run, tmp_path, monkeypatch):
    reason = run(*SHOW).refusal
    assert reason.startswith("no panel below conf/panels has BTCUSDT and a store below ")
    assert reason.endswith(", expected --panel")
    write_simulated_market(MarketConfig(n_bars=24 * 12), 4, tmp_path / "files")
    job = MarketJob(
        panel=ROOT / "conf" / "panels" / "demo.yaml",
        data=tmp_path / "files",
        store=tmp_path / "store" / "demo",
    )
    bring_up_to_date(job, now=NOW)
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path))
    assert run(*SHOW, *AT, "--json").json["panels"] == ["demo"]
    assert "expected --panel" in run("map", "show", "--symbol", "NONEUSDT").refusal


def test_without_open_interest_the_map_is_empty_and_says_so(run, small, tmp_path):
    raw = yaml.safe_load((small / "one.yaml").read_text()) | {"name": "bare", "core": ["close"]}
    del raw["sources"][0]["fields"]["open_interest"]
    panel = tmp_path / "bare.yaml"
    panel.write_text(yaml.safe_dump(raw))
    options = ("--panel", panel, "--data", small / "one", "--store", tmp_path / "s")

    assert "open interest unknown" in run(*SHOW, *options).out
    told = run(*SHOW, *options, "--json").json
    assert told["open_interest"] is None
    assert told["bins"] == told["clusters"]["long"] == []
    marks = run("map", "validate", *options, "--out", tmp_path)
    assert "too few bars" in marks.out


@pytest.mark.parametrize("at", ["2021-12-31", "2022-01-01", "2022-01-21T01:00:00", "2030-01-01"])
def test_a_moment_outside_is_refused(run, small, at):
    reason = run(*SHOW, "--at", at, *stored(small)).refusal
    assert reason.startswith("panel 'one' has bars from 2022-01-01T01:00:00 to 2022-01-21T00:00:00")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--symbol", "ETHUSDT"), "symbols ['ETHUSDT'] are not in the frame"),
        (("--panel", "none.yaml"), "none.yaml: cannot be read"),
        (("--data", "nowhere"), "data folder is nowhere"),
    ],
)
def test_refusals_are_one_line(run, small, words, reason):
    given = {"--symbol": "BTCUSDT", "--panel": small / "one.yaml", "--store": small / "store/one"}
    given |= {words[0]: words[1]}
    assert reason in run("map", "show", *(word for pair in given.items() for word in pair)).refusal


@pytest.mark.parametrize("suffix", [".png", ".svg", ".csv", ".parquet", ".json"])
def test_profile_and_heat_map_are_written_as_any_kind(run, small, tmp_path, suffix):
    out, heat = tmp_path / f"p{suffix}", tmp_path / f"h{suffix}"
    told = run(
        *SHOW, *AT, *stored(small), "--out", out, "--heat-map", heat, "--days", 0.2, "--json"
    )

    profile = told.json
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".json": b"{"}
    for path in (out, heat):
        assert path.read_bytes().startswith(starts.get(suffix, b""))
        assert path.stat().st_size > 100
    if suffix == ".json":
        assert orjson.loads(out.read_bytes()) == profile
    if suffix == ".csv":
        assert len(pd.read_csv(out)) == len(profile["bins"])
        assert pd.read_csv(heat)["time"].nunique() == 4
    if suffix == ".parquet":
        assert pd.read_parquet(heat)["time"].max() == pd.Timestamp("2022-01-12", tz="UTC")


@pytest.mark.parametrize("option", ["--out", "--heat-map"])
@pytest.mark.parametrize("name", ["p.gif", "p"])
def test_another_kind_of_file_is_refused(run, small, tmp_path, option, name):
    path = tmp_path / name
    words = (*SHOW, *AT, *stored(small), "--days", 0.1, option, path)
    reason = run(*words).refusal

    assert "expected one of .png, .svg, .csv, .parquet, .json" in reason
    assert not path.exists()


def test_one_bad_file_is_refused_before_any_other_is_written(run, small, tmp_path):
    good = tmp_path / "p.csv"
    refused = run(*SHOW, *AT, *stored(small), "--out", good, "--heat-map", tmp_path / "h.gif")

    assert "h.gif ends with '.gif'" in refused.refusal
    assert not good.exists()


def test_validate_writes_the_document(run, small, tmp_path):
    told = run("map", "validate", *stored(small), "--out", tmp_path / "deep" / "v", "--json").json
    path = tmp_path / "deep" / "v" / "map_validation.json"

    assert told.pop("out") == str(path)
    assert orjson.loads(path.read_bytes()) == told
    assert told["schema"] == "liqwarn.map_validation/1"
    for marks in told["symbols"]["BTCUSDT"].values():
        for one in (marks, *marks["baselines"].values()):
            assert set(one) >= {
                "precision_at_10pct", "wilson", "random", "rank_correlation",
                "within_move_rank_correlation",
            }  # fmt: skip


def test_validate_in_words(run, small, tmp_path):
    told = run("map", "validate", *stored(small), "--out", tmp_path)

    assert told.code == 0
    head, *rows = told.out.splitlines()
    assert "precision" in head
    assert "random precision: 0.10" in head
    assert len(rows) == 2 * 8
    assert "map against liquidations" in rows[0]


def test_validate_refuses_what_is_not_there(run, small, tmp_path):
    out = tmp_path / "v"
    words = ("map", "validate", "--panel", small / "one.yaml", "--out", out)
    assert "data folder is nowhere" in run(*words, "--data", "nowhere").refusal
    # no store yet
    assert run(*words).code == 1
    assert not out.exists()


@pytest.mark.parametrize("name", ["show", "validate"])
def test_help_tells_every_option(run, name):
    told = " ".join(run("map", name, "--help").out.split())

    assert f"Example: liqwarn map {name} --" in told
    options = {
        "show": (
            "--symbol",
            "--at",
            "--panel",
            "--data",
            "--store",
            "--out",
            "--heat-map",
            "--days",
        ),
        "validate": ("--panel", "--data", "--store", "--out", "--cluster"),
    }
    for option in options[name]:
        assert option in told
