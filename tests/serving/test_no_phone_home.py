"""The server talks to nobody: a process in which any other address than loopback is an error."""

import subprocess
import sys

import orjson

PROGRAM = """
import sys
from ipaddress import ip_address

called = []


def is_here(host):
    try:
        return host in (None, "", "localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


def watch(event, arguments):
    # every way in which Python's sockets reach another machine, or ask for its address
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        hosts = [address[0]] if isinstance(address, tuple) else []
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        hosts = [arguments[0]]
    else:
        return
    for host in hosts:
        host = host.decode() if isinstance(host, bytes) else host
        if not is_here(host):
            called.append((event, str(host)))
            raise PermissionError(host)


sys.addaudithook(watch)

import importlib, pkgutil, socket, threading, time, urllib.request
import orjson, uvicorn
import liqwarn.serving
from liqwarn.policy.ladder import parse_policy

for info in pkgutil.iter_modules(liqwarn.serving.__path__, "liqwarn.serving."):
    importlib.import_module(info.name)

import hashlib, yaml
from pathlib import Path
from liqwarn.serving.run import make_server

policy = parse_policy(yaml.safe_load(Path(sys.argv[1]).read_bytes()), sha256="0")
made = make_server(Path(sys.argv[2]), policy)
# the loop of asyncio: uvloop's own calls would not pass the hook
config = uvicorn.Config(made.config.app, loop="asyncio", log_config=None)
server = uvicorn.Server(config)
listening = socket.create_server(("127.0.0.1", 0))
thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
thread.start()
while not server.started:
    time.sleep(0.01)
url = f"http://127.0.0.1:{listening.getsockname()[1]}"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
statuses = [opener.open(url + path).status for path in ("/healthz", "/openapi.json")]
server.should_exit = True
thread.join()
try:
    socket.create_connection(("192.0.2.1", 9), timeout=0.1)
except PermissionError:
    statuses.append("refused")
modules = sorted(name for name in ("mlflow", "dask", "apprise") if name in sys.modules)
print(orjson.dumps({"called": called, "statuses": statuses, "modules": modules}).decode())
"""


def test_the_server_reaches_nobody_and_loads_nothing_that_might(tmp_path, pytestconfig):
    policy = pytestconfig.rootpath / "conf" / "policy.yaml"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(policy), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    told = orjson.loads(done.stdout)
    assert told["statuses"] == [200, 200, "refused"]
    assert told["called"] == [
        ["socket.getaddrinfo", "192.0.2.1"]
    ]  # ours, to see that the hook works
    assert told["modules"] == []
