"""Run the application on this machine, for this machine."""

from ipaddress import ip_address
from pathlib import Path

import uvicorn

from liqwarn.errors import ConfigError
from liqwarn.policy.tiers import Policy
from liqwarn.serving.app import create_app, folder_sources
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.flag_file import FlagFile
from liqwarn.serving.server import FlagServer

__all__ = ["make_server", "run"]


def make_server(
    flags: Path, policy: Policy, *, host: str = "127.0.0.1", port: int = 8000
) -> uvicorn.Server:
    """A server of a file of flags, not yet started.

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
        For any other address: there is no authentication yet.
    """
    _need_loopback(host)
    folder = flags.parent if flags.suffix == ".json" else flags
    app = create_app(
        FlagFile(flags), policy=policy, clock=SystemClock(), sources=folder_sources(folder)
    )
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ws_max_size=4_096,  # nobody has anything to say there
        timeout_graceful_shutdown=3,
        log_level="warning",
        access_log=False,
    )
    return FlagServer(config, hub=app.state.hub)


def run(flags: Path, policy: Policy, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until interrupted; see :func:`make_server`."""
    make_server(flags, policy, host=host, port=port).run()


def _need_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigError(
            f"host is {host!r}, expected a loopback address such as 127.0.0.1: serving other "
            "machines needs authentication, which this version does not have"
        )
