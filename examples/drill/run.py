"""The runbook's drill on a simulated market in real time: about a quarter of an hour.

Run: python examples/drill/run.py [FOLDER [SECONDS]]

A real `liqwarn serve` with released bundle, signed flags, board and API key on loopback; a producer
of bars; gates over board and HTTP. The server is killed with -9 and comes back, the feed is
stopped and comes back, and what the gates answer meanwhile is written down with times. Where to
find the server stands in FOLDER/drill.json, for bots that are to take part; for them it goes on for
SECONDS in the end.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from market import BAR, SYMBOLS, DrillFiles, make_market
from watch import Watcher, status_of, text_of

BAR_S = BAR.total_seconds()
COMMAND = str(Path(sys.executable).with_name("liqwarn"))


def liqwarn(*words: object) -> str:
    """Run a command of liqwarn to its end; its standard output."""
    done = subprocess.run([COMMAND, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


class Drill:
    """A server, its producer, and the folder they share."""

    patience_s = 5

    def __init__(self, folder: Path, files: DrillFiles) -> None:
        self.folder, self.files = folder, files
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        shared = Path("/dev/shm")
        self.board = (shared if shared.is_dir() else folder) / f"liqwarn-drill-{os.getpid()}.board"
        self.feed = f"unix:{folder / 'bars.sock'}"
        self._keys()
        self.token = json.loads(
            liqwarn("keys", "add", "--name", "desk", "--scope", "read", "--scope", "admin",
                    "--file", folder / "api-keys.json", "--json")
        )["token"]  # fmt: skip
        public = self.folder / "flags-public"
        secret = folder / "api-key"
        secret.touch(mode=0o600)
        secret.write_text(self.token)
        told = {"url": self.url, "board": self.board, "keys": public, "api_key_file": secret}
        (folder / "drill.json").write_text(json.dumps({k: str(v) for k, v in told.items()}))
        self.server: subprocess.Popen[bytes] | None = None
        self.producer: subprocess.Popen[bytes] | None = None

    def _keys(self) -> None:
        for name in ("release", "flags"):
            secret, public = self.folder / f"{name}-secret", self.folder / f"{name}-public"
            liqwarn("bundle", "keygen", "--out", secret)
            public.mkdir()
            for key in secret.glob("*.pem"):
                key.rename(public / key.name)
        liqwarn("bundle", "release", self.files.model, "--to", self.folder / "releases",
                "--key", self.folder / "release-secret/signing.key",
                "--policy", self.files.policy)  # fmt: skip

    def serve(self) -> tuple[float, float]:
        """Start the server; seconds until it lives, and until it is ready."""
        began, folder = time.monotonic(), self.folder
        with (folder / "serve.log").open("ab") as log:
            self.server = subprocess.Popen(
                [COMMAND, "serve", "--panel", self.files.panel, "--store", self.files.store,
                 "--data", folder / "files", "--out", folder / "live", "--feed", self.feed,
                 "--releases", folder / "releases", "--trust", folder / "release-public",
                 "--policy", self.files.policy, "--sign", folder / "flags-secret/signing.key",
                 "--board", self.board, "--keys", folder / "api-keys.json",
                 "--patience-s", str(self.patience_s), "--port", self.url.rpartition(":")[2]],
                stdout=log, stderr=log,
            )  # fmt: skip
        alive = self._until("/healthz", began)
        return alive, self._until("/readyz", began)

    def _until(self, path: str, began: float, within_s: float = 3 * BAR_S) -> float:
        while time.monotonic() - began < within_s:
            if status_of(self.url + path, self.token) == 200:
                return time.monotonic() - began
            if self.server is not None and self.server.poll() is not None:
                raise SystemExit((self.folder / "serve.log").read_text()[-2000:])
            time.sleep(0.02)
        raise SystemExit(f"{path} did not answer 200 within {within_s:.0f} s")

    def send(self) -> None:
        """Start the producer."""
        script = Path(__file__).with_name("feed_bars.py")
        with (self.folder / "feed.log").open("ab") as log:
            self.producer = subprocess.Popen(
                [sys.executable, str(script), str(self.files.coming), self.feed],
                stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill the server as a lost machine would."""
        if self.server is not None:
            self.server.send_signal(signal.SIGKILL)
            self.server.wait()

    def silence(self) -> None:
        """Stop the producer."""
        if self.producer is not None:
            self.producer.kill()
            self.producer.wait()

    def metrics(self) -> str:
        """The lines of /metrics that the alerts of a silent feed look at."""
        kept = ("liqwarn_newest_bar_age_seconds ", "liqwarn_flags{")
        lines = text_of(f"{self.url}/metrics", self.token).splitlines()
        return "; ".join(line.removeprefix("liqwarn_") for line in lines if line.startswith(kept))

    def end(self) -> None:
        """Stop everything."""
        self.silence()
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(timeout=30)
        self.board.unlink(missing_ok=True)


def run(folder: Path, linger_s: float) -> None:
    """The drill."""
    left = BAR_S - time.time() % BAR_S
    if left < BAR_S / 2:  # the first start must be over before the next bar closes
        print(f"waiting {left:.0f} s for a bar to begin", flush=True)
        time.sleep(left + 1)
    print("The market is simulated.", flush=True)
    drill = Drill(folder, make_market(folder, datetime.now(UTC)))
    watch = Watcher(
        {"board": f"board:{drill.board}", "http": drill.url},
        SYMBOLS[0],
        folder / "flags-public",
        drill.token,
    )
    figures: list[tuple[str, float | None]] = []

    def figure(what: str, seconds: float | None) -> None:
        figures.append((what, seconds))
        watch.note("drill", f"{what}: {'never' if seconds is None else f'{seconds:.1f} s'}")

    try:
        _steps(drill, watch, figure)
        time.sleep(linger_s)
    finally:
        watch.close()
        drill.end()
    print("\n| what | seconds |\n|---|---:|")
    for what, seconds in figures:
        print(f"| {what} | {'never' if seconds is None else f'{seconds:.1f}'} |")
    print(f"\nlog, record and audit are in {folder}")


def _steps(drill: Drill, watch: Watcher, figure) -> None:  # noqa: ANN001
    drill.send()
    watch.note("drill", "start the server, the producer waits for it")
    alive, ready = drill.serve()
    figure("first start to /healthz 200", alive)
    figure("first start to /readyz 200 (the first bar has closed)", ready)
    figure("until both gates let a long grow", watch.wait_for(lambda d: d.new_risk, 3 * BAR_S))
    watch.note("drill", f"metrics: {drill.metrics()}")
    usual = watch.tier

    def calm(tier: str) -> bool:
        return tier <= usual

    watch.note("drill", "kill -9 the server, and start it again")
    drill.kill()
    alive, ready = drill.serve()
    figure("kill -9 to /healthz 200", alive)
    figure("kill -9 to /readyz 200", ready)
    figure("until both gates let a long grow", watch.wait_for(lambda d: d.new_risk, 3 * BAR_S))

    watch.note("drill", "stop the feed")
    drill.silence()
    denied = watch.wait_for(lambda decision: not decision.new_risk, 3 * BAR_S)
    figure("feed stopped, to both gates deny", denied)
    watch.note("drill", f"/readyz {status_of(drill.url + '/readyz', drill.token)}")
    figure("after that, to the flag at T3", watch.wait_for_tier(lambda t: t >= "T3", 3 * BAR_S))
    watch.note("drill", f"metrics: {drill.metrics()}")

    watch.note("drill", "start the feed")
    drill.send()
    allowed = watch.wait_for(lambda decision: decision.new_risk, 6 * BAR_S)
    figure("feed started, to both gates let a long grow", allowed)
    watch.note("drill", f"/readyz {status_of(drill.url + '/readyz', drill.token)}")
    figure("after that, to the flag at its tier before", watch.wait_for_tier(calm, 6 * BAR_S))
    watch.note("drill", f"metrics: {drill.metrics()}")
    print(liqwarn("audit", "verify", drill.folder / "live" / "audit.jsonl"), end="", flush=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    where = Path(words[0]) if words else Path(tempfile.mkdtemp(prefix="liqwarn-drill-"))
    where.mkdir(exist_ok=True)
    run(where, float(words[1]) if len(words) > 1 else 0.0)
