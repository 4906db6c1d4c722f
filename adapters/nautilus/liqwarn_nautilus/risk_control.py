"""The one door to the risk engine: two commands over the message bus.

The risk engine of nautilus_trader 1.221 has methods for its trading state and its caps, and no
command for either: its ``RiskEngine.execute`` endpoint takes orders alone. So an endpoint of our
own is mounted once, where the kernel is at hand; components send it commands and never hold the
engine. Backtest and live are mounted alike: both have a kernel.
"""

from dataclasses import dataclass
from decimal import Decimal

from nautilus_trader.model.enums import TradingState
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.risk.engine import RiskEngine
from nautilus_trader.system.kernel import NautilusKernel

from liqwarn.errors import ConfigError

__all__ = [
    "CONTROL_ENDPOINT",
    "RiskControl",
    "SetNotionalCap",
    "SetTradingState",
    "mount_risk_control",
    "strictest",
]

CONTROL_ENDPOINT = "LiqwarnRiskControl.execute"

_STRICTNESS = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)


@dataclass(frozen=True, slots=True)
class SetTradingState:
    """The state that the flags ask for."""

    state: TradingState
    reason: str


@dataclass(frozen=True, slots=True)
class SetNotionalCap:
    """Largest notional of one order of an instrument, in its quote currency; None is none."""

    instrument_id: InstrumentId
    value: Decimal | None


def strictest(*states: TradingState) -> TradingState:
    """The strictest of some states: ACTIVE, then REDUCING, then HALTED."""
    return max(states, key=_STRICTNESS.index)


class RiskControl:
    """Obeys the commands, and never loosens what somebody else has tightened.

    Parameters
    ----------
    risk_engine : RiskEngine
        Of a backtest or of a live node.
    """

    def __init__(self, risk_engine: RiskEngine) -> None:
        self._engine = risk_engine
        self._set: TradingState = risk_engine.trading_state
        self._floor = TradingState.ACTIVE

    def execute(self, command: SetTradingState | SetNotionalCap) -> None:
        """Carry a command out."""
        if isinstance(command, SetTradingState):
            self._set_state(command.state)
        else:
            self._set_cap(command)

    def _set_state(self, wanted: TradingState) -> None:
        if self._engine.trading_state != self._set:
            self._floor = self._engine.trading_state  # by another hand: an operator's
        state = strictest(wanted, self._floor)
        if state != self._engine.trading_state:
            self._engine.set_trading_state(state)
        self._set = state

    def _set_cap(self, command: SetNotionalCap) -> None:
        if self._engine.max_notional_per_order(command.instrument_id) != command.value:
            self._engine.set_max_notional_per_order(command.instrument_id, command.value)


def mount_risk_control(kernel: NautilusKernel) -> RiskControl:
    """Put the endpoint on a kernel's message bus; call it once, before the run.

    Parameters
    ----------
    kernel : NautilusKernel
        ``engine.kernel`` of a BacktestEngine, ``node.kernel`` of a TradingNode after it was built.

    Raises
    ------
    ConfigError
        When the risk engine is bypassed: no state would ever be obeyed.
    """
    if kernel.risk_engine.is_bypassed:
        raise ConfigError("the risk engine is bypassed, expected RiskEngineConfig(bypass=False)")
    control = RiskControl(kernel.risk_engine)
    kernel.msgbus.register(endpoint=CONTROL_ENDPOINT, handler=control.execute)
    return control
