"""The gate: every way to be bad is refused, a tie keeps the champion, the better one passes."""

from dataclasses import replace

import pytest

from liqwarn.models.gate import Difference, SideEvidence, judge

NAN = float("nan")
BETTER = Difference(mean=0.02, low=0.01, high=0.03)
TIE = Difference(mean=0.001, low=-0.01, high=0.012)
WORSE = Difference(mean=-0.02, low=-0.03, high=-0.01)
GOOD = SideEvidence(
    side="long",
    versus_har=BETTER,
    brier_skill_vs_har=0.02,
    calibration_slope=1.05,
    versus_champion=BETTER,
)


def both(long: SideEvidence = GOOD, short: SideEvidence = GOOD) -> list[SideEvidence]:
    return [long, replace(short, side="short")]


def test_a_challenger_that_is_better_on_both_sides_passes():
    verdict = judge(both())

    assert verdict.promote
    assert verdict.reasons == (
        "long: over the champion +0.0200 [+0.0100, +0.0300]",
        "short: over the champion +0.0200 [+0.0100, +0.0300]",
    )


def test_better_on_one_side_and_level_on_the_other_passes():
    assert judge(both(short=replace(GOOD, versus_champion=TIE))).promote


@pytest.mark.parametrize("versus", [TIE, None])
def test_a_tie_keeps_the_champion(versus):
    level = replace(GOOD, versus_champion=versus)

    verdict = judge(both(level, level))

    assert not verdict.promote
    assert all("tie with the champion" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"versus_har": TIE}, "not better than HAR"),
        ({"versus_har": Difference(mean=NAN, low=NAN, high=NAN)}, "not better than HAR"),
        ({"brier_skill_vs_har": 0.0}, "Brier skill"),
        ({"brier_skill_vs_har": NAN}, "Brier skill"),
        ({"calibration_slope": 0.79}, "calibration slope is 0.79"),
        ({"calibration_slope": 1.21}, "calibration slope is 1.21"),
        ({"calibration_slope": NAN}, "calibration slope"),
        ({"versus_champion": WORSE}, "worse than the champion"),
        (
            {"versus_champion": Difference(mean=NAN, low=NAN, high=NAN)},
            "worse than the champion",
        ),
        ({"worse_symbols": ("SOLUSDT",)}, "worse than the champion in SOLUSDT"),
    ],
)
@pytest.mark.parametrize("side", ["long", "short"])
def test_every_fault_is_refused_and_named_with_its_side(change, reason, side):
    faulty = replace(GOOD, **change)
    evidence = both(long=faulty) if side == "long" else both(short=faulty)

    verdict = judge(evidence)

    assert not verdict.promote
    assert len(verdict.reasons) == 1
    assert verdict.reasons[0].startswith(f"{side}: ")
    assert reason in verdict.reasons[0]


def test_a_side_without_evidence_is_refused():
    assert judge([GOOD]).reasons == ("short: no evidence",)
    assert not judge([]).promote
