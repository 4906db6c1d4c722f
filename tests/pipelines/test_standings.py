"""Standings are kept beside the ledger: judged from its account, chained, read whole."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from liqwarn import chained_log
from liqwarn.config import Settings
from liqwarn.errors import AuditError, ConfigError, StoreError
from liqwarn.models.skill_floor import Standing
from liqwarn.pipelines import standings
from liqwarn.pipelines.standings import (
    enable_symbol,
    read_standings,
    standings_file,
    update_standings,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path, mlflow_uri="")


def skill(symbol, high, *, onsets=20, model="7", **other):
    auc = {"value": None if high is None else high - 0.1, "low": None, "high": high}
    row = {"scope": symbol, "side": "both", "horizon_h": 4, "window": "all", "model": model}
    return {**row, "onsets": onsets, "roc_auc": auc, **other}


def account(*rows):
    return {"panel": "demo", "skill": list(rows)}


def lines(home):
    log = standings_file(home, "demo").with_suffix(".jsonl")
    return [record for _, record in chained_log.records(log)]


def test_nothing_is_known_before_the_first_account(home):
    assert read_standings(home, "demo") == {}


def test_a_poor_symbol_is_disabled_and_the_change_is_logged_once(home):
    told = account(skill("SOLUSDT", 0.44), skill("BTCUSDT", 0.7))

    found = update_standings(told, "7", home, NOW)
    again = update_standings(told, "7", home, LATER)

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
    told = account(skill("SOLUSDT", 0.44))
    update_standings(told, "7", home, NOW)
    before = standings_file(home, "demo").stat()

    update_standings(told, "7", home, LATER)

    after = standings_file(home, "demo").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    "row",
    [
        skill("SOLUSDT", 0.44, side="long"),
        skill("SOLUSDT", 0.44, horizon_h=24),
        skill("SOLUSDT", 0.44, window="30d"),
        skill("SOLUSDT", 0.44, model="any"),
        skill("SOLUSDT", 0.44, model="6"),
        skill("SOLUSDT", 0.44, onsets=9),
        skill("SOLUSDT", None),
        skill("all", 0.44),
    ],
)
def test_only_the_champions_whole_record_of_a_symbol_disables_it(home, row):
    found = update_standings(account(row), "7", home, NOW)

    assert all(one.enabled for one in found.values())


def test_a_person_enables_and_the_next_champion_lets_it_be_judged_again(home):
    update_standings(account(skill("SOLUSDT", 0.44)), "7", home, NOW)

    done = enable_symbol("demo", "SOLUSDT", home, by="Ada", reason="a feed was wrong", now=LATER)
    by_hand = update_standings(account(skill("SOLUSDT", 0.4)), "7", home, LATER)
    new = update_standings(account(skill("SOLUSDT", 0.4, model="8")), "8", home, LATER)

    assert done.changed
    assert done.standing.reason == "enabled by Ada: a feed was wrong"
    assert by_hand["SOLUSDT"] == done.standing
    assert not new["SOLUSDT"].enabled
    assert len(lines(home)) == 3


def test_what_is_scored_already_need_not_be_enabled_and_a_stranger_cannot_be(home):
    update_standings(account(skill("BTCUSDT", 0.7)), "7", home, NOW)

    done = enable_symbol("demo", "BTCUSDT", home, by="Ada", reason="why not", now=LATER)

    assert not done.changed
    assert done.standing.since == NOW
    with pytest.raises(ConfigError, match="XRPUSDT has no standing in panel 'demo', known are: BT"):
        enable_symbol("demo", "XRPUSDT", home, by="Ada", reason="why not", now=LATER)


def test_killed_between_log_and_file_the_next_update_puts_the_file_right(home, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    told = account(skill("SOLUSDT", 0.44))
    with monkeypatch.context() as patch:
        patch.setattr(standings, "write_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            update_standings(told, "7", home, NOW)

    assert not read_standings(home, "demo")["SOLUSDT"].enabled  # the log has it
    assert update_standings(told, "7", home, LATER)["SOLUSDT"].since == NOW
    assert read_standings(home, "demo")["SOLUSDT"].since == NOW
    assert len(lines(home)) == 1


def test_an_edited_log_is_found(home):
    update_standings(account(skill("SOLUSDT", 0.44)), "7", home, NOW)
    log = standings_file(home, "demo").with_suffix(".jsonl")
    log.write_bytes(log.read_bytes().replace(b'"enabled":false', b'"enabled":true '))

    with pytest.raises(AuditError, match="is not"):
        update_standings(account(), "7", home, LATER)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"schema":"liqwarn.standings/1"}'])
def test_an_unreadable_file_is_never_read_as_no_standings(home, content):
    path = standings_file(home, "demo")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    with pytest.raises(StoreError, match="no standings of panel 'demo'"):
        read_standings(home, "demo")


def test_the_file_of_another_panel_is_refused(home):
    update_standings(account(skill("SOLUSDT", 0.44)), "7", home, NOW)
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
            told = account(skill("SOLUSDT", high, onsets=onsets, model=champion))
            known = update_standings(told, champion, home, now)
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
