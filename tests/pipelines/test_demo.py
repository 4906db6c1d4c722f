"""The whole job: every file that was promised, the same again, and never mistaken for real."""

import re
from dataclasses import replace
from pathlib import Path

import orjson
import pandas as pd
import pytest

from liqwarn.decisions import flag_from_dict
from liqwarn.errors import ConfigError
from liqwarn.models.events import EVENT_COLUMNS
from liqwarn.pipelines.demo import run_demo
from liqwarn.policy.audit import replay, verify
from liqwarn.reports.content import SCORE_COLUMNS

FLAG = {
    "schema", "symbol", "as_of", "issued_at", "valid_until", "sequence", "quality", "sides",
    "model", "policy", "data",
}  # fmt: skip
SIDE = {"p_1h", "p_4h", "p_24h", "tier", "state", "limits", "reasons"}
ACCOUNT = "demo-ledger/ledger/demo/account.json"
TABLES = ("scores.parquet", "flags.parquet")


@pytest.fixture(scope="module")
def out(demo):
    return demo[0].out


def test_every_file_of_the_readmes_table_is_there(out):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    table = readme[readme.index("## What comes out") : readme.index("## Step by step")]
    promised = re.findall(r"`(\w+\.\w+)`", "".join(
        line.split("|")[1] for line in table.splitlines() if line.startswith("| `")
    ))  # fmt: skip

    assert {"report.html", "evaluation.json", "evaluation.md", "audit.jsonl"} <= set(promised)
    assert [name for name in promised if not (out / name).stat().st_size] == []


def test_flags_have_the_agreed_keys_and_are_read_back(out):
    document = orjson.loads((out / "flags.json").read_bytes())

    assert document["market"] == "simulated"
    assert [flag["symbol"] for flag in document["flags"]] == ["BTCUSDT", "DOGEUSDT"]
    for flag in document["flags"]:
        assert set(flag) == FLAG
        assert set(flag["sides"]) == {"long", "short"}
        assert all(set(side) == SIDE for side in flag["sides"].values())
        assert set(flag["model"]) == set(flag["policy"]) == {"version", "sha256"}
        assert set(flag["data"]) == {"sha256", "completeness"}
        flag_from_dict(flag)


def test_scores_and_events_have_the_agreed_columns(out):
    scores = pd.read_parquet(out / "scores.parquet")
    events = pd.read_csv(out / "events.csv")

    assert tuple(scores.columns) == SCORE_COLUMNS
    assert tuple(events.columns) == EVENT_COLUMNS
    assert len(events) > 0


def test_what_is_shown_was_scored_by_a_model_that_saw_nothing_of_it(out):
    account = orjson.loads((out / "scoring.json").read_bytes())
    scores = pd.read_parquet(out / "scores.parquet")

    assert scores["time"].min() >= pd.Timestamp(account["trained_until"])
    assert scores["time"].max() - scores["time"].min() == pd.Timedelta(days=90)


def test_the_evaluation_is_of_the_panel(out, demo):
    document = orjson.loads((out / "evaluation.json").read_bytes())

    assert document["panel"] == "demo"
    assert {row["model"] for row in document["results"]} >= {"liqwarn", "B0", "B1", "B2", "B6"}
    assert set(demo[1].skill) == {"long", "short"}
    for row in document["results"]:
        if row["horizon_h"] == 4:
            assert demo[1].skill[row["side"]][row["model"]] == row["pr_auc"]


def test_it_says_that_the_market_is_simulated(out, demo):
    _, done, _ = demo

    assert done.simulated
    assert done.to_dict()["market"] == "simulated"
    assert "SIMULATED" in done.to_text()
    assert "simulated" in (out / "report.html").read_text()[:20_000].lower()
    assert done.to_text().endswith(f"report: {out / 'report.html'}")


def test_every_stage_is_shown_until_it_is_done(demo):
    last = {stage: (done, total) for stage, done, total in demo[2]}

    assert {"simulate the market", "ingest demo", "features", "walk-forward", "train", "score"} <= (
        set(last)
    )
    assert all(done == total for done, total in last.values())


def test_its_log_verifies_and_replays(out, policy):
    head = verify(out / "audit.jsonl", out / "audit.head.json")

    assert head.lines > 0
    assert replay(out / "audit.jsonl", policy).differences == 0


def test_its_report_tells_what_became_of_the_flags(out, demo):
    account = orjson.loads((out / ACCOUNT).read_bytes())
    rows = len(pd.read_parquet(out / "flags.parquet"))
    page = (out / "report.html").read_text()

    assert account["counts"]["issued"] == rows
    assert account["counts"]["in_sample"] == 4  # of both symbols, the bar that training ended at
    assert account["counts"]["known"] > rows / 2
    assert account["champion"]["version"] == "demo"
    assert [one for one in account["alarms"] if one["rule"] == "unsettled"] == []
    assert "What became of our flags" in page
    assert "There is no ledger" not in page
    assert ("settle", 1, 1) in demo[2]


def test_into_the_same_folder_it_runs_again_and_gives_the_same(out, demo, policy):
    order, done, _ = demo
    tables = {name: pd.read_parquet(out / name) for name in TABLES}
    fixed = ("events.csv", "evaluation.json", "evaluation.md", "positions.json", "scoring.json")
    before = {name: (out / name).read_bytes() for name in fixed}

    counts = orjson.loads((out / ACCOUNT).read_bytes())["counts"]

    again = run_demo(order)

    assert orjson.loads((out / ACCOUNT).read_bytes())["counts"] == counts
    assert {name: (out / name).read_bytes() for name in fixed} == before
    for name, table in tables.items():
        found = pd.read_parquet(out / name).drop(columns="issued_at", errors="ignore")
        pd.testing.assert_frame_equal(found, table.drop(columns="issued_at", errors="ignore"))
    for one, two in zip(done.flags, again.flags, strict=True):
        assert one | {"issued_at": None} == two | {"issued_at": None}
    verify(out / "audit.jsonl", out / "audit.head.json")
    assert replay(out / "audit.jsonl", policy).differences == 0


@pytest.mark.parametrize(
    ("held", "stays"),
    [("manifest.json", False), ("panel=demo/a_killed_demo", False), ("btc/manifest.json", True)],
)
def test_a_folder_of_other_stores_is_left_alone(demo, tmp_path, held, stays):
    """As ``--out $LIQWARN_HOME`` would give it."""
    (tmp_path / "store" / held).parent.mkdir(parents=True)
    (tmp_path / "store" / held).write_text("{}")
    market = replace(demo[0].market, n_bars=24)
    order = replace(demo[0], out=tmp_path, market=market, panel=tmp_path / "none.yaml")

    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        run_demo(order)

    assert (tmp_path / "store" / held).exists() == stays


def test_real_files_are_not_called_simulated(demo):
    real = replace(demo[1], simulated=False)

    assert real.to_dict()["market"] == "real"
    assert "SIMULATED" not in real.to_text()
