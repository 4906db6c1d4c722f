"""A server with open streams stops at once, and says so."""

import gc
import socket
import threading
import time

import httpx
import pytest
import uvicorn

from liqwarn.serving.app import create_app
from liqwarn.serving.server import FlagServer
from liqwarn.serving.shelf import FlagShelf


def test_open_streams_do_not_keep_it_up(policy, clock):
    app = create_app(FlagShelf(), policy=policy, clock=clock)
    server = FlagServer(uvicorn.Config(app, log_config=None), hub=app.state.hub)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [probe]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/v1/stream"
        with httpx.stream("GET", url, trust_env=False, timeout=10) as stream:
            lines = stream.iter_lines()
            next(lines)
            server.should_exit = True
            said = list(lines)
        thread.join(5)
    assert not thread.is_alive()
    assert said[-3:] == ["event: dropped", 'data: {"detail":"the server is stopping"}', ""]


@pytest.mark.parametrize(
    ("alone", "happened"), [(True, ["collect", "freeze", "run"]), (False, ["run"])]
)
def test_the_collector_passes_by_what_was_made_before_it_serves(
    policy, clock, monkeypatch, alone, happened
):
    """A guest in somebody's process leaves that one's collector alone."""
    told = []
    monkeypatch.setattr(gc, "collect", lambda: told.append("collect"))
    monkeypatch.setattr(gc, "freeze", lambda: told.append("freeze"))
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: told.append("run"))
    app = create_app(FlagShelf(), policy=policy, clock=clock)
    server = FlagServer(uvicorn.Config(app, log_config=None), hub=app.state.hub)
    if alone:
        server.run()
    else:
        thread = threading.Thread(target=server.run)
        thread.start()
        thread.join(5)

    assert told == happened
