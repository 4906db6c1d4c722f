"""Live: asks the gate of :mod:`liqwarn.client` by a timer, and publishes what it says as flags."""

import math
from datetime import timedelta
from pathlib import Path

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.core.message import Event

from liqwarn.client import Decision, Gate, open_gate
from liqwarn.decisions import Limits
from liqwarn_nautilus.flag import FLAG_TYPE, LiqwarnFlag, SideFlag

__all__ = ["LiqwarnGateFeed", "LiqwarnGateFeedConfig", "flag_of"]

_POLL = "liqwarn-poll"


class LiqwarnGateFeedConfig(ActorConfig, frozen=True, kw_only=True):
    """Where flags come from.

    Attributes
    ----------
    source : str
        ``board:PATH``, ``http://HOST:PORT`` or ``file:PATH``.
    symbols : list of str
        As liqwarn names them.
    keys : str or None
        Path of the public keys; with it unsigned flags count as none.
    api_key_file : str or None
        File with the key of the HTTP service; a key itself never stands in a config.
    poll_interval_s : float
    max_wait_s : float
        The longest one question may hold the event loop; two are asked a symbol and poll.
    """

    source: str
    symbols: list[str]
    keys: str | None = None
    api_key_file: str | None = None
    poll_interval_s: float = 1.0
    max_wait_s: float = 0.005


def flag_of(long: Decision, short: Decision, now_ns: int, last_sequence: int = 0) -> LiqwarnFlag:
    """The flag that two answers of a gate make.

    Parameters
    ----------
    long, short : Decision
        Of the same symbol.
    now_ns : int
        When they were asked; the flag's `ts_init`.
    last_sequence : int
        Of the flag before. Answers without a usable flag carry it on, so that they withdraw it and
        are not refused as older.
    """
    fresh = long.fresh and short.fresh and long.sequence == short.sequence
    sequence = long.sequence if fresh else max(long.sequence, short.sequence, last_sequence)
    ends = [d.valid_until_s for d in (long, short)]
    until = min(ends) if fresh and not any(map(math.isnan, ends)) else now_ns / 1e9
    as_of = long.as_of_s if not math.isnan(long.as_of_s) else now_ns / 1e9
    return LiqwarnFlag(
        symbol=long.symbol,
        sequence=sequence,
        quality=long.quality if fresh else "stale",
        valid_until_ns=_ns(until),
        long=_side(long),
        short=_side(short),
        ts_event=min(_ns(as_of), now_ns),
        ts_init=now_ns,
    )


def _ns(seconds: float) -> int:
    return round(seconds * 1e6) * 1_000


def _side(decision: Decision) -> SideFlag:
    limits = Limits(
        leverage_frac=decision.leverage_frac,
        order_size_frac=decision.order_size_frac,
        add_frac=decision.add_frac,
        collateral_buffer_mult=decision.collateral_buffer_mult,
        max_participation_frac=decision.max_participation_frac,
        net_increase=decision.new_risk,
        post_only=decision.post_only,
        collar_frac=decision.collar_frac,
        cancel_increasing=decision.cancel_increasing,
    )
    return SideFlag(decision.tier, decision.state, limits, decision.p_4h)


class LiqwarnGateFeed(Actor):
    """Publishes a flag a symbol and poll; add it beside LiqwarnActor."""

    def __init__(self, config: LiqwarnGateFeedConfig, gate: Gate | None = None) -> None:
        super().__init__(config)
        self._gate = gate
        self._sequences: dict[str, int] = {}

    def on_start(self) -> None:
        """Open the gate, and poll at once."""
        if self._gate is None:
            self._gate = _open(self.config)
        self.clock.set_timer(
            _POLL, timedelta(seconds=self.config.poll_interval_s), callback=self._on_poll
        )
        self._on_poll(None)

    def on_stop(self) -> None:
        """Stop polling; the last flags run out by themselves."""
        if _POLL in self.clock.timer_names:
            self.clock.cancel_timer(_POLL)
        if self._gate is not None:
            self._gate.close()
            self._gate = None

    def _on_poll(self, _event: Event | None) -> None:
        for symbol in self.config.symbols:
            now = self.clock.timestamp_ns()
            long, short = self._gate(symbol, "long"), self._gate(symbol, "short")
            if long.sequence != short.sequence:  # a flag was published between the two questions
                long = self._gate(symbol, "long")
            flag = flag_of(long, short, now, self._sequences.get(symbol, 0))
            self._sequences[symbol] = flag.sequence
            self.publish_data(FLAG_TYPE, flag)


def _open(config: LiqwarnGateFeedConfig) -> Gate:
    api_key = Path(config.api_key_file).read_text().strip() if config.api_key_file else None
    return open_gate(
        config.source,
        keys=None if config.keys is None else Path(config.keys),
        api_key=api_key,
        max_wait_s=config.max_wait_s,
    )
