"""Alert rules: every metric exists, and every alert has its place in the runbook."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from liqwarn.serving.clock import SystemClock
from liqwarn.serving.ledger_families import ledger_families, retrain_families
from liqwarn.serving.ledger_file import LedgerReading
from liqwarn.serving.ledger_retrain import LastRuns
from liqwarn.serving.ledger_watch import LedgerWatch
from liqwarn.serving.metric_families import tell_families
from liqwarn.serving.metrics import ServingMetrics

NOW = datetime(2025, 10, 2, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
RULES = ROOT / "ops" / "prometheus" / "liqwarn.rules.yml"
TESTS = RULES.with_name("liqwarn.rules.test.yml")
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
NAMES = [rule["alert"] for rule in ALERTS]


def promtool(*words):
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool (Debian package prometheus) is not installed")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    clock = SystemClock()
    made = ServingMetrics(clock, disk=tmp_path_factory.mktemp("disk"))
    tell_families(
        made.registry, LedgerWatch(tmp_path_factory.mktemp("home"), "p", clock=clock).families
    )
    return made


@pytest.fixture(scope="module")
def read():
    """Labels of what is read from the ledger when somebody asks."""
    families = [*ledger_families(LedgerReading(), NOW), *retrain_families(LastRuns())]
    return {f"liqwarn_{family.name}": family.labels for family in families}


@pytest.fixture(scope="module")
def sample_names(metrics):
    """Every name a rule may use, with the labels it has."""
    endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    return {
        f"{family.name}{ending}"
        for family in metrics.registry.collect()
        for ending in endings[family.type]
    }


@pytest.mark.parametrize("rule", ALERTS, ids=NAMES)
def test_every_metric_of_a_rule_exists(rule, sample_names):
    used = set(re.findall(r"\bliqwarn_\w+", rule["expr"]))

    assert used
    assert used - sample_names == set()


@pytest.mark.parametrize("rule", ALERTS, ids=NAMES)
def test_every_label_of_a_rule_exists(rule, metrics, read):
    by_name = {collector._name: collector._labelnames for collector in _own(metrics)} | read
    for name, labels in re.findall(r"\b(liqwarn_\w+)\{([^}]*)\}", rule["expr"]):
        known = by_name[re.sub(r"_total$", "", name)]
        assert set(re.findall(r"(\w+)=", labels)) <= set(known)


def _own(metrics):
    return [c for c in metrics.registry._collector_to_names if hasattr(c, "_labelnames")]


@pytest.mark.parametrize("rule", ALERTS, ids=NAMES)
def test_every_alert_is_whole(rule):
    assert rule["labels"]["severity"] in ("page", "ticket", "info", "none")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_alert_is_in_the_runbook_and_the_other_way_round():
    sections = re.findall(r"^### (Liqwarn\w+)$", (ROOT / "docs/runbook.md").read_text(), re.M)

    assert sorted(sections) == sorted(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_there_is_a_dead_mans_switch():
    (heartbeat,) = [rule for rule in ALERTS if rule["labels"]["severity"] == "none"]

    assert "heartbeat_age_seconds <" in heartbeat["expr"]
    assert "for" not in heartbeat


def test_promtool_accepts_them():
    done = promtool("check", "rules", str(RULES))

    assert done.returncode == 0, done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


def test_they_fire_when_they_should():
    done = promtool("test", "rules", str(TESTS))

    assert done.returncode == 0, done.stdout + done.stderr
