"""The command that serves flags: of a scoring, or of the live loop."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.live_options import ServeOptions
from liqwarn.cli.live_pieces import listen_order
from liqwarn.cli.live_wiring import Wired, wire
from liqwarn.cli.options import DEFAULT_POLICY, command
from liqwarn.config import load_policy, load_settings
from liqwarn.errors import ConfigError
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.logs import logs_to
from liqwarn.serving.run import make_ordered_server

__all__: list[str] = []

_LIVE_ALONE = {
    **{name: f"--{name}" for name in ("data", "store", "out", "feed", "model", "releases")},
    **{name: f"--{name}" for name in ("trust", "unsigned", "sign", "board", "webhook", "alert")},
    **{name: f"--{name.replace('_', '-')}" for name in ("retrain", "retrain_key", "train_panel")},
    "replay_from": "--from",
}
"""Options that mean nothing for flags that were scored before."""


@command(app, "serve", ServeOptions, example="liqwarn serve --scores runs/scoring --port 8000")
def serve(options: ServeOptions) -> None:
    """Serve flags until interrupted: those of a scoring, or of the live loop on a panel."""
    if (options.scores is None) == (options.panel is None):
        raise ConfigError("expected either --scores FOLDER, or --panel FILE for the live loop")
    if options.scores is not None:
        _serve_folder(options, options.scores)
        return
    with ExitStack() as stack:
        stack.enter_context(logs_to(sys.stderr.buffer, clock=SystemClock()))
        with progress() as on_progress:
            wired = wire(options, stack, on_progress)
        _announce(options, f"the live loop on {options.panel}")
        _run(wired)


def _serve_folder(options: ServeOptions, folder: Path) -> None:
    unheard = [flag for name, flag in _LIVE_ALONE.items() if getattr(options, name)]
    if unheard:
        raise ConfigError(f"--scores does not go with {', '.join(unheard)}: they are of --panel")
    server = make_ordered_server(
        folder,
        load_policy(options.policy or DEFAULT_POLICY),
        listen_order(options),
        home=load_settings().home,
    )
    _announce(options, str(folder))
    with _ended_by_signals():
        server.run()


def _announce(options: ServeOptions, what: str) -> None:
    scheme = "http" if options.tls_cert is None else "https"
    address = f"{scheme}://{options.host}:{options.port}"
    emit({"serving": address}, as_json=options.json, text=f"serving {what} at {address}")


def _run(wired: Wired) -> None:
    """The server here, the loop and the follower of releases in threads of their own."""
    stop = threading.Event()
    if wired.follow is not None:
        threading.Thread(
            target=wired.follow.run,
            args=(stop, wired.watch.bundle),
            name="liqwarn-bundles",
            daemon=True,
        ).start()
    with _ended_by_signals():
        wired.service.start()
        if wired.retrain is not None:
            wired.retrain.start()
        try:
            wired.server.run()
        finally:
            stop.set()
            if wired.retrain is not None:
                wired.retrain.stop()
            wired.service.stop()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGINT unwind what runs, and end it well.

    The server ends at them by itself, but then raises the signal again: by default that would kill
    the process before the loop has stopped and the board was given up.
    """

    def leave(*_: object) -> None:
        raise SystemExit(0)

    before = {one: signal.signal(one, leave) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
