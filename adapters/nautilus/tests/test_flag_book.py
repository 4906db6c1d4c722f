"""Which flags are taken, and what they say when."""

from market import BAR, MINUTE, START, SYMBOL, flag

from liqwarn_nautilus.actor import wanted_state
from liqwarn_nautilus.flag import LiqwarnFlag
from liqwarn_nautilus.flag_book import FlagBook


def book_with(*flags, now=START):
    book = FlagBook([SYMBOL])
    return book, [book.take(f, now) for f in flags]


def test_a_missing_flag_means_no_new_risk():
    verdict = FlagBook([SYMBOL]).verdict(SYMBOL, "long", START)

    assert (verdict.new_risk, verdict.tier, verdict.state) == (False, 3, "REDUCING")
    assert verdict.limits.add_frac == 0


def test_a_flag_is_valid_until_it_is_not():
    book, _ = book_with(flag(START, 0, 2))
    end = START + BAR + 10 * MINUTE

    assert book.verdict(SYMBOL, "long", end - 1).new_risk
    expired = book.verdict(SYMBOL, "long", end)
    assert (expired.new_risk, expired.fresh, expired.state) == (False, False, "REDUCING")


def test_age_alone_never_halts_and_never_lifts_a_halt():
    halted, _ = book_with(flag(START, 5, 5, halted=True))
    tiers = [
        book_with(flag(START, t, t))[0].verdict(SYMBOL, "long", START + 10 * BAR) for t in range(6)
    ]

    assert {v.state for v in tiers} == {"REDUCING"}
    assert [v.tier for v in tiers] == [3, 3, 3, 3, 4, 5]
    assert halted.verdict(SYMBOL, "long", START + 10 * BAR).state == "HALTED"


def test_what_is_refused_leaves_the_flag_before_in_force():
    early, late = flag(START, 4, 4), flag(START + BAR)
    book, refusals = book_with(early, late, now=START)

    assert refusals == [None, "issued in the future"]
    assert not book.verdict(SYMBOL, "long", START).new_risk

    book, refusals = book_with(late, early, now=START + BAR)
    assert refusals == [None, "lower sequence"]
    assert book.verdict(SYMBOL, "long", START + BAR).new_risk


def test_flags_of_other_symbols_are_left_out():
    book = FlagBook(["ETHUSDT"])

    assert book.take(flag(START), START) == "symbol not watched"


def test_the_engine_is_only_reduced_when_no_side_may_grow():
    def state(long, short, scope="book", halt="REDUCING", *, halted=False):
        book, _ = book_with(flag(START, long, short, halted=halted))
        return wanted_state(book.verdicts(START), scope=scope, operator_halt=halt)[0].name

    assert state(0, 0) == state(4, 0) == state(2, 2) == "ACTIVE"
    assert state(3, 3) == "REDUCING"
    assert state(4, 0, scope="any") == "REDUCING"
    assert state(5, 5) == state(5, 5, halt="HALTED") == "REDUCING"  # T5 by an integrity failure
    assert state(5, 5, halted=True) == "REDUCING"
    assert state(5, 5, halt="HALTED", halted=True) == "HALTED"


def test_a_flag_goes_to_plain_values_and_back():
    given = flag(START, 4, 1, delay=MINUTE)
    found = LiqwarnFlag.from_dict(given.to_dict())

    assert found.to_dict() == given.to_dict()
    assert (found.ts_event, found.ts_init) == (START, START + MINUTE)
