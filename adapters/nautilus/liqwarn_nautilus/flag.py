"""A flag as nautilus data: what execution may do on both sides of one symbol."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import DataType

from liqwarn.decisions import Limits

__all__ = ["FLAG_TOPIC", "FLAG_TYPE", "SIDES", "LiqwarnFlag", "SideFlag"]

SIDES = ("long", "short")


@dataclass(frozen=True, slots=True)
class SideFlag:
    """One side of a flag.

    Attributes
    ----------
    tier : int
        0 to 5.
    state : str
        ``ACTIVE``, ``REDUCING`` or ``HALTED``; the last is only ever an operator's.
    limits : Limits
        Factors on the house's own limits; they speak of orders that increase exposure.
    p_4h : float or None
        Probability of a cascade within 4 hours.
    """

    tier: int
    state: str
    limits: Limits
    p_4h: float | None = None

    @property
    def new_risk(self) -> bool:
        """Whether exposure of the side may grow at all."""
        limits = self.limits
        some = min(limits.leverage_frac, limits.order_size_frac, limits.add_frac) > 0
        return self.state == "ACTIVE" and limits.net_increase and some


class LiqwarnFlag(Data):
    """The flag of one symbol.

    Parameters
    ----------
    symbol : str
        As liqwarn names it.
    sequence : int
        Grows with every flag of the symbol; a lower one is refused.
    quality : str
        ``ok``, ``degraded``, ``stale`` or ``unknown``.
    valid_until_ns : int
        UNIX nanoseconds from which on it counts as stale.
    long, short : SideFlag
    ts_event, ts_init : int
        UNIX nanoseconds of the bar's close, and of when the flag was issued. A backtest delivers
        it at `ts_init`, never before.
    """

    def __init__(  # noqa: PLR0913 - one a field
        self,
        *,
        symbol: str,
        sequence: int,
        quality: str,
        valid_until_ns: int,
        long: SideFlag,
        short: SideFlag,
        ts_event: int,
        ts_init: int,
    ) -> None:
        self.symbol = symbol
        self.sequence = sequence
        self.quality = quality
        self.valid_until_ns = valid_until_ns
        self.long = long
        self.short = short
        self._ts_event = ts_event
        self._ts_init = ts_init

    @property
    def ts_event(self) -> int:
        """UNIX nanoseconds of the bar's close."""
        return self._ts_event

    @property
    def ts_init(self) -> int:
        """UNIX nanoseconds of when the flag was issued, or received."""
        return self._ts_init

    def side(self, name: str) -> SideFlag:
        """The side of that name: ``long`` or ``short``."""
        return self.long if name == "long" else self.short

    def to_dict(self) -> dict[str, Any]:
        """The flag as plain values, for a log or a file."""
        return {
            "symbol": self.symbol,
            "sequence": self.sequence,
            "quality": self.quality,
            "valid_until_ns": self.valid_until_ns,
            "long": _plain(self.long),
            "short": _plain(self.short),
            "ts_event": self.ts_event,
            "ts_init": self.ts_init,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "LiqwarnFlag":
        """A flag from what :meth:`to_dict` gave."""
        sides = {name: _side(values[name]) for name in SIDES}
        return cls(**{**values, **sides})

    def __repr__(self) -> str:
        return (
            f"LiqwarnFlag({self.symbol}, long=T{self.long.tier} {self.long.state}, "
            f"short=T{self.short.tier} {self.short.state}, quality={self.quality}, "
            f"sequence={self.sequence}, ts_event={self.ts_event}, ts_init={self.ts_init})"
        )


def _plain(side: SideFlag) -> dict[str, Any]:
    return {
        "tier": side.tier,
        "state": side.state,
        "limits": asdict(side.limits),
        "p_4h": side.p_4h,
    }


def _side(values: dict[str, Any]) -> SideFlag:
    known = {field.name for field in fields(Limits)}
    limits = Limits(**{k: v for k, v in values["limits"].items() if k in known})
    return SideFlag(values["tier"], values["state"], limits, values["p_4h"])


FLAG_TYPE = DataType(LiqwarnFlag)
FLAG_TOPIC = f"data.{FLAG_TYPE.topic}"
