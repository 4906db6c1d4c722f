"""Who was disabled behind which bar is on record, and says the same after any restart."""

import runpy
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn import chained_log
from liqwarn.errors import StoreError
from liqwarn.models.skill_floor import Standing
from liqwarn.serving.live_standings import STANDINGS, LiveStandings

LIVE = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("live_given.py"))))
HOUR = timedelta(hours=1)
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


def off(since, champion="7", reason="too low"):
    return Standing(enabled=False, champion=champion, since=since, reason=reason)


class Ledger:
    """Standings as another process changes them."""

    def __init__(self):
        self.now = {}

    def __call__(self):
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


@pytest.fixture
def begun(tmp_path):
    ledger, watch = Ledger(), LIVE.Told()

    def make():
        return LiveStandings(tmp_path, ledger, watch)

    return make, ledger, watch


def test_nobody_is_disabled_before_a_change_and_somebody_after_it(begun, noon):
    make, ledger, watch = begun
    one = make()
    one.renew(noon)
    ledger.now = {
        "DOGEUSDT": off(noon),
        "BTCUSDT": Standing(enabled=True, champion="7", since=noon),
    }
    one.renew(noon + HOUR)

    assert one.at(noon + HOUR) == {}
    assert one.at(noon + 2 * HOUR) == {"DOGEUSDT": off(noon)} == one.at(noon + 99 * HOUR)
    assert watch.calls == [("standings", {}, {"DOGEUSDT": off(noon)})]


def test_what_did_not_change_is_not_written_again(begun, noon, tmp_path):
    make, ledger, _ = begun
    one = make()
    ledger.now = {"DOGEUSDT": off(noon)}
    for hours in range(5):
        one.renew(noon + hours * HOUR)

    assert len(list(chained_log.records(tmp_path / STANDINGS))) == 1


@pytest.mark.parametrize(
    "told",
    [{"DOGEUSDT": Standing(enabled=True, champion="8", since=NOON)}, {}],
    ids=["the next champion's", "gone"],
)
def test_a_symbol_stays_disabled_under_the_model_that_is_still_served(begun, noon, told):
    make, ledger, watch = begun
    one = make()
    ledger.now = {"DOGEUSDT": off(noon)}
    one.renew(noon)
    ledger.now = told
    one.renew(noon + HOUR)

    assert one.at(noon + 2 * HOUR) == {"DOGEUSDT": off(noon)}
    assert watch.names() == ["standings"]


def test_a_symbol_that_is_enabled_under_the_same_champion_is_scored_again(begun, noon):
    make, ledger, _ = begun
    one = make()
    ledger.now = {"DOGEUSDT": off(noon)}
    one.renew(noon)
    ledger.now = {"DOGEUSDT": Standing(enabled=True, champion="7", since=noon, by_hand=True)}
    one.renew(noon + HOUR)

    assert one.at(noon + 2 * HOUR) == {}


def test_a_file_that_cannot_be_read_changes_nothing(begun, noon):
    make, ledger, watch = begun
    one = make()
    ledger.now = {"DOGEUSDT": off(noon)}
    one.renew(noon)
    ledger.now = StoreError("no standings")
    one.renew(noon + HOUR)

    assert one.at(noon + 2 * HOUR) == {"DOGEUSDT": off(noon)}
    assert watch.names() == ["standings", "failed"]


def test_a_journal_that_cannot_be_written_puts_nothing_in_force(begun, noon, monkeypatch):
    make, ledger, watch = begun
    one = make()
    ledger.now = {"DOGEUSDT": off(noon)}
    with monkeypatch.context() as patch:
        patch.setattr(chained_log, "write_json", lambda *_: (_ for _ in ()).throw(OSError("full")))
        one.renew(noon)
    assert one.at(noon + HOUR) == {}
    assert watch.names() == ["failed"]

    one.renew(noon + HOUR)  # there is room again

    assert one.at(noon + 2 * HOUR) == {"DOGEUSDT": off(noon)} == make().at(noon + 2 * HOUR)


def test_a_journal_that_was_edited_is_a_fault(begun, noon, tmp_path):
    make, ledger, _ = begun
    ledger.now = {"DOGEUSDT": off(noon)}
    make().renew(noon)
    path = tmp_path / STANDINGS
    path.write_bytes(path.read_bytes().replace(b"DOGEUSDT", b"DOGEUSDC"))

    assert "line 1 is not the one its head knows" in make().fault


def test_a_line_of_something_else_is_a_fault(begun, tmp_path):
    make, *_ = begun
    head = tmp_path / "standings.head.json"
    chained_log.append_records(tmp_path / STANDINGS, head, [{"disabled": 7}])

    assert "line 1 says no standings" in make().fault


changes = st.dictionaries(
    st.sampled_from(["BTCUSDT", "DOGEUSDT"]), st.sampled_from(["7", "8"]), max_size=2
)
steps = st.lists(st.one_of(st.just("bar"), st.just("kill"), changes), max_size=12)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_every_bar_has_after_any_kills_who_was_disabled_when_it_was_taken(steps):
    with tempfile.TemporaryDirectory() as folder:
        ledger, taken, now = Ledger(), {}, NOON
        one = LiveStandings(Path(folder), ledger, LIVE.Told())
        for step in steps:
            if step == "bar":
                one.renew(now)
                now += HOUR
                taken[now] = one.at(now)
            elif step == "kill":
                one = LiveStandings(Path(folder), ledger, LIVE.Told())
            else:
                ledger.now = {name: off(now, champion) for name, champion in step.items()}
        again = LiveStandings(Path(folder), ledger, LIVE.Told())
        assert {close: again.at(close) for close in taken} == taken
