"""A server with open streams stops at once, and says so."""

import socket
import threading
import time

import httpx
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
