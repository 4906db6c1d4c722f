"""liqwarn's risk flags in nautilus_trader.

`flag` is the data; `history` loads it for backtests and `gate_feed` asks for it live; `actor` sets
the risk engine's state through `risk_control`; `guard` holds a strategy's orders against it, per
instrument and side.
"""

from liqwarn_nautilus.actor import LiqwarnActor, LiqwarnActorConfig
from liqwarn_nautilus.flag import LiqwarnFlag, SideFlag
from liqwarn_nautilus.guard import LiqwarnGuardConfig, LiqwarnGuardedStrategy
from liqwarn_nautilus.history import load_flags
from liqwarn_nautilus.risk_control import mount_risk_control

__all__ = [
    "LiqwarnActor",
    "LiqwarnActorConfig",
    "LiqwarnFlag",
    "LiqwarnGuardConfig",
    "LiqwarnGuardedStrategy",
    "SideFlag",
    "load_flags",
    "mount_risk_control",
]
