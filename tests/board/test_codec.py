"""What a slot says is what the flag said, to the bit; anything else is refused."""

import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.board.clocks import epoch_ns
from liqwarn.board.codec import Place, check_signature, decode, encode, symbol_bytes
from liqwarn.board.flag import BoardFlag, Refusal
from liqwarn.decisions import Flag, Limits, ModelStamp, PolicyStamp, Restriction, Tier, TradingState
from liqwarn.errors import StoreError
from liqwarn.signing import generate_key

PLACE = Place(counter=4, generation=9, index=1, boot=bytes(range(16)))
KEY = generate_key()

shares = st.floats(0, 1)
moments = st.integers(1_577_836_800_000_000, 4_102_444_800_000_000).map(
    lambda us: datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=us)
)


@st.composite
def restrictions(draw):
    state = draw(st.sampled_from(TradingState))
    return Restriction(
        tier=Tier.T5 if state is TradingState.HALTED else draw(st.sampled_from(Tier)),
        state=state,
        limits=Limits(
            leverage_frac=draw(shares),
            order_size_frac=draw(shares),
            add_frac=draw(shares),
            collateral_buffer_mult=draw(st.floats(1, 1e300)),
            max_participation_frac=draw(st.none() | shares),
            net_increase=state is TradingState.ACTIVE,
            post_only=draw(st.booleans()),
            collar_frac=draw(st.none() | shares),
            cancel_increasing=draw(st.booleans()),
        ),
        probability=draw(st.dictionaries(st.sampled_from([1, 4, 24]), shares)),
        reasons=(),
    )


@st.composite
def flags(draw):
    as_of = draw(moments)
    symbols = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)
    return Flag(
        symbol=draw(symbols.filter(lambda s: len(s.encode()) <= 48)),
        as_of=as_of,
        issued_at=as_of + timedelta(seconds=draw(st.integers(0, 3600))),
        valid_until=as_of + timedelta(seconds=draw(st.integers(0, 24 * 3600))),
        sequence=draw(st.integers(0, int(as_of.timestamp()))),
        quality=draw(st.sampled_from(["ok", "degraded", "stale", "unknown"])),
        sides={"long": draw(restrictions()), "short": draw(restrictions())},
        model=ModelStamp(version="1", sha256=draw(st.binary(min_size=32, max_size=32)).hex()),
        policy=PolicyStamp(version="1", sha256="p"),
        data_sha256="d",
        completeness=draw(shares),
    )


@given(flag=flags(), deadline=st.integers(0, 2**64 - 1))
def test_a_flag_reads_back(flag, deadline):
    found = decode(encode(flag, PLACE, deadline), PLACE)

    assert isinstance(found, BoardFlag)
    for name in ("symbol", "sequence", "quality", "completeness"):
        assert getattr(found, name) == getattr(flag, name)
    for name in ("as_of", "issued_at", "valid_until"):
        assert getattr(found, f"{name}_ns") == epoch_ns(getattr(flag, name))
    assert (found.deadline_ns, found.key_id) == (deadline, "")
    assert dict(found.sides) == dict(flag.sides)
    assert found.model == flag.model.sha256[:32]


@given(at=st.integers(0, 467), bits=st.integers(1, 255))
def test_any_changed_byte_is_damage(make_flag, at, bits):
    content = bytearray(encode(make_flag(), PLACE, 1))
    content[at] ^= bits
    assert decode(bytes(content), PLACE).kind == "damaged"


@pytest.mark.parametrize(
    "place",
    [
        Place(counter=6, generation=9, index=1, boot=PLACE.boot),
        Place(counter=4, generation=8, index=1, boot=PLACE.boot),
        Place(counter=4, generation=9, index=0, boot=PLACE.boot),
        Place(counter=4, generation=9, index=1, boot=bytes(16)),
    ],
)
def test_a_payload_of_another_place_is_damage(make_flag, place):
    found = decode(encode(make_flag(), PLACE, 1), place)
    assert (found.kind, "payload is of" in found.detail) == ("damaged", True)


@pytest.mark.parametrize(
    ("at", "raw", "why"),
    [
        (68, b"\2", "payload version is 2, expected 1"),
        (176, b"\4", "tuple index out of range"),
        (184, b"\6", "6 is not a valid Tier"),
        (185, b"\3", "tuple index out of range"),
        (186, b"\0", "ACTIVE contradicts net_increase False"),
        (192, b"\0" * 6 + b"\xf8\x7f", "leverage_frac is nan"),
        (216, bytes(8), "collateral_buffer_mult is 0.0"),
        (248, b"\0" * 6 + b"\xf0\x7f", "probability over 4 h is inf"),
        (0, b"\xff", "invalid start byte"),
    ],
)
def test_numbers_that_cannot_be_are_refused_with_a_good_checksum(make_flag, at, raw, why):
    content = bytearray(encode(make_flag(), PLACE, 1))
    content[at : at + len(raw)] = raw
    content[464:468] = zlib.crc32(content[:464]).to_bytes(4, "little")
    found = decode(bytes(content), PLACE)
    assert isinstance(found, Refusal)
    assert why in found.detail


@pytest.mark.parametrize("symbol", ["", "X" * 49, "é" * 25, "A\0B"])
def test_a_symbol_that_does_not_fit_is_refused(symbol):
    with pytest.raises(StoreError, match="expected 1 to 48 bytes without a zero"):
        symbol_bytes(symbol)


def test_a_signature_binds_every_byte_of_the_payload(make_flag):
    content = encode(make_flag(), PLACE, 1, KEY)
    flag = decode(content, PLACE)

    assert flag.key_id == KEY.key_id
    assert check_signature(content, flag.key_id, [KEY.public]) is None
    for at in range(0, 464, 7):
        changed = bytearray(content)
        changed[at] ^= 1
        assert check_signature(bytes(changed), flag.key_id, [KEY.public]).kind == "bad signature"


def test_unsigned_and_strangers_are_refused(make_flag):
    other = generate_key()
    plain, signed = encode(make_flag(), PLACE, 1), encode(make_flag(), PLACE, 1, KEY)

    assert check_signature(plain, "", [KEY.public]).kind == "unsigned"
    assert "is not among" in check_signature(signed, KEY.key_id, [other.public]).detail
    assert check_signature(signed, KEY.key_id, [other.public, KEY.public]) is None
