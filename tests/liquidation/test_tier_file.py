"""A tier file is checked whole: all faults at once, each with its place."""

import pytest

from liqwarn.errors import ConfigError
from liqwarn.liquidation.tier_file import parse_tiers


def entry(**changed):
    sound = {
        "symbols": ["*"],
        "contract": "linear",
        "effective": "2024-01-01",
        "source": "a test",
        "tiers": [{"cap": 1e4, "rate": 0.01, "leverage": 50}, {"rate": 0.02, "leverage": 25}],
    }
    return sound | changed


def content(*tables, **changed):
    return {
        "schema": "liqwarn.margin_tiers/1",
        "venue": "binance",
        "tables": list(tables),
    } | changed


def faults(raw):
    with pytest.raises(ConfigError, match="margin tiers have") as told:
        parse_tiers(raw)
    return str(told.value).splitlines()[1:]


def test_a_sound_file():
    venue = parse_tiers(content(entry(), entry(symbols=["BTCUSDT"], effective=None)))
    assert venue.venue == "binance"
    assert [tier.amount for tier in venue.default.tiers] == [0.0, 100.0]
    assert venue.tables[0].effective is None


def test_every_fault_of_every_table_is_named_at_once():
    found = faults(
        content(
            entry(sauce="x", fee_rate=2.0),
            entry(symbols=["A"], tiers=[{"cap": 1e4, "rate": 0.01, "levrage": 3}]),
            entry(symbols=["B"], tiers=[{"cap": 1e4, "rate": 0.02}, {"cap": 1e3, "rate": 0.01}]),
            7,
            vanue="okx",
        )
    )
    assert found == [
        "- vanue: unknown key, did you mean 'venue'?",
        "- tables[0].fee_rate: found 2.0. Input should be less than 1",
        "- tables[0].sauce: unknown key, did you mean 'source'?",
        "- tables[1].tiers[0].levrage: unknown key, did you mean 'leverage'?",
        "- tables[2]: binance B linear 2024-01-01: tier 2 has cap 1,000, expected above 10,000",
        "- tables[2]: binance B linear 2024-01-01: tier 2 has rate 0.01, expected above 0.02",
        "- tables[3]: found 7, expected keys and values",
    ]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ({}, "- schema: required and missing"),
        (content(entry(), venue="Binance!"), "- venue: found 'Binance!'"),
        (content(entry(), schema="other/2"), "- schema: found 'other/2'"),
        (content(entry(), tables=[]), "- tables: found []"),
        (content(entry(effective="soon")), "- tables[0].effective: found 'soon'"),
        (content(entry(symbols=["A"])), "- tables: found 0 with symbols ['*'], expected one"),
        (content(entry(), entry()), "- tables: found 2 with symbols ['*'], expected one default"),
        (
            content(entry(tiers=[{"rate": 0.01}, {"rate": 0.02}])),
            "- tables[0]: a tier before the last has no cap",
        ),
        (
            content(entry(), entry(symbols=["A", "A"])),
            "- tables: binance A,A linear 2024-01-01: a second table of A",
        ),
        (
            content(entry(tiers=[{"cap": 1e4, "rate": 0.01}, {"rate": 0.02, "amount": 90}])),
            "- tables[0]: binance * linear 2024-01-01: tier 2 has amount 90, expected 100",
        ),
        (
            content(
                entry(measure="coins", tiers=[{"cap": 9, "rate": 0.1}, {"rate": 0.2, "amount": 1}])
            ),
            "- tables[0]: binance * linear 2024-01-01: tier 2 has amount 1, expected 0",
        ),
    ],
)
def test_one_fault(raw, fault):
    assert any(line.startswith(fault) for line in faults(raw)), faults(raw)
