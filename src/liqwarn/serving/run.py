"""Serve a file of flags: on this machine for this machine, or beyond it behind keys and TLS."""

from dataclasses import replace
from pathlib import Path

import orjson

from liqwarn.policy.tiers import Policy
from liqwarn.serving.app import create_app, folder_sources
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.flag_file import FlagFile
from liqwarn.serving.ledger_watch import LedgerWatch
from liqwarn.serving.listen import ListenOrder, make_listener
from liqwarn.serving.metric_families import tell_families
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


def make_ordered_server(
    flags: Path, policy: Policy, order: ListenOrder, *, home: Path | None = None
) -> FlagServer:
    """The same, listening as ordered: with keys and TLS where other machines reach it.

    Parameters
    ----------
    home : Path or None
        ``LIQWARN_HOME``: what became of the panel's flags is told with the metrics.

    Raises
    ------
    ConfigError
        When the address is public without keys or TLS, or one of their files is not as it must be.
    """
    folder = flags.parent if flags.suffix == ".json" else flags
    clock = SystemClock()
    metrics, source = ServingMetrics(clock), FlagFile(flags)

    def newest() -> None:
        latest = source.read().latest
        if latest is not None:
            metrics.publish(latest)

    metrics.before_render(newest)
    panel = None if home is None else _panel_of(folder)
    if home is not None and panel is not None:
        tell_families(metrics.registry, LedgerWatch(home, panel, clock=clock).families)
    sources = replace(folder_sources(folder), render_metrics=metrics.render)
    app = create_app(source, policy=policy, clock=clock, sources=sources)
    return make_listener(app, order, clock=clock, metrics=metrics)


def _panel_of(folder: Path) -> str | None:
    """The panel of a scoring; None where its account does not say."""
    try:
        found = orjson.loads((folder / "scoring.json").read_bytes())["panel"]
    except (OSError, KeyError, TypeError, ValueError):
        return None
    return found if isinstance(found, str) and Path(found).name == found else None


def run(flags: Path, policy: Policy, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until interrupted; see :func:`make_server`."""
    make_server(flags, policy, host=host, port=port).run()
