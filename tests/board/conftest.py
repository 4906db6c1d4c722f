"""A flag and a board."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from liqwarn.board import BoardWriter
from liqwarn.board.clocks import SYSTEM_CLOCKS
from liqwarn.decisions import (
    Flag,
    Limits,
    ModelStamp,
    PolicyStamp,
    Restriction,
    Tier,
    TradingState,
)

LONG = Restriction(
    tier=Tier.T2,
    state=TradingState.ACTIVE,
    limits=Limits(
        leverage_frac=0.5,
        order_size_frac=0.75,
        add_frac=0.25,
        collateral_buffer_mult=1.5,
        max_participation_frac=0.05,
    ),
    probability={1: 0.1, 4: 1 / 3, 24: 0.7},
    reasons=("By hand.",),
)
SHORT = Restriction(
    tier=Tier.T5,
    state=TradingState.HALTED,
    limits=Limits(
        add_frac=0.0, net_increase=False, post_only=True, collar_frac=0.01, cancel_increasing=True
    ),
    probability={},
    reasons=(),
)


@pytest.fixture(scope="session")
def make_flag():
    start = datetime.now(UTC)

    def make(symbol="BTCUSDT", *, later=0, **changes):
        as_of = start - timedelta(seconds=30) + timedelta(seconds=later)
        flag = Flag(
            symbol=symbol,
            as_of=as_of,
            issued_at=as_of + timedelta(seconds=1),
            valid_until=as_of + timedelta(minutes=70),
            sequence=int(as_of.timestamp()),
            quality="ok",
            sides={"long": LONG, "short": SHORT},
            model=ModelStamp(version="1", sha256="ab" * 32),
            policy=PolicyStamp(version="1", sha256="cd" * 32),
            data_sha256="no hash",
            completeness=0.875,
        )
        return replace(flag, **changes)

    return make


def in_an_hour():
    return SYSTEM_CLOCKS.boot_ns() + 3600 * 10**9


@pytest.fixture
def deadline():
    return in_an_hour()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "liqwarn.board"


@pytest.fixture
def board(path):
    """A writer with two symbols and no flag yet."""
    with BoardWriter.create(path, ["BTCUSDT", "ETHUSDT"]) as writer:
        yield writer
