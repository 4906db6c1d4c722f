"""What is asked and answered about orders by hand, for OpenAPI, with an example of each."""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from liqwarn.decisions import Tier
from liqwarn.frames import SIDES
from liqwarn.policy.orders import Action, Order
from liqwarn.serving.schema import TierName

__all__ = ["IN_FORCE", "ORDERED", "ORDER_ASK", "OrderAnswer", "OrderAsk", "OrdersAnswer"]

_Side = Literal["long", "short"]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Name = Annotated[str, Field(min_length=1, max_length=80)]
_Symbol = Annotated[str, Field(min_length=1, max_length=64)]
_Names = Annotated[list[_Name], Field(min_length=1, max_length=4)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OrderAsk(_Shape):
    """An order. The same `id` is carried out once, however often it is sent."""

    id: _Id
    action: Literal["halt", "tighten", "loosen", "release"]
    symbols: Annotated[
        list[_Symbol], Field(max_length=1_000, description="None named is all of the panel.")
    ] = []
    sides: Annotated[list[_Side], Field(min_length=1, max_length=2)] = list(SIDES)
    tier: Annotated[TierName | None, Field(description="To tighten or loosen to.")] = None
    names: Annotated[
        _Names, Field(description="Who decided; two different ones to loosen or release.")
    ]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    lasts_s: Annotated[
        float | None, Field(gt=0, le=31_622_400, description="How long; to loosen it is needed.")
    ] = None

    def order(self) -> Order:
        """The order; PolicyError where it is one that nobody could carry out."""
        return Order(
            id=self.id,
            action=Action(self.action),
            symbols=tuple(self.symbols),
            sides=tuple(dict.fromkeys(self.sides)),
            tier=None if self.tier is None else Tier[self.tier],
            names=tuple(self.names),
            reason=self.reason,
            lasts=None if self.lasts_s is None else timedelta(seconds=self.lasts_s),
        )


class _Ordered(_Shape):
    symbol: str
    side: _Side
    tier_before: TierName
    tier: TierName
    sequence: int


class _Asked(OrderAsk):
    action: Literal["halt", "tighten", "loosen", "release", "fault", "lapse"]  # type: ignore[assignment]


class OrderAnswer(_Shape):
    """What came of an order; `refused` says why, of sides that it was not carried out on."""

    order: _Asked
    by: str
    at: str
    as_of: str
    accepted: bool
    sides: list[_Ordered]
    refused: list[str]


class _SideOf(_Shape):
    symbol: str
    side: _Side


class _InForce(_Shape):
    action: Literal["tighten", "loosen", "fault"]
    tier: TierName
    names: list[str]
    reason: str
    issued_at: str
    expires_at: str | None
    sides: list[_SideOf]


class OrdersAnswer(_Shape):
    """What was ordered by hand, or for a failed integrity check, and binds now."""

    orders: list[_InForce]


ORDER_ASK: Final[dict[str, Any]] = {
    "id": "desk-2024-08-05-1",
    "action": "tighten",
    "symbols": ["BTCUSDT"],
    "sides": ["long"],
    "tier": "T3",
    "names": ["Ada"],
    "reason": "Exchange maintenance announced.",
    "lasts_s": 14_400,
}
ORDERED: Final[dict[str, Any]] = {
    "order": ORDER_ASK,
    "by": "key 0123456789ab",
    "at": "2024-08-05T06:21:07.512Z",
    "as_of": "2024-08-05T06:00:00.000Z",
    "accepted": True,
    "sides": [
        {
            "symbol": "BTCUSDT",
            "side": "long",
            "tier_before": "T1",
            "tier": "T3",
            "sequence": 1722838867,
        }
    ],
    "refused": [],
}
IN_FORCE: Final[dict[str, Any]] = {
    "orders": [
        {
            "action": "tighten",
            "tier": "T3",
            "names": ["Ada"],
            "reason": "Exchange maintenance announced.",
            "issued_at": "2024-08-05T06:21:07.512Z",
            "expires_at": "2024-08-05T10:21:07.512Z",
            "sides": [{"symbol": "BTCUSDT", "side": "long"}],
        }
    ]
}
