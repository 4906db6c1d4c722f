"""The gate: every way to be bad is refused, a tie keeps the champion, the better one passes."""

import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from liqwarn.models import gate
from liqwarn.models.gate import (
    ENOUGH,
    ENOUGH_COMPARED,
    RULES,
    Dates,
    Difference,
    LeftOut,
    Sample,
    SideEvidence,
    judge,
)

CHALLENGERS = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "gate_challengers.py"))

NAN = float("nan")
BETTER = Difference(mean=0.02, low=0.01, high=0.03)
TIE = Difference(mean=0.001, low=-0.01, high=0.012)
WORSE = Difference(mean=-0.02, low=-0.03, high=-0.01)
UNKNOWN = Difference(mean=NAN, low=NAN, high=NAN)
DAY = datetime(2026, 5, 1, tzinfo=UTC)
FRESH = Dates(now=DAY, trained_until=DAY, tested_until=DAY)
GOOD = SideEvidence(
    side="long",
    sample=ENOUGH,
    not_finite=0,
    tied_frac=0.01,
    versus_har=BETTER,
    brier_skill_vs_har=0.02,
    calibration_slope=1.05,
    level_ratio=0.9,
    roc_auc=0.8,
    nearest_roc_auc=0.85,
    edge_roc_auc=0.6,
    compared=ENOUGH_COMPARED,
    versus_champion=BETTER,
    left_out=LeftOut(symbol="SOLUSDT", rest=BETTER),
)
FAULTS = [
    ("sample", {"sample": Sample(onsets=29, weeks=8)}, "too few: 29 onsets in 8 weeks, expected"),
    ("sample", {"sample": Sample(onsets=99, weeks=7)}, "too few: 99 onsets in 7 weeks"),
    ("sample", {"sample": Sample(onsets=1, weeks=1)}, "too few: 1 onset in 1 week, expected"),
    ("finite", {"not_finite": 3}, "3 scores are not finite"),
    ("constant", {"tied_frac": 0.5}, "constant: 50 % of the rows"),
    ("constant", {"tied_frac": NAN}, "constant"),
    ("inverted", {"roc_auc": 0.49}, "inverted: ROC-AUC is 0.490"),
    ("inverted", {"roc_auc": NAN}, "not measured: ROC-AUC, expected 0.5 at least"),
    ("too near", {"nearest_roc_auc": 0.96}, "a leak: ROC-AUC right before onsets is 0.960"),
    ("too near", {"nearest_roc_auc": NAN}, "not measured: ROC-AUC right before onsets"),
    ("too sharp", {"edge_roc_auc": 0.86}, "a leak: ROC-AUC at the edge of the horizon is 0.860"),
    ("too sharp", {"edge_roc_auc": NAN}, "not measured: ROC-AUC at the edge"),
    ("over HAR", {"versus_har": TIE}, "not better than HAR"),
    ("over HAR", {"versus_har": UNKNOWN}, "not better than HAR beyond the interval, not measured"),
    ("Brier", {"brier_skill_vs_har": 0.0}, "Brier skill"),
    ("Brier", {"brier_skill_vs_har": NAN}, "not measured: Brier skill"),
    ("slope", {"calibration_slope": 0.79}, "calibration slope is 0.790, expected 0.8 to 1.2"),
    ("slope", {"calibration_slope": 1.21}, "calibration slope is 1.210"),
    ("slope", {"calibration_slope": NAN}, "not measured: calibration slope"),
    ("level", {"level_ratio": 2.01}, "mean forecast over the observed rate is 2.010"),
    ("level", {"level_ratio": 0.49}, "mean forecast over the observed rate is 0.490"),
    ("level", {"level_ratio": NAN}, "not measured: mean forecast"),
    ("champion", {"versus_champion": WORSE}, "worse than the champion, -0.0200"),
    ("champion", {"versus_champion": UNKNOWN}, "worse than the champion, not measured"),
    ("symbols", {"worse_symbols": ("SOLUSDT",)}, "worse than the champion in SOLUSDT"),
]


def both(long: SideEvidence = GOOD, short: SideEvidence = GOOD) -> list[SideEvidence]:
    return [long, replace(short, side="short")]


def test_a_challenger_that_is_better_on_both_sides_passes():
    verdict = judge(both(), FRESH)

    assert verdict.promote
    assert verdict.reasons == (
        "long: over the champion +0.0200 [+0.0100, +0.0300]",
        "short: over the champion +0.0200 [+0.0100, +0.0300]",
    )


def test_better_on_one_side_and_level_on_the_other_passes():
    assert judge(both(short=replace(GOOD, versus_champion=TIE)), FRESH).promote


@pytest.mark.parametrize("versus", [TIE, None])
def test_a_tie_keeps_the_champion(versus):
    level = replace(GOOD, versus_champion=versus)

    verdict = judge(both(level, level), FRESH)

    assert not verdict.promote
    assert all("tie with the champion" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(("rule", "change", "reason"), FAULTS)
@pytest.mark.parametrize("side", ["long", "short"])
def test_every_fault_is_refused_and_named_with_its_side(rule, change, reason, side):
    faulty = replace(GOOD, **change)
    evidence = both(long=faulty) if side == "long" else both(short=faulty)

    verdict = judge(evidence, FRESH)

    assert not verdict.promote
    assert len(verdict.reasons) == 1
    assert verdict.reasons[0].startswith(f"{side}: ")
    assert reason in verdict.reasons[0]


@pytest.mark.parametrize("left_out", sorted(RULES))
def test_a_gate_without_one_of_its_rules_lets_a_bad_challenger_through(left_out, monkeypatch):
    faulty = [replace(GOOD, **change) for rule, change, _ in FAULTS if rule == left_out]
    monkeypatch.setattr(gate, "RULES", {name: RULES[name] for name in RULES if name != left_out})

    assert faulty
    assert all(judge(both(short=one), FRESH).promote for one in faulty)


@pytest.mark.parametrize("what", ["trained_until", "tested_until"])
@pytest.mark.parametrize(
    ("days", "promote"), [(0, True), (14, True), (14.1, False), (-0.02, True), (-1, False)]
)
def test_evidence_that_is_old_or_of_the_future_is_refused(what, days, promote):
    verdict = judge(both(), replace(FRESH, **{what: DAY - timedelta(days=days)}))

    assert verdict.promote is promote
    assert promote or verdict.reasons[0].startswith("stale: ")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"compared": Sample(onsets=9, weeks=8)}, "only on 9 onsets in 8 weeks"),
        ({"compared": Sample(onsets=90, weeks=7)}, "only on 90 onsets in 7 weeks"),
        ({"left_out": LeftOut(symbol="SOL", rest=TIE)}, "without SOL +0.0010"),
        ({"left_out": LeftOut(symbol="SOL", rest=UNKNOWN)}, "without SOL not measured"),
        ({"versus_champion": TIE}, "tie with the champion, +0.0010"),
        ({"versus_champion": None}, "nothing to compare"),
    ],
)
def test_what_is_no_gain_on_either_side_keeps_the_champion_and_one_real_gain_is_enough(change, why):
    none = replace(GOOD, **change)

    kept, passed = judge(both(none, none), FRESH), judge(both(none), FRESH)

    assert not kept.promote
    assert all(why in reason for reason in kept.reasons)
    assert passed.promote
    assert why in passed.reasons[0]
    assert "over the champion +0.0200" in passed.reasons[1]


def test_a_panel_of_one_symbol_has_none_to_leave_out():
    assert judge(both(replace(GOOD, left_out=None), replace(GOOD, left_out=None)), FRESH).promote


@pytest.mark.parametrize("kind", sorted(CHALLENGERS["BAD"]))
def test_sixty_seeded_bad_challengers_are_refused_each_for_the_right_reason(kind):
    """Five a kind, as arrays of scores over a truth that is known, through the real evidence."""
    for seed in range(5):
        given = CHALLENGERS["bad"](kind, seed)

        verdict = judge(given.evidence, given.dates)

        assert not verdict.promote, (kind, seed)
        why = CHALLENGERS["BAD"][kind][1]
        assert any(why in reason for reason in verdict.reasons), (kind, seed, verdict.reasons)


def test_a_genuinely_better_challenger_passes():
    for seed in range(5):
        given = CHALLENGERS["better"](seed)

        verdict = judge(given.evidence, given.dates)

        assert verdict.promote, (seed, verdict.reasons)


def test_the_champion_itself_and_another_as_good_do_not_replace_it():
    for seed in range(3):
        for given in (CHALLENGERS["identical"](seed), CHALLENGERS["level"](seed)):
            assert not judge(given.evidence, given.dates).promote, (given.kind, seed)


def test_a_side_without_evidence_is_refused():
    assert judge([GOOD], FRESH).reasons == ("short: no evidence",)
    assert not judge([], FRESH).promote
