"""The reader in an execution system: may this side of this symbol take new risk, now."""

from liqwarn.client.decision import Decision
from liqwarn.client.gate import Gate
from liqwarn.client.opening import open_gate

__all__ = ["Decision", "Gate", "open_gate"]
