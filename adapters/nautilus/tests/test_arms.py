"""The table of the README: the same trader and day under flags of every kind."""

import re
from pathlib import Path

import pytest
from arms import ARMS, FOUR, NOON, table
from market import BAR, START, every_bar, flag, run

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def outcomes():
    return {key: arm.run() for key, arm in ARMS.items()}


def test_normal_flags_change_no_fill(outcomes):
    assert outcomes["normal"].trader.fills == outcomes["without"].trader.fills
    assert len(outcomes["normal"].trader.fills) > 100
    assert outcomes["normal"].denied == 0


def test_two_runs_are_equal(outcomes):
    again = ARMS["restrict"].run()

    assert again.trader.fills == outcomes["restrict"].trader.fills
    assert again.trader.denials == outcomes["restrict"].trader.denials
    assert again.states == outcomes["restrict"].states


def test_caution_denies_nothing_and_halves_what_is_asked(outcomes):
    trader = outcomes["caution"].trader

    assert outcomes["caution"].denied == 0
    assert trader.guard_counts["resized"] > 0
    first_asked, first_full = trader.fills[0], outcomes["without"].trader.fills[0]
    assert float(first_asked[2]) == float(first_full[2]) / 2  # add_frac of T2


@pytest.mark.parametrize("key", ["restrict", "reduce", "operator"])
def test_no_new_risk_denies_entries_and_lets_every_exit_pass(outcomes, key):
    outcome = outcomes[key]
    inside = [f for f in outcome.trader.fills if START + NOON <= f[0] < START + FOUR]

    assert outcome.trader.denied_entries > 0
    assert outcome.trader.denied_exits == 0
    assert inside, "the day holds no exit inside the spell"
    assert [name for _, name, _ in outcome.states] == [
        "REDUCING",  # before the first flag
        "ACTIVE",
        "REDUCING",
        "ACTIVE",
        "REDUCING",  # the actor has stopped
    ]


def test_one_restricted_side_leaves_the_other_and_the_engine_alone(outcomes):
    outcome = outcomes["long"]

    assert set(outcome.trader.denials) == {"LIQWARN: long side of BTCUSDT is at T3, REDUCING"}
    assert any(side == "sell" for _, side, _, _ in outcome.trader.fills)
    assert "REDUCING" not in [name for _, name, why in outcome.states if "is at T3" in why]


def test_flags_that_stop_end_in_no_new_risk_when_their_validity_does(outcomes):
    outcome = outcomes["stale"]
    last = START + NOON - BAR
    denied_from = min(at for at, name, why in outcome.states if "stale" in why and name)

    assert denied_from - (last + BAR + 600 * 1_000_000_000) <= 10 * 1_000_000_000  # one watch
    assert [name for _, name, why in outcome.states if "stale" in why] == ["REDUCING"]
    assert outcome.trader.denied_entries > 0
    assert outcome.trader.denied_exits == 0


def test_without_any_flag_nothing_opens(outcomes):
    assert outcomes["missing"].trader.fills == []
    assert set(outcomes["missing"].trader.denials) == {"LIQWARN: no flag yet"}


def test_a_lower_sequence_is_refused_and_the_flag_runs_out(outcomes):
    outcome = outcomes["lower"]

    assert outcome.actor.book.refused["lower sequence"] == 144
    assert outcome.trader.fills == outcomes["stale"].trader.fills


def test_only_an_operator_halts_and_a_halted_engine_blocks_exits(outcomes):
    halted = outcomes["halted"]

    inside = [f for f in halted.trader.fills if START + NOON <= f[0] < START + FOUR]
    assert inside == []
    assert halted.trader.denied_exits > 0
    assert halted.trader.denials["TradingState.HALTED"] >= halted.trader.denied_exits
    never = [o for key, o in outcomes.items() if key != "halted"]
    assert all(name != "HALTED" for o in never for _, name, _ in o.states)


def test_a_flag_issued_later_has_no_effect_on_an_order_before():
    normal = every_bar()
    issued = START + NOON + 7 * 60 * 1_000_000_000
    late = flag(START + NOON, 4, 4, delay=7 * 60 * 1_000_000_000)
    strict = [flag(f.ts_event, 4, 4) for f in normal if f.ts_event > START + NOON + BAR]
    altered = [f for f in normal if f.ts_event < START + NOON] + [late] + strict

    without, found = run(normal), run(sorted(altered, key=lambda f: f.ts_init))

    before = [f for f in without.trader.fills if f[0] < issued]
    after = [f for f in found.trader.fills if f[0] >= issued]
    assert [f for f in found.trader.fills if f[0] < issued] == before
    assert before[-1][0] >= START + NOON, "no order between the bar's close and the issue"
    assert after != [f for f in without.trader.fills if f[0] >= issued]


def test_the_table_of_the_readme_is_what_the_runs_give():
    text = README.read_text()
    shown = re.search(r"<!-- arms -->\n(.*?)\n<!-- /arms -->", text, re.DOTALL)

    assert shown is not None
    assert shown[1] == table()
