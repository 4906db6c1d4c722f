"""An order loop in the style of ccxt that asks liqwarn before it adds risk, and only then.

The exchange is anything with ccxt's unified calls; nothing here needs ccxt itself. A wish is split
by what it does to the position held: the part that reduces goes out at once as a reduce-only order,
whatever the flag says or does not say; the part that grows is what the gate is asked about.

    python order_loop.py board:/dev/shm/liqwarn.board
"""

import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from liqwarn.client import Decision, open_gate

__all__ = ["House", "Wish", "cancel_forbidden", "place", "run_once", "symbol_of"]

logger = logging.getLogger(__name__)

Ask = Callable[[str, Literal["long", "short"]], Decision]
Order = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The house's own limits, which a flag scales.

    Attributes
    ----------
    leverage : float
        Highest leverage.
    order_usd : float
        Largest order.
    free_frac : float
        Share of the account kept free against margin calls.
    """

    leverage: float = 5.0
    order_usd: float = 10_000.0
    free_frac: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An order a strategy would like, as ``create_order`` takes it: `amount` in contracts.

    `price` None is at market.
    """

    pair: str
    side: Literal["buy", "sell"]
    amount: float
    price: float | None = None


def symbol_of(pair: str) -> str:
    """The symbol whose flag speaks for a pair.

    A dated future or an option keeps its own name, which no flag has: it is denied rather than
    judged by the perpetual.

    >>> symbol_of("BTC/USDT:USDT"), symbol_of("BTC/USDT:USDT-261225")
    ('BTCUSDT', 'BTC/USDT:USDT-261225')
    """
    market, _, settle = pair.partition(":")
    return pair if "-" in settle else market.replace("/", "")


def run_once(exchange: Any, ask: Ask, wishes: Iterable[Wish], house: House) -> list[Order]:
    """One round: what is forbidden meanwhile is cancelled, then each wish is placed as allowed.

    What fails at the exchange fails alone: it must not keep another wish from reducing.
    """
    cancel_forbidden(exchange, ask)
    placed: list[Order] = []
    for wish in wishes:
        try:
            placed += place(exchange, ask, wish, house)
        except Exception:  # of whatever class the exchange's library has for it
            logger.exception("%s %s %s failed", wish.side, wish.amount, wish.pair)
    return placed


def place(exchange: Any, ask: Ask, wish: Wish, house: House) -> list[Order]:
    """Place a wish: its reducing part as it is, its growing part as far as the flag allows."""
    held = _held(exchange, wish.pair)
    signed = wish.amount if wish.side == "buy" else -wish.amount
    reducing = min(wish.amount, abs(held)) if signed * held < 0 else 0.0
    placed = []
    if reducing > 0:
        placed.append(_create(exchange, replace(wish, amount=reducing), {"reduceOnly": True}))
    if wish.amount > reducing:
        growing = replace(wish, amount=wish.amount - reducing)
        order = _grow(exchange, ask, growing, house, adds=signed * held > 0)
        placed += [order] if order else []
    return placed


def _grow(exchange: Any, ask: Ask, wish: Wish, house: House, *, adds: bool) -> Order | None:
    """An order that opens or grows a position, or None and the reason in the log."""
    side: Literal["long", "short"] = "long" if wish.side == "buy" else "short"
    decision = _asked(ask, symbol_of(wish.pair), side)
    if decision is None or not _allows(decision):
        return _refused(wish, "the gate failed" if decision is None else decision.reason)
    mark = float(exchange.fetch_mark_price(wish.pair)["markPrice"])
    unmet = _unmet(wish, decision, mark)
    if unmet is not None:
        return _refused(wish, unmet)
    leverage = max(1, int(house.leverage * decision.leverage_frac))
    sized = _sized(exchange, wish, decision, house, adds=adds)
    if not sized.amount > 0:
        return _refused(wish, "nothing is left of its size")
    if not _affordable(exchange, sized, decision, house, mark=mark, leverage=leverage):
        return _refused(wish, "the collateral to be kept free would not be")
    exchange.set_leverage(leverage, wish.pair)
    return _create(exchange, sized, {"postOnly": True} if decision.post_only else {})


def _allows(decision: Decision) -> bool:
    """Whether everything that says so says so."""
    return decision.new_risk and decision.fresh and decision.state == "ACTIVE"


def _asked(ask: Ask, symbol: str, side: Literal["long", "short"]) -> Decision | None:
    try:
        return ask(symbol, side)
    except Exception:  # liqwarn's gate never raises; another may, and that is a no
        logger.exception("the gate raised about %s %s", symbol, side)
        return None


def _unmet(wish: Wish, decision: Decision, mark: float) -> str | None:
    """What the flag asks of an order's price that this one does not do."""
    if decision.post_only and wish.price is None:
        return "an order at market cannot rest in the book"
    if decision.collar_frac is None:
        return None
    if wish.price is None:
        return "an order at market cannot keep to a collar"
    if abs(wish.price - mark) <= decision.collar_frac * mark:
        return None
    return f"its price is {wish.price}, expected within {decision.collar_frac:.2%} of {mark}"


def _sized(exchange: Any, wish: Wish, decision: Decision, house: House, *, adds: bool) -> Wish:
    """The wish cut to what is allowed, rounded down to the exchange's step; 0 below its least."""
    share = min(decision.order_size_frac, decision.add_frac) if adds else decision.order_size_frac
    price = wish.price or float(exchange.fetch_ticker(wish.pair)["last"])
    size = _contract_size(exchange, wish.pair)
    amount = min(wish.amount, house.order_usd / (price * size)) * share
    if decision.max_participation_frac is not None and wish.price is None:
        volume = float(exchange.fetch_ohlcv(wish.pair, "1m", limit=1)[-1][5])
        amount = min(amount, volume / size * decision.max_participation_frac)
    market = exchange.market(wish.pair)
    amount = float(exchange.amount_to_precision(wish.pair, amount))
    least = market["limits"]["amount"]["min"] or 0.0
    return replace(wish, amount=amount if amount >= least else 0.0)


def _affordable(
    exchange: Any, wish: Wish, decision: Decision, house: House, *, mark: float, leverage: float
) -> bool:
    balance = exchange.fetch_balance()["USDT"]
    keep = balance["total"] * house.free_frac * decision.collateral_buffer_mult
    margin = wish.amount * _contract_size(exchange, wish.pair) * mark / leverage
    return bool(balance["free"] - margin >= keep)


def _contract_size(exchange: Any, pair: str) -> float:
    """Coins of a contract; a spot market has none."""
    return float(exchange.market(pair).get("contractSize") or 1.0)


def cancel_forbidden(exchange: Any, ask: Ask) -> list[str]:
    """Cancel resting orders that would add risk where the flag says so; never a reducing one."""
    cancelled = []
    for order in exchange.fetch_open_orders():
        side: Literal["long", "short"] = "long" if order["side"] == "buy" else "short"
        if order["reduceOnly"]:
            continue
        decision = _asked(ask, symbol_of(order["symbol"]), side)
        if decision is None or not decision.cancel_increasing:
            continue
        try:
            exchange.cancel_order(order["id"], order["symbol"])
            cancelled.append(order["id"])
        except Exception:  # filled meanwhile, perhaps; the others are cancelled all the same
            logger.exception("%s of %s not cancelled", order["id"], order["symbol"])
    return cancelled


def _held(exchange: Any, pair: str) -> float:
    """The position in contracts, negative for a short."""
    held = 0.0
    for position in exchange.fetch_positions([pair]):
        if position["symbol"] == pair:
            held += (position["contracts"] or 0.0) * (1 if position["side"] == "long" else -1)
    return held


def _create(exchange: Any, wish: Wish, params: dict[str, Any]) -> Order:
    kind = "market" if wish.price is None else "limit"
    order: Order = exchange.create_order(
        wish.pair, kind, wish.side, wish.amount, wish.price, params
    )
    return order


def _refused(wish: Wish, why: str) -> None:
    logger.warning("%s %s %s not placed: %s", wish.side, wish.amount, wish.pair, why)


def main() -> None:
    """Two wishes on the fake exchange, with flags from the source named on the command line."""
    from fake_exchange import FakeExchange  # noqa: PLC0415 only the example needs it

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    exchange = FakeExchange()
    wishes = [Wish(pair=pair, side="buy", amount=0.05) for pair in exchange.marks]
    with open_gate(sys.argv[1], max_wait_s=1.0) as gate:
        for order in run_once(exchange, gate, wishes, House()):
            logger.info("placed %(side)s %(amount)s %(symbol)s", order)


if __name__ == "__main__":
    main()
