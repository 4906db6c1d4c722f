"""What venues tell while a market runs, in one vocabulary: messages between readers and tables.

Times are the venue's own, in whole milliseconds since the epoch. Sizes are coins, whatever the
venue counts in. Values are finite; a message that cannot say so is refused by its reader.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from liqwarn.frames import Side

__all__ = [
    "KINDS",
    "Candle",
    "Happening",
    "Kind",
    "Liquidation",
    "Position",
    "PriceIs",
    "Reading",
    "Trade",
]

Kind = Literal[
    "liquidation", "mark", "open_interest", "funding", "depth", "candle", "trade", "position"
]
"""What can be collected."""

KINDS: tuple[Kind, ...] = get_args(Kind)

PriceIs = Literal["average", "bankruptcy", "mark", "order"]
"""What the price of a liquidation is: of the fills, of no equity left, the venue's fair price when
it took the position over, or of the order sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """A position, or a part of one, that the venue closed by force.

    Attributes
    ----------
    symbol : str
        Such as ``BTCUSDT``.
    time_ms : int
    side : {"long", "short"}
        Whose position was closed: ``long`` means that a long was liquidated, the venue **sold**.
    price : float
        Quote per coin, as the venue states it; `price_is` says which one it is.
    price_is : {"average", "bankruptcy", "mark", "order"}
    size : float
        Coins, above 0.
    """

    symbol: str
    time_ms: int
    side: Side
    price: float
    price_is: PriceIs
    size: float

    @property
    def usd(self) -> float:
        """Notional in quote.

        Examples
        --------
        >>> Liquidation(symbol="BTCUSDT", time_ms=0, side="long", price=50_000.0,
        ...             price_is="average", size=0.5).usd
        25000.0
        """
        return self.price * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The value of a field at a moment.

    Attributes
    ----------
    symbol : str
    time_ms : int
    field : str
        Of :data:`liqwarn.frames.FIELDS`, in its unit: ``mark``, ``index``, ``open_interest``,
        ``funding_rate``, ``funding_interval_h``, ``bid_depth_usd``, ``ask_depth_usd``.
    value : float
    """

    symbol: str
    time_ms: int
    field: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """A closed minute.

    Attributes
    ----------
    symbol : str
    time_ms : int
        Its **close**, a whole minute.
    open, high, low, close : float
        Quote per coin.
    volume : float
        Coins.
    taker_buy_volume : float
        Coins; NaN where the venue does not tell.
    """

    symbol: str
    time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    taker_buy_volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A trade; `side` is the taker's, `key` the venue's name of it."""

    symbol: str
    time_ms: int
    side: Literal["buy", "sell"]
    price: float
    size: float
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """An account's position where the venue shows it to everybody.

    Attributes
    ----------
    symbol : str
    time_ms : int
    owner : str
        The account, as the venue names it.
    size : float
        Coins, negative for a short, 0 when there is none any more.
    entry, liquidation_price : float
        Quote per coin; NaN where the venue does not tell.
    leverage : float
        NaN where the venue does not tell.
    """

    symbol: str
    time_ms: int
    owner: str
    size: float
    entry: float
    liquidation_price: float
    leverage: float


Happening = Liquidation | Reading | Candle | Trade | Position
