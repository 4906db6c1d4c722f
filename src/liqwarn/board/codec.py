"""A flag as the bytes of a slot, and back."""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from liqwarn.board.clocks import epoch_ns
from liqwarn.board.flag import BoardFlag, Refusal
from liqwarn.board.layout import (
    BODY,
    BODY_AT,
    BODY_SIZE,
    CRC_AT,
    DOMAIN,
    SIGNATURE_AT,
    SYMBOL_SIZE,
)
from liqwarn.decisions import Flag, Limits, Quality, Restriction, Tier, TradingState
from liqwarn.errors import LiqwarnError, StoreError

if TYPE_CHECKING:
    from liqwarn.signing import SigningKey, VerifyKey

__all__ = ["Place", "check_signature", "decode", "encode", "symbol_bytes"]

_QUALITIES: Final[tuple[Quality, ...]] = ("unknown", "ok", "degraded", "stale")
_STATES: Final = (TradingState.REDUCING, TradingState.ACTIVE, TradingState.HALTED)
"""A zero byte is the safe value of both."""
_NET_INCREASE, _POST_ONLY, _CANCEL_INCREASING = 1, 2, 4
_HORIZONS: Final = (1, 4, 24)
_UNSIGNED: Final = bytes(8)
_SIDE_ITEMS: Final = 12
PAYLOAD_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when a payload is put; it is in the payload, so that one elsewhere is refused.

    Attributes
    ----------
    counter : int
        The even number the slot shows once the payload is whole.
    generation, boot
        Of the file's header.
    index : int
        Of the slot.
    """

    counter: int
    generation: int
    index: int
    boot: bytes


def symbol_bytes(symbol: str) -> bytes:
    """A symbol as its slot holds it: UTF-8, padded with zeros.

    Raises
    ------
    StoreError
        When it is empty, longer than 48 bytes or contains a zero.
    """
    raw = symbol.encode()
    if not 0 < len(raw) <= SYMBOL_SIZE or b"\0" in raw:
        raise StoreError(f"symbol is {symbol!r}, expected 1 to {SYMBOL_SIZE} bytes without a zero")
    return raw.ljust(SYMBOL_SIZE, b"\0")


def encode(flag: Flag, place: Place, deadline_ns: int, key: "SigningKey | None" = None) -> bytes:
    """The bytes of a slot that follow its counter: payload, signature, checksum.

    Parameters
    ----------
    deadline_ns : int
        Boot-clock nanoseconds after which the flag is stale.
    key : SigningKey or None
        None leaves key id and signature zero.

    Raises
    ------
    StoreError
        When the symbol does not fit.
    """
    body = BODY.pack(
        symbol_bytes(flag.symbol),
        place.counter,
        place.generation,
        place.index,
        PAYLOAD_VERSION,
        flag.sequence,
        epoch_ns(flag.as_of),
        epoch_ns(flag.issued_at),
        epoch_ns(flag.valid_until),
        deadline_ns,
        place.boot[:8],
        flag.completeness,
        _prefix(flag.model.sha256),
        _prefix(flag.policy.sha256),
        _prefix(flag.data_sha256),
        _QUALITIES.index(flag.quality),
        *_side_items(flag.sides["long"]),
        *_side_items(flag.sides["short"]),
        bytes.fromhex(key.key_id) if key else _UNSIGNED,
    )
    signed = body + (key.sign(DOMAIN + body) if key else bytes(64))
    return signed + zlib.crc32(signed).to_bytes(4, "little")


def _prefix(digest: str) -> bytes:
    """Sixteen bytes of a hash; a name that is no SHA-256 in hex is hashed first."""
    try:
        raw = bytes.fromhex(digest)
    except ValueError:
        raw = b""
    return raw[:16] if len(raw) == 32 else sha256(digest.encode()).digest()[:16]


def _side_items(side: Restriction) -> tuple[float, ...]:
    limits = side.limits
    return (
        side.tier,
        _STATES.index(side.state),
        _NET_INCREASE * limits.net_increase
        | _POST_ONLY * limits.post_only
        | _CANCEL_INCREASING * limits.cancel_increasing,
        limits.leverage_frac,
        limits.order_size_frac,
        limits.add_frac,
        limits.collateral_buffer_mult,
        math.nan if limits.max_participation_frac is None else limits.max_participation_frac,
        math.nan if limits.collar_frac is None else limits.collar_frac,
        *(side.probability.get(hours, math.nan) for hours in _HORIZONS),
    )


def decode(content: bytes, place: Place) -> BoardFlag | Refusal:
    """A slot's bytes after its counter as a flag, or why they are none.

    Parameters
    ----------
    content : bytes
        Payload, signature and checksum.
    place : Place
        Where they were found: a payload of another slot, file or boot is refused.
    """
    body, crc_at = content[:BODY_SIZE], CRC_AT - BODY_AT
    if int.from_bytes(content[crc_at : crc_at + 4], "little") != zlib.crc32(content[:crc_at]):
        return Refusal(kind="damaged", detail="payload does not match its checksum")
    items = BODY.unpack(body)
    if items[4] != PAYLOAD_VERSION:
        detail = f"payload version is {items[4]}, expected {PAYLOAD_VERSION}"
        return Refusal(kind="unknown version", detail=detail)
    found = Place(counter=items[1], generation=items[2], index=items[3], boot=items[10])
    expected = Place(
        counter=place.counter,
        generation=place.generation,
        index=place.index,
        boot=place.boot[:8],
    )
    if found != expected:
        return Refusal(kind="damaged", detail=f"payload is of {found}, expected {expected}")
    try:
        return _flag(items)
    except (IndexError, LiqwarnError, ValueError) as error:
        return Refusal(kind="inconsistent", detail=str(error))


def _flag(items: tuple[Any, ...]) -> BoardFlag:
    long, short = items[16 : 16 + _SIDE_ITEMS], items[16 + _SIDE_ITEMS : 16 + 2 * _SIDE_ITEMS]
    key_id = items[16 + 2 * _SIDE_ITEMS]
    return BoardFlag(
        symbol=items[0].rstrip(b"\0").decode(),
        sequence=items[5],
        as_of_ns=items[6],
        issued_at_ns=items[7],
        valid_until_ns=items[8],
        deadline_ns=items[9],
        completeness=items[11],
        model=items[12].hex(),
        policy=items[13].hex(),
        data=items[14].hex(),
        quality=_QUALITIES[items[15]],
        sides=MappingProxyType({"long": _side(long), "short": _side(short)}),
        key_id="" if key_id == _UNSIGNED else key_id.hex(),
    )


def _side(items: tuple[Any, ...]) -> Restriction:
    tier, state, bits, leverage, size, add, buffer, participation, collar, *chances = items
    return Restriction(
        tier=Tier(tier),
        state=_STATES[state],
        limits=Limits(
            leverage_frac=leverage,
            order_size_frac=size,
            add_frac=add,
            collateral_buffer_mult=buffer,
            max_participation_frac=_known(participation),
            net_increase=bool(bits & _NET_INCREASE),
            post_only=bool(bits & _POST_ONLY),
            collar_frac=_known(collar),
            cancel_increasing=bool(bits & _CANCEL_INCREASING),
        ),
        probability=_chances(chances),
        reasons=(),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _chances(values: Sequence[float]) -> Mapping[int, float]:
    pairs = zip(_HORIZONS, values, strict=True)
    return {hours: value for hours, value in pairs if not math.isnan(value)}


def check_signature(content: bytes, key_id: str, keys: "Sequence[VerifyKey]") -> Refusal | None:
    """Why the signature of a slot is not good; None when it is.

    Parameters
    ----------
    content : bytes
        The slot's bytes after its counter.
    key_id : str
        The key it says it was signed with; empty when unsigned.
    """
    if not key_id:
        return Refusal(kind="unsigned", detail="the flag carries no signature")
    signature = content[SIGNATURE_AT - BODY_AT : CRC_AT - BODY_AT]
    for key in keys:
        if key.key_id == key_id:
            if key.verify(DOMAIN + content[:BODY_SIZE], signature):
                return None
            return Refusal(kind="bad signature", detail=f"signature of {key_id} does not match")
    return Refusal(kind="bad signature", detail=f"key {key_id} is not among the given ones")
