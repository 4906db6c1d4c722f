"""Standings are kept beside the ledger: judged from its account, chained, read whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from liqwarn import chained_log
from liqwarn.config import Settings
from liqwarn.errors import AuditError, ConfigError, StoreError
from liqwarn.models.alias_history import AliasMove
from liqwarn.models.skill_floor import LiveSkill, Standing
from liqwarn.pipelines import ledger, standings
from liqwarn.pipelines.alias_moves import history_of
from liqwarn.pipelines.standings import (
    enable_symbol,
    read_standings,
    standings_file,
    update_standings,
    with_standings,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path, mlflow_uri="")


def skill(symbol, high, *, onsets=20, model="7"):
    return symbol, LiveSkill(champion=model, onsets=onsets, skill=high - 0.1, low=0.1, high=high)


def update(home, *record, champion="7", now=NOW):
    return update_standings("demo", dict(record), champion, home, now=now)


def lines(home):
    log = standings_file(home, "demo").with_suffix(".jsonl")
    return [record for _, record in chained_log.records(log)]


def test_nothing_is_known_before_the_first_account(home):
    assert read_standings(home, "demo") == {}


def test_a_poor_symbol_is_disabled_and_the_change_is_logged_once(home):
    told = [skill("SOLUSDT", 0.44), skill("BTCUSDT", 0.7)]

    found = update(home, *told)
    again = update(home, *told, now=LATER)

    assert {symbol: one.enabled for symbol, one in found.items()} == {
        "SOLUSDT": False,
        "BTCUSDT": True,
    }
    assert again == found == read_standings(home, "demo")
    assert [(one["symbol"], one["enabled"]) for one in lines(home)] == [
        ("BTCUSDT", True),
        ("SOLUSDT", False),
    ]


def test_the_file_is_left_alone_when_nothing_changed(home):
    told = [skill("SOLUSDT", 0.44)]
    update(home, *told)
    before = standings_file(home, "demo").stat()

    update(home, *told, now=LATER)

    after = standings_file(home, "demo").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_person_enables_and_the_next_champion_lets_it_be_judged_again(home):
    update(home, skill("SOLUSDT", 0.44), champion="7", now=NOW)

    done = enable_symbol("demo", "SOLUSDT", home, by="Ada", reason="a feed was wrong", now=LATER)
    by_hand = update(home, skill("SOLUSDT", 0.4), champion="7", now=LATER)
    new = update(home, skill("SOLUSDT", 0.4, model="8"), champion="8", now=LATER)

    assert done.changed
    assert done.standing.reason == "enabled by Ada: a feed was wrong"
    assert by_hand["SOLUSDT"] == done.standing
    assert not new["SOLUSDT"].enabled
    assert len(lines(home)) == 3


def test_what_is_scored_already_need_not_be_enabled_and_a_stranger_cannot_be(home):
    update(home, skill("BTCUSDT", 0.7), champion="7", now=NOW)

    done = enable_symbol("demo", "BTCUSDT", home, by="Ada", reason="why not", now=LATER)

    assert not done.changed
    assert done.standing.since == NOW
    with pytest.raises(
        ConfigError, match="XRPUSDT has no standing in panel 'demo', expected one of: BT"
    ):
        enable_symbol("demo", "XRPUSDT", home, by="Ada", reason="why not", now=LATER)


def test_killed_between_log_and_file_the_next_update_puts_the_file_right(home, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    told = [skill("SOLUSDT", 0.44)]
    with monkeypatch.context() as patch:
        patch.setattr(standings, "write_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            update(home, *told)

    assert not read_standings(home, "demo")["SOLUSDT"].enabled  # the log has it
    assert update(home, *told, now=LATER)["SOLUSDT"].since == NOW
    assert read_standings(home, "demo")["SOLUSDT"].since == NOW
    assert len(lines(home)) == 1


def test_an_edited_log_is_found(home):
    update(home, skill("SOLUSDT", 0.44), champion="7", now=NOW)
    log = standings_file(home, "demo").with_suffix(".jsonl")
    log.write_bytes(log.read_bytes().replace(b'"enabled":false', b'"enabled":true '))

    with pytest.raises(AuditError, match="is not"):
        update(home, champion="7", now=LATER)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"schema":"liqwarn.standings/1"}'])
def test_an_unreadable_file_is_never_read_as_no_standings(home, content):
    path = standings_file(home, "demo")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    with pytest.raises(StoreError, match="no standings of panel 'demo'"):
        read_standings(home, "demo")


def test_the_file_of_another_panel_is_refused(home):
    update(home, skill("SOLUSDT", 0.44), champion="7", now=NOW)
    path = standings_file(home, "demo")
    path.write_bytes(path.read_bytes().replace(b'"demo"', b'"other"'))

    with pytest.raises(StoreError, match=r"no standings of panel 'demo': .*of other"):
        read_standings(home, "demo")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["settle", "enable"]),
        st.sampled_from(["7", "8", "9"]),
        st.floats(0.2, 0.9),
        st.integers(0, 40),
    ),
    max_size=6,
)


@examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_file_and_log_always_agree(tmp_path_factory, steps):
    home, known = Settings(home=tmp_path_factory.mktemp("home"), mlflow_uri=""), {}
    for day, (what, champion, high, onsets) in enumerate(steps):
        now = NOW + timedelta(days=day)
        if what == "settle":
            told = [skill("SOLUSDT", high, onsets=onsets, model=champion)]
            known = update(home, *told, champion=champion, now=now)
        elif known:
            done = enable_symbol("demo", "SOLUSDT", home, by="Ada", reason="drill", now=now)
            known = {"SOLUSDT": done.standing}
        assert read_standings(home, "demo") == known
    if known:
        path = standings_file(home, "demo")
        chained_log.verify(path.with_suffix(".jsonl"), path.with_name("standings.head.json"))
        last = lines(home)[-1]
        assert orjson.loads(path.read_bytes())["standings"][-1].items() <= last.items()
        assert isinstance(known["SOLUSDT"], Standing)


def test_settling_the_ledger_judges_the_champion_and_nobody_else(
    study, bundle, home, now, monkeypatch
):
    panel, poor = study.market.panel.name, dict([skill("DOGEUSDT", 0.44)])
    monkeypatch.setattr(ledger, "live_skill", lambda *_: poor)

    trial = replace(bundle, stamp=replace(bundle.stamp, version="8"))
    history = history_of(panel, home)
    move = AliasMove(
        alias="champion", before=None, after="7", action="first", reason="r", by="b", at="t"
    )
    history.end(history.intend(move), "done", now=now)
    before = ledger.settle(study, trial, home, scores=None, now=now)
    account = ledger.settle(study, bundle, home, scores=None, now=now)

    assert before["standings"] == []
    assert account["standings"] == [
        {
            "symbol": "DOGEUSDT",
            "enabled": False,
            "since": "2024-01-01T00:00:00.000Z",
            "reason": "live ROC-AUC 0.340 [0.100, 0.440] on 20 onsets lies below the floor of 0.5",
            "champion": "7",
        }
    ]
    assert not with_standings(bundle, panel, home).standings["DOGEUSDT"].enabled
