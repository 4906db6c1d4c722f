"""An exchange in memory with the few calls of ccxt that the example makes, in ccxt's shapes."""

import math
from typing import Any

__all__ = ["FakeExchange"]

STEP = 0.001


class FakeExchange:
    """Fills at the mark when an order crosses it, rests otherwise, and counts each call."""

    def __init__(self, *, balance: float = 100_000.0) -> None:
        self.marks = {"BTC/USDT:USDT": 60_000.0, "ETH/USDT:USDT": 3_000.0}
        self.sizes: dict[str, float] = {}
        """Coins of a contract; one where it says nothing."""
        self.volume = 10.0
        self.held: dict[str, float] = {}
        self.leverage: dict[str, int] = {}
        self.orders: list[dict[str, Any]] = []
        self.balance = balance

    def market(self, pair: str) -> dict[str, Any]:
        """Its limits."""
        size = self.sizes.get(pair, 1.0)
        limits = {"amount": {"min": STEP, "max": None}}
        return {"symbol": pair, "contractSize": size, "limits": limits}

    def amount_to_precision(self, pair: str, amount: float) -> str:  # noqa: ARG002 as ccxt has it
        """Cut to the step, as text."""
        return f"{math.floor(amount / STEP + 1e-9) * STEP:.3f}"

    def fetch_mark_price(self, pair: str) -> dict[str, Any]:
        """The mark."""
        return {"symbol": pair, "markPrice": self.marks[pair]}

    def fetch_ticker(self, pair: str) -> dict[str, Any]:
        """The last price."""
        return {"symbol": pair, "last": self.marks[pair]}

    def fetch_ohlcv(self, pair: str, timeframe: str, *, limit: int) -> list[list[float]]:  # noqa: ARG002 one bar is enough
        """One bar."""
        mark = self.marks[pair]
        return [[0, mark, mark, mark, mark, self.volume]] * limit

    def fetch_balance(self) -> dict[str, Any]:
        """All of it free but the margin of what is held."""
        used = sum(
            abs(amount) * self.marks[pair] / self.leverage.get(pair, 1)
            for pair, amount in self.held.items()
        )
        return {"USDT": {"total": self.balance, "used": used, "free": self.balance - used}}

    def fetch_positions(self, pairs: list[str]) -> list[dict[str, Any]]:
        """What is held."""
        return [
            {"symbol": pair, "side": "long" if held > 0 else "short", "contracts": abs(held)}
            for pair in pairs
            if (held := self.held.get(pair, 0.0))
        ]

    def fetch_open_orders(self) -> list[dict[str, Any]]:
        """What rests."""
        return [order for order in self.orders if order["status"] == "open"]

    def set_leverage(self, leverage: int, pair: str) -> None:
        """For orders from now on."""
        self.leverage[pair] = leverage

    def create_order(
        self,
        pair: str,
        kind: str,
        side: str,
        amount: float,
        price: float | None,
        params: dict[str, Any],
    ) -> dict[str, Any]:
        """Fill it or let it rest; a post-only order that would fill is rejected."""
        mark = self.marks[pair]
        crosses = price is None or (price >= mark if side == "buy" else price <= mark)
        rejected = crosses and bool(params.get("postOnly"))
        status = "rejected" if rejected else "closed" if crosses else "open"
        order = {
            "id": str(len(self.orders)),
            "symbol": pair,
            "type": kind,
            "side": side,
            "amount": amount,
            "price": price,
            "status": status,
            "reduceOnly": bool(params.get("reduceOnly")),
            "postOnly": bool(params.get("postOnly")),
        }
        self.orders.append(order)
        if status == "closed":
            self.held[pair] = self.held.get(pair, 0.0) + (amount if side == "buy" else -amount)
        return order

    def cancel_order(self, order_id: str, pair: str) -> None:  # noqa: ARG002 as ccxt has it
        """Take a resting order out."""
        self.orders[int(order_id)]["status"] = "canceled"
