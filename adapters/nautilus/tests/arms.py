"""The arms: the same seeded trader and day, with flags of every kind; and their table.

``python tests/arms.py`` writes the table of the README.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from market import BAR, MINUTE, START, Outcome, every_bar, flag, run

NOON = 12 * 60 * MINUTE
FOUR = 16 * 60 * MINUTE
DAY = 24 * 60 * MINUTE


def spell(long: int, short: int, *, halted: bool = False) -> list:
    """Normal flags, but for 12:00 to 16:00."""
    return [
        flag(START + t, long, short, halted=halted) if NOON <= t < FOUR else flag(START + t)
        for t in range(0, DAY, BAR)
    ]


def lower_sequence() -> list:
    """From noon on the flags are T0 still, with sequences of long ago."""
    return [flag(START + t, sequence=1 if t >= NOON else None) for t in range(0, DAY, BAR)]


@dataclass(frozen=True)
class Arm:
    """A name and a run."""

    name: str
    run: Callable[[], Outcome]


ARMS = {
    key: Arm(name, go)
    for key, name, go in [
        ("without", "without the adapter", lambda: run(None)),
        ("normal", "T0 all day", lambda: run(every_bar())),
        ("watch", "T1 both sides, all day", lambda: run(every_bar(1, 1))),
        ("caution", "T2 both sides, all day", lambda: run(every_bar(2, 2))),
        ("long", "T3 long side, all day", lambda: run(every_bar(3, 0))),
        ("restrict", "T3 both sides, 12–16 h", lambda: run(spell(3, 3))),
        ("reduce", "T4 both sides, 12–16 h", lambda: run(spell(4, 4))),
        ("stale", "T0, none after 12:00", lambda: run(every_bar(until=NOON))),
        ("missing", "no flag from the start", lambda: run([])),
        ("lower", "T0, lower sequence after 12:00", lambda: run(lower_sequence())),
        (
            "operator",
            "T5 by an operator, 12–16 h (exits open)",
            lambda: run(spell(5, 5, halted=True)),
        ),
        (
            "halted",
            "T5 by an operator, 12–16 h (engine HALTED)",
            lambda: run(spell(5, 5, halted=True), operator_halt="HALTED"),
        ),
    ]
}


def row(arm: Arm) -> str:
    """One line of the table."""
    found = arm.run()
    trader = found.trader
    outs = sum(what == "out" for _, what in trader.asked)
    cells = [
        arm.name,
        len(trader.asked) - outs,
        trader.denied_entries,
        outs,
        trader.denied_exits,
        getattr(trader, "guard_counts", {}).get("resized", 0),
        len(trader.fills),
        trader.closed,
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def table() -> str:
    """All arms, in Markdown."""
    names = ["flags", "entries asked", "denied", "exits asked", "denied", "made smaller"]
    head = "| " + " | ".join([*names, "fills", "positions closed"]) + " |"
    return "\n".join([head, "|---|" + "---:|" * 7, *(row(arm) for arm in ARMS.values())])


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
