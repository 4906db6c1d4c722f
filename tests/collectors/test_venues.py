"""Every venue by its name."""

import re

import pytest

from liqwarn.collectors.happenings import KINDS
from liqwarn.collectors.venues import TAPED, VENUES, venues_with
from liqwarn.errors import ConfigError

SOMEBODY = "0x" + "Ab" * 20


def test_accounts_to_follow_are_those_given_else_the_known_vaults():
    given = venues_with(watched=[SOMEBODY], liquidators=[SOMEBODY])["hyperliquid"]

    assert given.watched == given.liquidators == (SOMEBODY.lower(),)
    assert dict(venues_with()) == dict(VENUES)
    with pytest.raises(ConfigError, match="found account 'x', expected 0x and 40"):
        venues_with(watched=["x"])


def test_a_tape_is_read_whatever_accounts_were_followed():
    assert list(TAPED) == list(VENUES)
    assert TAPED["hyperliquid"].anybody
    assert not VENUES["hyperliquid"].anybody


def test_bybit_and_hyperliquid_are_there():
    assert {"bybit", "hyperliquid"} <= set(VENUES)


@pytest.mark.parametrize("name", VENUES)
def test_a_venue_keeps_to_what_venues_promise(name):
    venue = VENUES[name]
    lines = venue.lines(["BTCUSDT", "ETHUSDT"], frozenset(KINDS))
    polls = venue.polls(["BTCUSDT", "ETHUSDT"], frozenset(KINDS))
    names = [each.name for each in (*lines, *polls)]

    assert venue.name == name
    assert venue.sockets.startswith("wss://")
    assert venue.http.startswith("https://")
    assert venue.kinds <= set(KINDS)
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9-]+", each) for each in names)
    assert all(line.silence_s > line.ping_every_s for line in lines if line.ping)
    assert re.search(r"20\d\d", venue.completeness.note)
