"""Whom the strategy asks: the live gate, a history, or nobody, who always denies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from liqwarn.client import Decision, open_gate
from liqwarn.client.decision import denied
from liqwarn_freqtrade.history import read_history
from liqwarn_freqtrade.settings import Settings

__all__ = ["Asked", "LiveGate", "NoGate", "allows", "gate_of"]

Side = Literal["long", "short"]


class Asked(Protocol):
    """What answers whether a side may grow at a moment."""

    def ask(self, symbol: str, side: str, now: datetime) -> Decision:
        """The decision for a position's side."""


class LiveGate:
    """liqwarn's own client; it has its own clocks, so the moment is its own too."""

    def __init__(self, gate: Callable[[str, Side], Decision]) -> None:
        self._gate = gate

    def ask(self, symbol: str, side: str, now: datetime) -> Decision:  # noqa: ARG002 its own clock
        """What the client says now."""
        return self._gate(symbol, cast("Side", side))


class NoGate:
    """Denies, and says why there is nothing to ask."""

    def __init__(self, why: str) -> None:
        self.why = why

    def ask(self, symbol: str, side: str, now: datetime) -> Decision:  # noqa: ARG002 never later
        """No."""
        return denied(symbol, side, self.why)


def allows(decision: Decision) -> bool:
    """Whether exposure may grow; everything that says so must say so."""
    return (
        decision.new_risk is True
        and decision.fresh is True
        and decision.state == "ACTIVE"
        and decision.quality in ("ok", "degraded")
        and decision.order_size_frac > 0
    )


def gate_of(settings: Settings, runmode: str) -> Asked:
    """The gate of a run.

    Parameters
    ----------
    runmode : str
        freqtrade's word: ``live`` and ``dry_run`` ask the client, everything else a history.

    Raises
    ------
    LiqwarnError, OSError
        When the history, the policy or the keys cannot be read.
    """
    if runmode in ("live", "dry_run"):
        if settings.source is None:
            return NoGate("the configuration names no source of flags")
        return LiveGate(_client(settings))
    if settings.history is None or settings.policy is None:
        return NoGate("the configuration names no flag history and policy to test with")
    delay = timedelta(seconds=settings.delay_s)
    return read_history(Path(settings.history), Path(settings.policy), delay=delay)


def _client(settings: Settings) -> Any:  # noqa: ANN401 a callable gate
    return open_gate(
        cast("str", settings.source),
        keys=None if settings.keys is None else Path(settings.keys),
        api_key=settings.api_key,
        max_wait_s=settings.max_wait_s,
    )
