"""Thresholds over any sequence of retrains: bounded, a ladder, versions that rise, never half."""

import os
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn import chained_log
from liqwarn.config import Settings, load_policy
from liqwarn.models.baselines import BASELINES
from liqwarn.models.calibration import Calibrated
from liqwarn.models.evaluation import EvaluationPlan, out_of_sample
from liqwarn.models.results import MODEL
from liqwarn.pipelines.evaluate import labelled_rows
from liqwarn.pipelines.policy_versions import PolicyVersions
from liqwarn.pipelines.rederive import apply_wanted, measured_thresholds, rederived
from liqwarn.policy.threshold_curve import Thresholds, thresholds_of
from liqwarn.policy.tiers import Enter

SHIPPED = Path(__file__).parents[2] / "conf" / "policy.yaml"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
EXAMPLES = 60 if os.environ.get("LIQWARN_FAULTS") == "full" else 10
ASKED = Thresholds(
    enter=(
        Enter(quantile=0.91, base_multiple=2.1),
        Enter(quantile=0.96, base_multiple=3.9),
        Enter(quantile=0.99, base_multiple=30.0),
        Enter(quantile=0.996, base_multiple=40.0),
    ),
    exits=(0.86, 0.91, 0.955, 0.981),
)


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home", mlflow_uri="")


@pytest.fixture
def written(tmp_path):
    """A person's policy file."""
    return Path(shutil.copy(SHIPPED, tmp_path / "policy.yaml"))


def once(home, written, wanted=ASKED, now=NOW):
    return apply_wanted(wanted, "demo", written, home, now=now)


def test_a_change_is_a_new_version_whole_and_bounded(home, written):
    before = written.read_bytes()

    done = once(home, written)

    policy = load_policy(done.path)
    assert (done.changed, done.version, policy.version) == (True, "1.1.0", "1.1.0")
    assert thresholds_of(policy) == Thresholds(
        enter=(
            Enter(quantile=0.91, base_multiple=2.1),
            Enter(quantile=0.96, base_multiple=3.9),
            Enter(quantile=0.984, base_multiple=9.6),
            Enter(quantile=0.996, base_multiple=18.0),
        ),
        exits=ASKED.exits,
    )
    assert len(done.notes) == 3
    assert written.read_bytes() == before
    assert done.path.read_bytes() == (done.path.parent / "1.1.0.yaml").read_bytes()
    raw, shipped = (yaml.safe_load(path.read_text()) for path in (done.path, SHIPPED))
    for document in (raw, shipped):
        document.pop("version")
        for tier in ("T1", "T2", "T3", "T4"):
            for name in ("enter", "exit_quantile"):
                document["tiers"][tier].pop(name)
    assert raw == shipped


def test_the_log_says_what_was_asked_for_and_what_was_held_back(home, written):
    done = apply_wanted(ASKED, "demo", written, home, now=NOW, evidence={"bars": 7})

    (_, line), *rest = chained_log.records(done.path.parent / "history.jsonl")
    assert rest == []
    assert line["version"] == "1.1.0"
    assert line["wanted"]["enter"][2] == {"quantile": 0.99, "base_multiple": 30.0}
    assert line["before"]["version"] == "1.0.0"
    assert line["notes"] == list(done.notes)
    assert line["evidence"] == {"bars": 7}


def test_within_a_week_nothing_changes_and_after_it_the_next_step_is_taken(home, written):
    once(home, written)

    early = once(home, written, now=NOW + WEEK - timedelta(seconds=1))
    late = once(home, written, now=NOW + WEEK)

    assert (early.changed, early.version) == (False, "1.1.0")
    assert early.notes == ("the last change was 7.0 days ago, expected 7",)
    assert (late.changed, late.version) == (True, "1.2.0")
    assert thresholds_of(load_policy(late.path)).enter[2].base_multiple == 11.52
    assert {path.name for path in late.path.parent.glob("*.yaml")} == {
        "1.1.0.yaml",
        "1.2.0.yaml",
        "current.yaml",
    }


def test_what_is_there_already_is_no_change(home, written):
    wanted = thresholds_of(load_policy(written))

    done = once(home, written, wanted)

    assert (done.changed, done.path) == (False, written)
    assert done.notes == ("thresholds are what was derived",)


def test_another_file_of_the_persons_is_in_force_again(home, written):
    once(home, written)
    written.write_text(written.read_text().replace("base_multiple: 2 }", "base_multiple: 2.5 }"))

    at = PolicyVersions("demo", written, home).in_force()
    early = once(home, written, now=NOW + timedelta(days=1))
    late = once(home, written, now=NOW + WEEK)

    assert (at.path, at.changed_at) == (written, NOW)
    assert (early.changed, early.path) == (False, written)
    assert late.version == "1.2.0"
    assert thresholds_of(load_policy(late.path)).enter[2].base_multiple == 9.6


multiples = st.lists(
    st.floats(0.1, 200).map(lambda m: float(f"{m:.3g}")), min_size=4, max_size=4, unique=True
)


@st.composite
def ladders(draw):
    """Any ladder that could be read off: rising, every exit below its entry."""
    enter = sorted(draw(st.lists(st.integers(4, 9_999), min_size=4, max_size=4, unique=True)))
    exits = [0]
    for one in enter:
        exits.append(draw(st.integers(exits[-1] + 1, one - 1)))
    rise = sorted(draw(multiples))
    return Thresholds(
        enter=tuple(
            Enter(quantile=q / 10_000, base_multiple=m) for q, m in zip(enter, rise, strict=True)
        ),
        exits=tuple(one / 10_000 for one in exits[1:]),
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    retrains=st.lists(
        st.tuples(ladders(), st.sampled_from([0.5, 3, 6.99, 7, 8, 30])), min_size=1, max_size=6
    )
)
def test_over_any_retrains_a_fifth_a_week_and_a_ladder(retrains):
    with tempfile.TemporaryDirectory() as folder:
        home = Settings(home=Path(folder), mlflow_uri="")
        now, changes, policies = NOW, [], [load_policy(SHIPPED)]
        for wanted, days in retrains:
            now += timedelta(days=days)
            done = apply_wanted(wanted, "demo", SHIPPED, home, now=now)
            if done.changed:
                changes.append(now)
                policies.append(load_policy(done.path))  # loading checks the ladder
        for before, after in pairwise(map(thresholds_of, policies)):
            assert_within_a_fifth(before, after)
        assert all(later - earlier >= WEEK for earlier, later in pairwise(changes))
        versions = [tuple(map(int, one.version.split("."))) for one in policies]
        assert versions == sorted(set(versions))
        assert len(policies) == len(changes) + 1


def assert_within_a_fifth(before, after):
    for old, new in zip(before.enter, after.enter, strict=True):
        assert 0.8 - 1e-9 <= new.base_multiple / old.base_multiple <= 1.2 + 1e-9
        assert 0.8 - 1e-6 <= (1 - new.quantile) / (1 - old.quantile) <= 1.2 + 1e-6
    for old, new in zip(before.exits, after.exits, strict=True):
        assert 0.8 - 1e-6 <= (1 - new) / (1 - old) <= 1.2 + 1e-6


@pytest.fixture(scope="module")
def found(thin):
    rows = labelled_rows(thin)
    made = out_of_sample(rows, EvaluationPlan(), {MODEL: climatology})[0]
    marked = np.random.default_rng(0).lognormal(-4.0, 1.0, made.p[MODEL].shape).clip(0, 0.9)
    return replace(made, p={MODEL: np.sort(marked, axis=-1)})


def climatology(_seed):
    return Calibrated(BASELINES["B0"])


def test_a_short_walk_forward_leaves_thresholds_as_they_are(thin, found, home, written):
    done = rederived(thin, found, written, home, now=NOW)

    assert (done.path, done.version, done.changed) == (written, "1.0.0", False)
    assert done.notes[0].startswith("thresholds are left as they are: ")
    assert "quiet bars with a rank, expected 8000" in done.notes[0]


def test_a_walk_forward_becomes_a_policy(thin, found, home, written, monkeypatch):
    monkeypatch.setattr("liqwarn.policy.threshold_curve.LEAST_ALARMS", 2)

    done = rederived(thin, found, written, home, now=NOW)

    wanted = measured_thresholds(thin, found, written)
    (_, line), *_ = chained_log.records(done.path.parent / "history.jsonl")
    assert done.version == "1.1.0"
    assert line["wanted"]["exits"] == list(wanted.exits)
    assert line["evidence"]["bars"] == len(found.rows)
    assert line["evidence"]["data_sha256"] == thin.market.data_sha256
