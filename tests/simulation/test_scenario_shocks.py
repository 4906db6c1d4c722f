"""A shock that cannot happen cannot be made."""

import math
from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest

from liqwarn.errors import ConfigError
from liqwarn.simulation.scenario import (
    AdlShock,
    DepthShock,
    FundingShock,
    HaircutShock,
    OutageShock,
    PriceShock,
    UnlockShock,
)
from liqwarn.simulation.scenario_shocks import SHOCK_KINDS

NOW, HOUR = timedelta(0), timedelta(hours=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PriceShock(at=NOW, move=-1.0), r"^move: found -1\.0, expected a return above -1$"),
        (lambda: PriceShock(at=NOW, move=math.nan), "^move: found nan"),
        (lambda: PriceShock(at=NOW, move=math.inf), "^move: found inf"),
        (lambda: PriceShock(at=NOW, move=0.1, follow="gamma"), "^follow: found 'gamma'"),
        (lambda: PriceShock(at=NOW, move=0.1, symbols=()), "^symbols: found , expected at least"),
        (lambda: PriceShock(at=NOW, move=0.1, symbols=("A", "A")), "^symbols: found A, A, .* once"),
        (lambda: PriceShock(at=-HOUR, move=0.1), "^at: found -1 day, 23:00:00, expected whole"),
        (lambda: PriceShock(at=HOUR / 7000, move=0.1), "^at: found 0:00:00.5142.*whole seconds"),
        (lambda: PriceShock(at=NOW, move=0.1, over=-HOUR), "^over: .*at least 0s"),
        (lambda: DepthShock(at=NOW, to=-0.3, lasts=HOUR), r"^to: found -0\.3, expected a factor"),
        (lambda: DepthShock(at=NOW, to=0.0, lasts=HOUR), r"^to: found 0\.0"),
        (lambda: DepthShock(at=NOW, to=math.inf, lasts=HOUR), "^to: found inf"),
        (lambda: DepthShock(at=NOW, to=0.5, lasts=NOW), "^for: found 0:00:00, .*above 0s"),
        (lambda: DepthShock(at=NOW, to=0.5, lasts=HOUR, half_life=NOW), "^half_life: .*above 0s"),
        (lambda: FundingShock(at=NOW, rate=1.0), r"^rate: found 1\.0, expected between -1 and 1"),
        (lambda: FundingShock(at=NOW, rate=math.nan), "^rate: found nan"),
        (lambda: FundingShock(at=NOW, rate=0.1, payments=0), "^payments: found 0"),
        (lambda: FundingShock(at=NOW, rate=0.1, payments=1001), "^payments: found 1001"),
        (lambda: FundingShock(at=NOW, rate=0.1, every=NOW), "^every: .*above 0s"),
        (lambda: HaircutShock(at=NOW, haircut=1.01), r"^haircut: found 1\.01, expected a share"),
        (lambda: HaircutShock(at=NOW, haircut=-0.01), r"^haircut: found -0\.01"),
        (lambda: HaircutShock(at=NOW, haircut=math.nan), "^haircut: found nan"),
        (lambda: OutageShock(at=NOW, lasts=NOW), "^for: found 0:00:00"),
        (lambda: UnlockShock(at=NOW, share=0.0, over=HOUR), r"^share: found 0\.0"),
        (lambda: UnlockShock(at=NOW, share=11.0, over=HOUR), r"^share: found 11\.0"),
        (lambda: UnlockShock(at=NOW, share=0.1, over=NOW), "^over: .*above 0s"),
        (lambda: AdlShock(at=-HOUR), "^at: "),
    ],
)
def test_what_cannot_happen_is_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_every_fault_is_named_at_once():
    with pytest.raises(ConfigError, match=r"^at: found") as told:
        DepthShock(at=-HOUR, to=0.0, lasts=NOW, symbols=("A", "A"))

    assert [line.split(":")[0] for line in str(told.value).splitlines()] == [
        "at",
        "for",
        "symbols",
        "to",
    ]


def test_the_bounds_themselves_are_allowed():
    assert HaircutShock(at=NOW, haircut=0.0).over == NOW
    assert HaircutShock(at=NOW, haircut=1.0).haircut == 1.0
    assert UnlockShock(at=NOW, share=10.0, over=HOUR).symbols is None
    assert FundingShock(at=NOW, rate=-0.999, payments=1000).every == timedelta(hours=8)
    assert DepthShock(at=NOW, to=3.0, lasts=HOUR).half_life == timedelta(minutes=20)


def test_it_ends_when_its_effect_is_complete():
    assert PriceShock(at=HOUR, move=0.1, over=HOUR).ends == 2 * HOUR
    assert UnlockShock(at=HOUR, share=0.1, over=HOUR).ends == 2 * HOUR
    assert DepthShock(at=HOUR, to=0.1, lasts=HOUR).ends == HOUR  # may last beyond the horizon
    assert FundingShock(at=HOUR, rate=0.1, payments=3, every=HOUR).ends == 3 * HOUR + timedelta(
        seconds=1
    )


def test_shocks_are_values():
    shock = AdlShock(at=HOUR)

    assert shock == AdlShock(at=HOUR)
    assert {name: kind.kind for name, kind in SHOCK_KINDS.items()} == {n: n for n in SHOCK_KINDS}
    with pytest.raises(FrozenInstanceError, match="at"):
        shock.at = NOW
