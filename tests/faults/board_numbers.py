"""Flags whose every field follows from one number, and a process that writes them.

As a program: ``board_numbers.py BOARD START_NS DEADLINE_NS [halves]``. It writes until it is
killed; with ``halves`` it gives up its turn in the middle of every payload.
"""

import hashlib
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liqwarn.board import BoardWriter
from liqwarn.decisions import (
    Flag,
    Limits,
    ModelStamp,
    PolicyStamp,
    Restriction,
    Tier,
    TradingState,
)

SYMBOLS = ["BTCUSDT", "ETHUSDT"]


def side(n):
    share = n % 101 / 100
    return Restriction(
        tier=Tier(n % 5),
        state=TradingState.ACTIVE,
        limits=Limits(
            leverage_frac=share,
            order_size_frac=share,
            add_frac=share,
            collateral_buffer_mult=1 + share,
            max_participation_frac=share,
            post_only=n % 2 == 1,
            collar_frac=share,
        ),
        probability={1: share, 4: share, 24: share},
        reasons=(),
    )


def flag(symbol, n, start_ns):
    """The n-th flag; `start_ns` is a whole number of seconds."""
    as_of = datetime.fromtimestamp(start_ns // 10**9, tz=UTC)
    digest = hashlib.sha256(str(n % 1000).encode()).hexdigest()
    return Flag(
        symbol=symbol,
        as_of=as_of,
        issued_at=as_of + timedelta(microseconds=n),
        valid_until=as_of + timedelta(hours=12, microseconds=n),
        sequence=start_ns // 10**9 + n % 80_000,
        quality="ok",
        sides={"long": side(n), "short": side(n + 1)},
        model=ModelStamp(version="1", sha256=digest),
        policy=PolicyStamp(version="1", sha256=digest),
        data_sha256=digest,
        completeness=n % 1000 / 1000,
    )


def fault(found, start_ns, deadline_ns):
    """What of a board's flag does not follow from its number; None when all of it does."""
    n = (found.issued_at_ns - start_ns) // 1000
    digest = hashlib.sha256(str(n % 1000).encode()).hexdigest()[:32]
    expected = {
        "valid_until_ns": start_ns + 12 * 3600 * 10**9 + n * 1000,
        "sequence": start_ns // 10**9 + n % 80_000,
        "deadline_ns": deadline_ns + n,
        "completeness": n % 1000 / 1000,
        "sides": {
            name: Restriction(
                tier=given.tier,
                state=given.state,
                limits=given.limits,
                probability=given.probability,
                reasons=(),
            )
            for name, given in (("long", side(n)), ("short", side(n + 1)))
        },
        "model": digest,
        "policy": digest,
        "data": digest,
    }
    return next((name for name, value in expected.items() if getattr(found, name) != value), None)


class InHalves(BoardWriter):
    """Lets others run in the middle of every payload."""

    def _put(self, at, content):
        if len(content) > 100:
            super()._put(at, content[:200])
            time.sleep(0)
            super()._put(at + 200, content[200:])
        else:
            super()._put(at, content)


def write_for_ever(path, start_ns, deadline_ns, kind=BoardWriter):
    board = kind.create(path, SYMBOLS)
    first = (time.time_ns() - start_ns) // 1000 % 10**9  # above what the last writer wrote
    made = [(n, flag(name, n, start_ns)) for n in range(first, first + 500) for name in SYMBOLS]
    while True:
        for n, ready in made:
            board.write(ready, deadline_ns=deadline_ns + n)


if __name__ == "__main__":
    kind = InHalves if "halves" in sys.argv else BoardWriter
    write_for_ever(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), kind)
