"""apprise against a real receiver on loopback."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest

from liqwarn.errors import ConfigError
from liqwarn.serving.alert_events import Alert
from liqwarn.serving.alerts import open_notifier, read_addresses

# apprise loads all its carriers when it is first asked, and what they import warns
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ALERT = Alert(kind="tier", severity="failure", title="T4: BTC long", text="Market: real.")


@pytest.fixture
def receiver():
    """A server that keeps what is posted to it, and answers with `status`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.received.append(orjson.loads(body))
            self.send_response(server.status)
            self.end_headers()

        def log_message(self, *told):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.received, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def address(receiver):
    pytest.importorskip("apprise", reason="the extra liqwarn[alerts] is not installed")
    return f"json://127.0.0.1:{receiver.server_port}/hook"


def test_an_alert_arrives(receiver, address):
    assert open_notifier([address])(ALERT)

    (found,) = receiver.received
    assert found["title"] == "liqwarn: T4: BTC long"
    assert found["message"].startswith("Market: real.")
    assert found["type"] == "failure"


def test_a_receiver_that_fails_is_told_as_failed(receiver, address):
    receiver.status = 500

    assert not open_notifier([address])(ALERT)


def test_a_receiver_that_is_gone_is_told_as_failed(receiver, address):
    receiver.server_close()

    assert not open_notifier([address])(ALERT)


@pytest.mark.parametrize("url", ["nothing", "nosuch://user:hunter2@host/"])
def test_an_address_that_is_none_is_refused_and_not_shown(address, url):
    with pytest.raises(ConfigError, match="alert address 2 of 2: not understood") as refused:
        open_notifier([address, url])

    assert "hunter2" not in str(refused.value)


def test_without_apprise_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(ConfigError, match=r"expected liqwarn\[alerts\]"):
        open_notifier([])


def test_a_file_stands_for_its_addresses(receiver, address, tmp_path):
    path = tmp_path / "alerts"
    path.touch(mode=0o600)
    path.write_text(f"# ours\n{address}\n")

    assert open_notifier([f"file:{path}"])(ALERT)
    assert len(receiver.received) == 1


def test_addresses_are_read_one_a_line(tmp_path):
    path = tmp_path / "alerts"
    path.touch(mode=0o600)
    path.write_text("# mail\n\n mailto://a \njson://b\n")

    assert read_addresses(path) == ("mailto://a", "json://b")


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (b"json://hunter2\n", 0o644, "mode is 0644, expected 0600"),
        (b"# none\n", 0o600, "no address, expected one a line"),
        (b"\xff\n", 0o600, "cannot be read: UnicodeDecodeError"),
        (None, 0, "cannot be read: FileNotFoundError"),
    ],
)
def test_a_file_of_addresses_that_is_wrong_is_refused(tmp_path, content, mode, why):
    path = tmp_path / "alerts"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)

    with pytest.raises(ConfigError, match=why) as refused:
        read_addresses(path)
    assert "hunter2" not in str(refused.value)
