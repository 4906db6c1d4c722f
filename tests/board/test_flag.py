import pytest

from liqwarn.board.flag import MAX_LIFE_NS, BoardFlag, Refusal
from liqwarn.decisions import Limits, Restriction, Tier, TradingState
from liqwarn.errors import PolicyError


def side(**changes):
    said = {
        "tier": Tier.T0,
        "state": TradingState.ACTIVE,
        "limits": Limits(),
        "probability": {},
        "reasons": (),
    }
    return Restriction(**{**said, **changes})


def flag(**changes):
    said = {
        "symbol": "BTCUSDT",
        "sequence": 100,
        "as_of_ns": 100 * 10**9,
        "issued_at_ns": 101 * 10**9,
        "valid_until_ns": 200 * 10**9,
        "deadline_ns": 1,
        "quality": "ok",
        "completeness": 1.0,
        "sides": {"long": side(), "short": side()},
        "model": "",
        "policy": "",
        "data": "",
        "key_id": "",
    }
    return BoardFlag(**{**said, **changes})


def test_a_coherent_one_is_taken():
    assert flag().sequence == 100


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"completeness": float("nan")}, "completeness is nan"),
        ({"valid_until_ns": 99 * 10**9}, "expected an end within"),
        ({"valid_until_ns": 101 * 10**9 + MAX_LIFE_NS}, "expected an end within"),
        ({"sequence": 101 + 24 * 3600 + 1}, "expected at most 86501"),
        ({"sides": {"long": side(limits=Limits(net_increase=False))}}, "contradicts net_increase"),
        (
            {"sides": {"long": side(state=TradingState.REDUCING)}},
            "REDUCING contradicts net_increase True",
        ),
        (
            {
                "sides": {
                    "long": side(
                        tier=Tier.T4,
                        state=TradingState.HALTED,
                        limits=Limits(net_increase=False),
                    )
                }
            },
            "HALTED at T4, expected at T5 alone",
        ),
    ],
)
def test_one_that_contradicts_itself_is_not(changes, why):
    with pytest.raises(PolicyError, match=why):
        flag(**changes)


def test_a_refusal_says_what_and_why():
    assert str(Refusal(kind="torn", detail="counter 3")) == "torn: counter 3"
