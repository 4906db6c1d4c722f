"""A flag history asked as of a moment."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from histories import history, joined
from liqwarn_freqtrade.gates import allows
from liqwarn_freqtrade.history import read_history
from market import START
from runs import POLICY

from liqwarn.errors import LiqwarnError, PolicyError

HOUR = timedelta(hours=1)


@pytest.fixture
def gate(tmp_path):
    def make(table, **options):
        path = tmp_path / "flags.parquet"
        table.to_parquet(path, index=False, write_page_checksum=True)
        return read_history(path, POLICY, **options)

    return make


def test_only_a_bar_that_has_closed_is_known(gate):
    asked = gate(joined(history(hours=2), history("T4", first=2, hours=2)))
    assert not allows(asked.ask("BTCUSDT", "long", START - timedelta(microseconds=1)))
    assert allows(asked.ask("BTCUSDT", "long", START))
    assert allows(asked.ask("BTCUSDT", "long", START + 2 * HOUR - timedelta(microseconds=1)))
    turned = asked.ask("BTCUSDT", "long", START + 2 * HOUR)
    assert (turned.tier, turned.state, turned.fresh, turned.new_risk) == (
        4,
        "REDUCING",
        True,
        False,
    )


def test_a_flag_ends_with_its_validity(gate):
    asked = gate(history("T1", hours=1))
    last = START + timedelta(minutes=70) - timedelta(microseconds=1)
    assert allows(asked.ask("BTCUSDT", "long", last))
    late = asked.ask("BTCUSDT", "long", START + timedelta(minutes=70))
    assert (late.fresh, late.new_risk, late.quality, late.tier) == (False, False, "stale", 2)
    later = asked.ask("BTCUSDT", "long", START + timedelta(minutes=130))
    assert (later.tier, later.state, later.reason) == (3, "REDUCING", "expired 60 min ago")


def test_an_expired_flag_is_never_looser_than_it_was(gate):
    late = gate(history("T4", hours=1)).ask("BTCUSDT", "long", START + 2 * HOUR)
    assert (late.tier, late.collar_frac) == (4, 0.01)


def test_no_flag_is_valid_for_longer_than_a_day(gate):
    asked = gate(history(hours=1, valid_until=START + timedelta(days=400)))
    assert allows(asked.ask("BTCUSDT", "long", START + 23 * HOUR))
    assert not allows(asked.ask("BTCUSDT", "long", START + 24 * HOUR))


def test_limits_are_the_stricter_of_both_sides(gate):
    table = history(hours=1)
    table.loc[table["side"] == "short", ["tier", "state"]] = ["T3", "REDUCING"]
    asked = gate(table)
    long, short = (asked.ask("BTCUSDT", side, START) for side in ("long", "short"))
    assert (long.new_risk, long.leverage_frac, long.order_size_frac) == (True, 0.5, 1.0)
    assert (short.new_risk, short.add_frac, short.post_only) == (False, 0.0, True)


def test_the_state_counts_even_when_the_tier_is_mild(gate):
    decision = gate(history("T1", hours=1, state="REDUCING")).ask("BTCUSDT", "long", START)
    assert (decision.new_risk, decision.add_frac) == (False, 0.0)


@pytest.mark.parametrize("quality", ["stale", "unknown", "nonsense"])
def test_a_flag_of_no_use_denies(gate, quality):
    assert not allows(gate(history(hours=1, quality=quality)).ask("BTCUSDT", "long", START))


def test_a_lower_sequence_denies(gate):
    first = history(hours=1, sequence=10)
    second = history(first=1, hours=1, sequence=9)
    asked = gate(joined(first, second))
    assert allows(asked.ask("BTCUSDT", "long", START))
    assert not allows(asked.ask("BTCUSDT", "long", START + HOUR))


def test_half_a_flag_denies(gate):
    table = history(hours=2)
    table = table[~((table["side"] == "short") & (table["as_of"] > START))]
    asked = gate(table)
    assert allows(asked.ask("BTCUSDT", "long", START))
    assert not allows(asked.ask("BTCUSDT", "long", START + HOUR))


def test_an_unknown_symbol_denies(gate):
    decision = gate(history(hours=1)).ask("XRPUSDT", "long", START)
    assert (decision.fresh, decision.quality) == (False, "unknown")


def test_delay_is_time_in_which_a_flag_cannot_be_read(gate):
    asked = gate(history(hours=1), delay=timedelta(seconds=30))
    assert not allows(asked.ask("BTCUSDT", "long", START + timedelta(seconds=29)))
    assert allows(asked.ask("BTCUSDT", "long", START + timedelta(seconds=30)))


def test_any_unit_of_time_is_read_as_the_same_moment(gate):
    table = history(hours=3)
    for unit in ("s", "ms", "us", "ns"):
        cast = table.assign(
            as_of=pd.to_datetime(table["as_of"]).dt.as_unit(unit),
            valid_until=pd.to_datetime(table["valid_until"]).dt.as_unit(unit),
        )
        decision = gate(cast).ask("BTCUSDT", "long", START + HOUR)
        assert decision.as_of_s == (START + HOUR).timestamp()


def test_rows_may_be_in_any_order(gate):
    table = joined(history(hours=2), history("T4", first=2, hours=2)).sample(frac=1, random_state=3)
    assert gate(table).ask("ETHUSDT", "short", START + 3 * HOUR).tier == 4


def test_a_moment_without_a_timezone_is_an_error(gate):
    with pytest.raises(TypeError, match="offset"):
        gate(history(hours=1)).ask("BTCUSDT", "long", datetime(2025, 3, 1))  # noqa: DTZ001


def test_faulty_histories_are_refused(gate, tmp_path):
    with pytest.raises(PolicyError, match="lacks \\['tier'\\]"):
        gate(history(hours=1).drop(columns="tier"))
    with pytest.raises(PolicyError, match="tier 'T9', expected T0 to T5"):
        gate(history("T9", hours=1))
    with pytest.raises((LiqwarnError, OSError), match="absent"):
        read_history(tmp_path / "absent.parquet", POLICY)
