"""audit, serve, demo: an edited log is found, and nothing is announced that cannot be kept."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from liqwarn.config import load_policy
from liqwarn.models.bundle import load_bundle
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.score import score
from liqwarn.pipelines.study import build_study

POLICY = "conf/policy.yaml"


@pytest.fixture(scope="session")
def scoring(given, model, tmp_path_factory):
    now = datetime(2024, 1, 1, tzinfo=UTC)
    market = open_market(MarketJob(panel=given / "panel.yaml", store=given / "store"), now=now)
    folder = tmp_path_factory.mktemp("scoring") / "s"
    policy = load_policy(Path(__file__).parents[2] / POLICY)
    bundle = load_bundle(model, version="1")
    since = datetime(2022, 3, 10, tzinfo=UTC)
    score(build_study(market), bundle, policy, folder, now=now, since=since)
    return folder


@pytest.fixture
def log(scoring, tmp_path):
    return shutil.copytree(scoring, tmp_path / "scoring") / "audit.jsonl"


def test_a_whole_log_verifies_and_replays(run, log):
    verified = run("audit", "verify", log, "--json").json
    replayed = run("audit", "replay", log, "--json").json

    assert verified["lines"] == replayed["lines"] > 0
    assert replayed["differences"] == 0
    assert f"{verified['lines']} lines, unbroken" in run("audit", "verify", log).out
    assert "all the same" in run("audit", "replay", log).out


@pytest.mark.parametrize("where", [0.1, 0.5, 0.99])
def test_one_flipped_bit_is_found(run, log, where):
    content = bytearray(log.read_bytes())
    content[int(len(content) * where)] ^= 1
    log.write_bytes(content)

    assert "audit.jsonl" in run("audit", "verify", log).refusal


def test_a_line_that_was_removed_is_found(run, log):
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:3] + lines[4:]))

    assert "line 4 does not follow line 3" in run("audit", "verify", log).refusal


def test_a_cut_log_is_found(run, log):
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]))

    assert "cut short" in run("audit", "verify", log).refusal


def test_a_head_kept_apart_is_asked(run, log, tmp_path):
    head = shutil.move(log.with_name("audit.head.json"), tmp_path / "safe.json")

    assert run("audit", "verify", log, "--head", head).code == 0
    assert "missing, expected the head" in run("audit", "verify", log).refusal


def test_another_policy_decides_otherwise_and_says_so(run, log, tmp_path):
    text = (Path(__file__).parents[2] / POLICY).read_text()
    other = tmp_path / "other.yaml"
    other.write_text(text.replace("version: 1.0.0", "version: 1.0.1"))

    reason = run("audit", "replay", log, "--policy", other).refusal

    assert "decisions differ; the first: " in reason
    assert "line 1" in reason


def test_a_missing_log_is_refused(run, tmp_path):
    assert "missing" in run("audit", "replay", tmp_path / "none.jsonl").refusal
    assert "missing" in run("audit", "verify", tmp_path / "none.jsonl").refusal


def test_a_folder_is_no_log(run, tmp_path):
    assert "directory" in run("audit", "replay", tmp_path).refusal.lower()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.org"])
def test_only_loopback_is_served(run, scoring, host):
    reason = run("serve", "--scores", scoring, "--host", host).refusal

    assert host in reason
    assert "expected API keys (--keys FILE) and TLS" in reason


def test_what_a_scoring_cannot_do_is_refused_and_not_ignored(run, scoring, tmp_path):
    told = run("serve", "--scores", scoring, "--sign", tmp_path / "k", "--board", tmp_path / "b")

    assert "--scores does not go with --sign, --board" in told.refusal


def test_nothing_is_served_under_a_policy_that_is_not_there(run, scoring):
    reason = run("serve", "--scores", scoring, "--policy", "conf/polici.yaml").refusal

    assert "conf/polici.yaml: cannot be read" in reason
    assert "policy.yaml" in reason


def test_the_demo_of_a_real_panel_needs_its_files(run):
    told = run("demo", "--panel", "conf/panels/btc_core.yaml")

    assert told.code == 2
    assert "--data" in told.err
