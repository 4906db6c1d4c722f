"""ledger standings and ledger enable: told, on the record, and only with names and reasons."""

from datetime import UTC, datetime

import pytest

from liqwarn.config import Settings
from liqwarn.models.skill_floor import LiveSkill
from liqwarn.pipelines.standings import read_standings, update_standings

POOR = LiveSkill(champion="7", onsets=14, skill=0.31, low=0.2, high=0.44)
LOW = "live ROC-AUC 0.310 [0.200, 0.440] on 14 onsets lies below the floor of 0.5"
PANEL = ("--panel", "conf/panels/demo.yaml")
WHY = ("--by", "Ada", "--reason", "the feed was wrong")


@pytest.fixture
def judged(run, tmp_path):
    """A ledger's home, where one symbol is disabled."""
    home = Settings(home=tmp_path / "home", mlflow_uri="")
    record = {"SOLUSDT": POOR, "BTCUSDT": LiveSkill(champion="7", onsets=0, skill=0, low=0, high=0)}
    update_standings("demo", record, "7", home, now=datetime(2026, 5, 1, tzinfo=UTC))
    return home


def test_nothing_judged_means_every_symbol_is_scored(run):
    assert run("ledger", "standings", *PANEL).out == (
        "nothing was judged yet: every symbol is scored\n"
    )


def test_who_is_not_scored_is_said_with_figures(run, judged):
    assert run("ledger", "standings", *PANEL).out.splitlines() == [
        "BTCUSDT  scored since 2026-05-01 00:00 by model 7",
        f"SOLUSDT  NOT SCORED since 2026-05-01 00:00 by model 7: {LOW}",
    ]


def test_a_person_enables_it(run, judged):
    done = run("ledger", "enable", *PANEL, "SOLUSDT", *WHY, "--json").json
    again = run("ledger", "enable", *PANEL, "SOLUSDT", *WHY)

    assert (done["changed"], done["enabled"], done["by_hand"]) == (True, True, True)
    assert done["reason"] == "enabled by Ada: the feed was wrong"
    assert again.out.endswith("it is scored already: nothing was changed\n")
    assert read_standings(judged, "demo")["SOLUSDT"].enabled


def test_a_symbol_nobody_judged_is_refused(run, judged):
    told = run("ledger", "enable", *PANEL, "XRPUSDT", *WHY)

    assert told.code == 1
    assert "XRPUSDT has no standing in panel 'demo', expected one of: BTCUSDT, SOLUSDT" in told.err


@pytest.mark.parametrize("name", ["--by", "--reason"])
def test_without_a_name_or_a_reason_it_is_wrong_usage(run, judged, name):
    words = list(WHY)
    words[words.index(name) + 1] = "  "

    told = run("ledger", "enable", *PANEL, "SOLUSDT", *words)

    assert told.code == 2
    assert f"{name} is empty, expected words" in told.err
