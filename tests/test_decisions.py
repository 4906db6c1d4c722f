from copy import deepcopy
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.decisions import (
    FLAG_SCHEMA,
    MAX_LIFE,
    Flag,
    Limits,
    ModelStamp,
    PolicyStamp,
    Restriction,
    RiskScore,
    Tier,
    TradingState,
    flag_from_dict,
    flag_to_dict,
    iso_utc,
)
from liqwarn.errors import PolicyError

NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)
SHARE = st.floats(0, 1)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
LIMITS = st.builds(
    Limits,
    leverage_frac=SHARE,
    order_size_frac=SHARE,
    add_frac=SHARE,
    collateral_buffer_mult=st.floats(1, 10),
    max_participation_frac=st.none() | SHARE,
    net_increase=st.booleans(),
    post_only=st.booleans(),
    collar_frac=st.none() | SHARE,
    cancel_increasing=st.booleans(),
)


@st.composite
def _sides(draw):
    limits = draw(LIMITS)
    tier = draw(st.sampled_from(Tier))
    barred = [TradingState.REDUCING] + [TradingState.HALTED] * (tier is Tier.T5)
    return Restriction(
        tier=tier,
        state=TradingState.ACTIVE if limits.net_increase else draw(st.sampled_from(barred)),
        limits=limits,
        probability=draw(st.dictionaries(st.sampled_from([1, 4, 24]), SHARE)),
        reasons=tuple(draw(st.lists(st.text(max_size=30), max_size=3))),
    )


SIDE = _sides()
LIVES = st.timedeltas(timedelta(0), MAX_LIFE)
FLAGS = st.builds(
    lambda life, **given: Flag(valid_until=given["as_of"] + life, **given),
    LIVES,
    symbol=st.text(max_size=20),
    as_of=MOMENTS,
    issued_at=MOMENTS,
    sequence=st.integers(0, 600_000_000),
    quality=st.sampled_from(["ok", "degraded", "stale", "unknown"]),
    sides=st.fixed_dictionaries({"long": SIDE, "short": SIDE}),
    model=st.builds(ModelStamp, version=st.text(max_size=9), sha256=st.text(max_size=9)),
    policy=st.builds(PolicyStamp, version=st.text(max_size=9), sha256=st.text(max_size=9)),
    data_sha256=st.text(max_size=9),
    completeness=SHARE,
)


def _flag(**changes):
    side = Restriction(
        tier=Tier.T2,
        state=TradingState.ACTIVE,
        limits=Limits(),
        probability={4: 0.2},
        reasons=("x",),
    )
    given = {
        "symbol": "BTCUSDT",
        "as_of": NOON,
        "issued_at": NOON,
        "valid_until": NOON + timedelta(hours=1),
        "sequence": 7,
        "quality": "ok",
        "sides": {"long": side, "short": side},
        "model": ModelStamp(version="1", sha256="m"),
        "policy": PolicyStamp(version="1.0.0", sha256="p"),
        "data_sha256": "d",
        "completeness": 1.0,
    }
    return Flag(**{**given, **changes})


def _score(**changes):
    given = {
        "symbol": "BTCUSDT",
        "side": "long",
        "as_of": NOON,
        "probability": {1: 0.1, 4: 0.2, 24: 0.3},
        "quantile": 0.9,
        "base_rate": 0.01,
        "drivers": (),
        "in_progress": False,
        "quality": "ok",
    }
    return RiskScore(**{**given, **changes})


@settings(deadline=None)
@given(FLAGS)
def test_a_flag_survives_json(flag):
    assert flag_from_dict(orjson.loads(orjson.dumps(flag_to_dict(flag)))) == flag


def test_the_published_shape_is_the_contract():
    raw = flag_to_dict(_flag())
    assert list(raw) == [
        "schema", "symbol", "as_of", "issued_at", "valid_until", "sequence", "quality", "sides",
        "model", "policy", "data",
    ]  # fmt: skip
    assert list(raw["sides"]) == ["long", "short"]
    assert list(raw["sides"]["long"]) == [
        "p_1h", "p_4h", "p_24h", "tier", "state", "limits", "reasons",
    ]  # fmt: skip
    assert raw["schema"] == FLAG_SCHEMA
    assert raw["sides"]["long"]["p_1h"] is None
    assert raw["valid_until"] == "2024-08-05T13:00:00.000Z"
    assert raw["data"] == {"sha256": "d", "completeness": 1.0}


def _put(raw, path, value):
    *way, last = path.split(".")
    for key in way:
        raw = raw[key]
    if value is ...:
        del raw[last]
    else:
        raw[last] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "liqwarn.flag/2"),
        ("schema", ...),
        ("symbol", ...),
        ("as_of", "noon"),
        ("valid_until", "2024-08-05T13:00:00"),
        ("valid_until", 1722862800),
        ("sequence", "7"),
        ("sequence", True),
        ("sequence", -1),
        ("sequence", 2**63),
        ("sequence", int(NOON.timestamp()) + 86_401),
        ("symbol", 5),
        ("valid_until", "2099-01-01T00:00:00Z"),
        ("valid_until", "2024-08-06T12:00:00.001Z"),
        ("valid_until", "2024-08-05T11:59:59.999Z"),
        ("valid_until", "9999-12-31T23:59:59-23:00"),
        ("as_of", "0001-01-01T00:00:00+23:00"),
        ("as_of", "0001-01-01T00:00:00Z"),
        ("issued_at", "9999-12-31T23:59:59-23:00"),
        ("quality", "great"),
        ("sides", {}),
        ("sides", []),
        ("sides.long", ...),
        ("sides.long.tier", "T6"),
        ("sides.long.tier", 2),
        ("sides.long.state", "OPEN"),
        ("sides.long.state", "REDUCING"),
        ("sides.long.state", "HALTED"),
        ("sides.long.limits.net_increase", False),
        ("sides.long.limits.net_increase", "false"),
        ("sides.long.limits.leverage_frac", True),
        ("sides.long.limits.add_frac", ...),
        ("sides.long.limits", {}),
        ("sides.long.reasons", [5]),
        ("sides.long.p_4h", 1.5),
        ("sides.long.p_4h", "0.2"),
        ("sides.long.limits", {"leverage": 0.5}),
        ("sides.long.limits.leverage_frac", -1),
        ("sides.long.limits.leverage_frac", None),
        ("sides.long.limits.collateral_buffer_mult", 0.5),
        ("model", {}),
        ("data.completeness", 2),
        ("data", ...),
    ],
)
def test_an_unreadable_flag_is_a_policy_error(path, value):
    raw = deepcopy(flag_to_dict(_flag()))
    _put(raw, path, value)
    with pytest.raises(PolicyError, match=r"flag|expected"):
        flag_from_dict(raw)


def test_a_halt_is_at_t5_alone():
    raw = deepcopy(flag_to_dict(_flag()))
    raw["sides"]["long"]["limits"]["net_increase"] = False
    for state, tier, readable in [
        ("HALTED", "T4", False),
        ("HALTED", "T5", True),
        ("REDUCING", "T0", True),
    ]:
        raw["sides"]["long"].update(state=state, tier=tier)
        if readable:
            assert flag_from_dict(raw).sides["long"].state.value == state
        else:
            with pytest.raises(PolicyError, match="HALTED at T4, expected at T5 alone"):
                flag_from_dict(raw)


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=1), MAX_LIFE])
def test_a_good_sequence_and_the_longest_life_pass(ahead):
    sequence = int((NOON + ahead).timestamp())
    flag = _flag(sequence=sequence, valid_until=NOON + MAX_LIFE)
    assert flag_from_dict(flag_to_dict(flag)) == flag
    late = _flag(sequence=sequence, issued_at=NOON + timedelta(days=900))
    assert flag_from_dict(flag_to_dict(late)) == late


def test_times_are_read_into_utc():
    raw = {**flag_to_dict(_flag()), "issued_at": "2024-08-05T14:30:00+02:30"}
    assert flag_from_dict(raw).issued_at == NOON
    assert flag_from_dict(raw).issued_at.tzinfo is UTC


@pytest.mark.parametrize("raw", [None, [], "flag", 3])
def test_what_is_no_mapping_is_a_policy_error(raw):
    with pytest.raises(PolicyError, match="flag schema is"):
        flag_from_dict(raw)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"as_of": NOON.replace(tzinfo=None)}, "as_of is 2024-08-05T12:00:00 without a timezone"),
        ({"completeness": float("nan")}, "completeness is nan, expected 0 to 1"),
        ({"sides": {}}, "expected long and short"),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(PolicyError, match=message):
        _flag(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probability": {4: 1.2}}, "not all within 0 and 1"),
        ({"probability": {4: float("nan")}}, "not all within 0 and 1"),
        ({"probability": {1: 0.3, 4: 0.2}}, "fall with the horizon"),
        ({"as_of": NOON.replace(tzinfo=None)}, "without a timezone"),
    ],
)
def test_a_score_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(PolicyError, match=message):
        _score(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"leverage_frac": 1.1},
        {"add_frac": -0.1},
        {"collar_frac": 2.0},
        {"order_size_frac": float("nan")},
    ],
)
def test_limits_out_of_range_are_refused(changes):
    with pytest.raises(PolicyError, match="expected 0 to 1"):
        Limits(**changes)


def test_a_missing_score_has_no_probability():
    assert dict(_score(probability={}, quantile=None).probability) == {}


def test_what_crosses_is_immutable():
    flag, score = _flag(), _score()
    with pytest.raises(AttributeError, match="cannot assign"):
        flag.sequence = 8
    with pytest.raises(TypeError, match="does not support item assignment"):
        flag.sides["long"] = None
    with pytest.raises(TypeError, match="does not support item assignment"):
        score.probability[4] = 0.9


@given(MOMENTS)
def test_times_lose_nothing(moment):
    assert datetime.fromisoformat(iso_utc(moment)) == moment
    assert iso_utc(moment).endswith("Z")


def test_tiers_are_ordered():
    assert sorted(Tier, reverse=True)[0] is Tier.T5
