"""How many flags a second one server process answers, beside what one would pick instead.

    python benchmarks/bench_http.py [--seconds 5] [--symbols 300] [--no-mlflow]

Every server is a process of its own on loopback, asked by 16 keep-alive clients. The load comes
from ``wrk`` where it is installed (one thread), else from an asyncio client in another process,
which then is the slower of the two. All servers are measured one after the other in each round,
so that a busy machine is busy for all of them; the table gives the median round.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

CLIENTS = 16
HERE = Path(__file__).parent
SERVER = HERE / "bench_http_server.py"


@dataclass(frozen=True)
class Load:
    """What one server answered: requests a second, median and 99th percentile in ms, errors."""

    rate: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True)
class Case:
    """A server and what it is asked."""

    name: str
    command: Callable[[int], list[str]]
    path: str
    method: str = "GET"
    body: bytes = b""
    clients: int = CLIENTS


def flag_cases(symbols: int) -> list[Case]:
    def command(kind: str) -> Callable[[int], list[str]]:
        return lambda port: [sys.executable, str(SERVER), kind, str(port), str(symbols)]

    one, all_ = "/v1/flags/S000USDT", "/v1/flags"
    return [
        Case("one flag, memory, signed", command("memory"), one),
        Case("one flag, a file", command("file"), one),
        Case("one flag, published 5 times a second", command("busy"), one),
        Case("one flag by FastAPI's routing", command("routed"), one),
        Case(f"all {symbols} flags, memory", command("memory"), all_),
        Case("readyz", command("memory"), "/readyz"),
    ]


def mlflow_case(folder: Path) -> Case:
    """A tiny model behind ``mlflow models serve``, one row a request."""
    model = folder / "model"
    subprocess.run([sys.executable, str(SERVER), "save", "0", str(model)], check=True)
    body = b'{"dataframe_split": {"columns": ["a", "b"], "data": [[0.1, 0.2]]}}'

    def command(port: int) -> list[str]:
        tool = str(Path(sys.executable).with_name("mlflow"))
        options = ["--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)]
        return [tool, "models", "serve", "-m", str(model), *options]

    return Case("mlflow models serve, one row", command, "/invocations", "POST", body)


@contextmanager
def running(case: Case) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tools = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    process = subprocess.Popen(
        case.command(port),
        start_new_session=True,
        env={**os.environ, "PATH": tools},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(1_200):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise SystemExit(f"{case.name}: the server ended with {process.returncode}")
            time.sleep(0.1)
        time.sleep(0.5)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # mlflow starts its server as a child
        process.wait()


def measure(case: Case, seconds: float) -> Load:
    with running(case) as port:
        ask(case, port, 0.5)
        return ask(case, port, seconds)


def ask(case: Case, port: int, seconds: float) -> Load:
    if shutil.which("wrk"):
        return ask_with_wrk(case, port, seconds)
    return asyncio.run(ask_with_asyncio(case, port, seconds))


def ask_with_wrk(case: Case, port: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "ask.lua"
        lines = [f'wrk.method = "{case.method}"']
        if case.body:
            lines += [f"wrk.body = '{case.body.decode()}'"]
            lines += ['wrk.headers["Content-Type"] = "application/json"']
        script.write_text("\n".join(lines))
        span = f"-d{max(1, round(seconds))}s"
        url = f"http://127.0.0.1:{port}{case.path}"
        command = ["wrk", "-t1", f"-c{case.clients}", span, "--latency", "-s", str(script), url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {name: _ms(value) for name, value in re.findall(r"^\s+(50|99)%\s+(\S+)$", said, re.M)}
    rate = re.search(r"Requests/sec:\s+(\S+)", said)
    errors = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    return Load(float(rate[1]) if rate else 0.0, found["50"], found["99"], errors)


def _ms(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


async def ask_with_asyncio(case: Case, port: int, seconds: float) -> Load:
    end = time.perf_counter() + seconds
    spans: list[float] = []
    errors = 0
    head = f"{case.method} {case.path} HTTP/1.1\r\nHost: localhost\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(case.body)}\r\n\r\n"
    request = (head + kind).encode() + case.body

    async def client() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            started = time.perf_counter()
            writer.write(request)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = re.search(rb"content-length: (\d+)", answer)
            await reader.readexactly(int(length[1]))
            spans.append(time.perf_counter() - started)
            errors += b" 200 " not in answer.split(b"\r\n")[0]
        writer.close()

    await asyncio.gather(*(client() for _ in range(case.clients)))
    spans.sort()
    cut = [1e3 * spans[int(share * (len(spans) - 1))] for share in (0.5, 0.99)]
    return Load(len(spans) / seconds, *cut, errors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--symbols", type=int, default=300)
    parser.add_argument("--no-mlflow", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = flag_cases(given.symbols)
        if not given.no_mlflow:
            cases.append(mlflow_case(Path(folder)))
        rounds = [[measure(case, given.seconds) for case in cases] for _ in range(given.rounds)]
    tool = "wrk" if shutil.which("wrk") else "an asyncio client"
    print(f"{CLIENTS} keep-alive clients of {tool}, {given.rounds} rounds of {given.seconds:g} s\n")
    print("| server | requests/s | p50 ms | p99 ms | errors |\n|---|---|---|---|---|")
    for case, loads in zip(cases, zip(*rounds, strict=True), strict=True):
        middle = sorted(loads, key=lambda load: load.rate)[len(loads) // 2]
        middle = replace(middle, p99=statistics.median(load.p99 for load in loads))
        wrong = sum(load.errors for load in loads)
        print(
            f"| {case.name} | {middle.rate:,.0f} | {middle.p50:.2f} | {middle.p99:.2f} | {wrong} |"
        )


if __name__ == "__main__":
    main()
