"""Serve a file of flags: on this machine for this machine, or beyond it behind keys and TLS."""

from pathlib import Path

from liqwarn.policy.tiers import Policy
from liqwarn.serving.app import create_app, folder_sources
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.flag_file import FlagFile
from liqwarn.serving.listen import ListenOrder, make_listener
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.server import FlagServer

__all__ = ["make_ordered_server", "make_server", "run"]


def make_server(
    flags: Path, policy: Policy, *, host: str = "127.0.0.1", port: int = 8000
) -> FlagServer:
    """A server of a file of flags for this machine alone, not yet started.

    Parameters
    ----------
    flags : Path
        A file of flags, or the folder with ``flags.json`` that a scoring wrote. It may still be
        missing: until it is there, the answers say what to assume.
    host : str
        A loopback address or ``localhost``.

    Raises
    ------
    ConfigError
        For any other address: see :func:`make_ordered_server`.
    """
    return make_ordered_server(flags, policy, ListenOrder(host=host, port=port))


def make_ordered_server(flags: Path, policy: Policy, order: ListenOrder) -> FlagServer:
    """The same, listening as ordered: with keys and TLS where other machines reach it.

    Raises
    ------
    ConfigError
        When the address is public without keys or TLS, or one of their files is not as it must be.
    """
    folder = flags.parent if flags.suffix == ".json" else flags
    clock = SystemClock()
    app = create_app(FlagFile(flags), policy=policy, clock=clock, sources=folder_sources(folder))
    return make_listener(app, order, clock=clock, metrics=ServingMetrics(clock))


def run(flags: Path, policy: Policy, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until interrupted; see :func:`make_server`."""
    make_server(flags, policy, host=host, port=port).run()
