"""Flags come in, outcomes are settled, the account is written; again and again the same."""

from datetime import timedelta

import pytest

from liqwarn.pipelines.ledger import ledger_folder, live_skill, read_account, settle
from liqwarn.pipelines.score import score


@pytest.fixture(scope="module")
def scored(study, bundle, policy, now, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    score(study, bundle, policy, folder, now=now)
    return folder


def test_every_flag_is_known_running_pending_or_unknown(study, bundle, settings, scored, now):
    account = settle(study, bundle, settings, scores=scored, now=now)
    counts = account["counts"]

    assert counts["issued"] == 2 * study.matrix.values.shape[0] * study.matrix.values.shape[1]
    assert counts["issued"] == sum(counts[k] for k in ("known", "running", "pending", "unknown"))
    assert counts["in_sample"] + counts["replayed"] == counts["issued"]
    assert counts["changed"] == counts["revised"] == 0


def test_settled_again_nothing_is_added(study, bundle, settings, scored, now):
    first = settle(study, bundle, settings, scores=scored, now=now)
    again = settle(study, bundle, settings, scores=scored, now=now)

    assert again == first == read_account(settings, study.market.panel.name)


def test_without_a_model_and_flags_there_is_an_empty_account(study, settings, now):
    account = settle(study, None, settings, scores=None, now=now)

    assert account["champion"] is None
    assert set(account["counts"].values()) == {0}
    assert account["drift"]["inputs"] == account["misses"] == account["weekly"] == []


def test_in_sample_flags_do_not_count(study, bundle, settings, scored, now):
    account = settle(study, bundle, settings, scores=scored, now=now)
    until = bundle.training.trained_until
    rows = sum(r["rows"] for r in account["weekly"])

    assert all(
        week["week"] >= f"{until - timedelta(days=7):%Y-%m-%d}" for week in account["weekly"]
    )
    assert 0 < rows < account["counts"]["replayed"]


def test_the_floor_reads_the_skill_of_one_champion(study, bundle, settings, scored, now):
    account = settle(study, bundle, settings, scores=scored, now=now)

    assert set(live_skill(account, "7")) == set(study.matrix.symbols)
    assert live_skill(account, "8") == {}


def test_there_is_no_account_before_the_first_settling(settings):
    assert read_account(settings, "demo") is None
    assert not ledger_folder(settings, "demo").exists()
