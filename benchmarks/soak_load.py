"""The callers of soak.py: an open loop of mixed requests, and streams that come and go."""

import asyncio
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

_TIMEOUT_S = 20.0
_STREAM_S = 47.0
_Stamp = tuple[str, str]


@dataclass
class Seen:
    """What the callers saw.

    Attributes
    ----------
    spans : mapping of kind to seconds
        From the moment a request was due, so that a stall is seen by everyone behind it.
    statuses : counts of (kind, status)
    faults : counts of connections that broke, by error
    scores : mapping of model stamp to the hashes of the answers to one and the same question
    models : the stamps in the order in which they answered
    events : events of the streams, by name
    backwards : sequences that went back on a stream
    """

    spans: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    scores: dict[_Stamp, set[str]] = field(default_factory=lambda: defaultdict(set))
    models: list[_Stamp] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    backwards: int = 0


@dataclass(frozen=True)
class Ask:
    """One request, ready to be sent."""

    kind: str
    request: bytes


_Due = tuple[float, Ask]


def asks(symbols: Sequence[str], day: str, names: list[str]) -> list[Ask]:
    """A hundred requests in the proportions of the soak, one after the other."""
    row = [[0.1 * (k % 7) for k in range(len(names))]]
    body = orjson.dumps({"names": names, "rows": row})
    one = [Ask("flag", _get(f"/v1/flags/{symbol}")) for symbol in symbols]
    kinds = {
        "list": Ask("list", _get("/v1/flags")),
        "history": Ask("history", _get(f"/v1/flags/{symbols[0]}/history?start={day}&limit=200")),
        "score": Ask("score", _request("POST", "/v1/score", body)),
        "map": Ask("map", _get(f"/v1/map/{symbols[-1]}")),
        "ready": Ask("ready", _get("/readyz")),
        "metrics": Ask("metrics", _get("/metrics")),
        "nobody": Ask("nobody", _get("/v1/flags/NOBODYUSDT")),
    }
    shares = {"list": 15, "history": 4, "score": 14, "map": 1, "ready": 1, "metrics": 1}
    others = [kinds[kind] for kind, n in (*shares.items(), ("nobody", 1)) for _ in range(n)]
    flags = [one[k % len(one)] for k in range(100 - len(others))]
    mixed = [*flags, *others]
    return [mixed[37 * k % 100] for k in range(100)]  # 37 and 100 have no common divisor


def _get(path: str) -> bytes:
    return _request("GET", path, b"")


def _request(method: str, path: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def load(
    port: int, mix: list[Ask], *, rate: int, seconds: float, streams: int, seen: Seen
) -> None:
    """Ask `rate` times a second for so long, with `streams` listeners beside."""
    until = time.perf_counter() + seconds
    listeners = [asyncio.create_task(_listen(port, until, 3.0 * k, seen)) for k in range(streams)]
    due: asyncio.Queue[_Due | None] = asyncio.Queue()
    callers = [asyncio.create_task(_caller(port, due, seen)) for _ in range(24)]
    began, n = time.perf_counter(), 0
    while (now := time.perf_counter()) < until:
        while began + n / rate <= now:
            due.put_nowait((began + n / rate, mix[n % len(mix)]))
            n += 1
        await asyncio.sleep(0.004)
    for _ in callers:
        due.put_nowait(None)
    await asyncio.gather(*callers, *listeners)


async def _caller(port: int, due: "asyncio.Queue[_Due | None]", seen: Seen) -> None:
    """One keep-alive connection; a new one where the server closed it."""
    wires = None
    while (asked := await due.get()) is not None:
        at, ask = asked
        for _ in range(2):  # a server may close an idle connection just as it is used again
            try:
                if wires is None:
                    wires = await asyncio.open_connection("127.0.0.1", port)
                async with asyncio.timeout(_TIMEOUT_S):
                    status, content = await _exchange(*wires, ask.request)
            except (OSError, EOFError) as error:
                fresh = wires is None
                wires = None
                if fresh:
                    seen.faults[type(error).__name__] += 1
                continue
            _note(seen, ask, status, content, time.perf_counter() - at)
            break
        else:
            seen.faults["not answered"] += 1
    if wires is not None:
        wires[1].close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, bytes]:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(lines[0].split(" ")[1]), content


def _note(seen: Seen, ask: Ask, status: int, content: bytes, span: float) -> None:
    seen.spans[ask.kind].append(span)
    seen.statuses[ask.kind, status] += 1
    if ask.kind == "score" and status == 200:
        said = orjson.loads(content)
        stamp = (said["model"]["version"], said["model"]["sha256"])
        seen.scores[stamp].add(hashlib.sha256(orjson.dumps(said["rows"])).hexdigest())
        if not seen.models or seen.models[-1] != stamp:
            seen.models.append(stamp)


async def _listen(port: int, until: float, after: float, seen: Seen) -> None:
    """A stream that is left and taken up again where it was."""
    await asyncio.sleep(after)
    last = ""
    while time.perf_counter() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            resume = f"Last-Event-ID: {last}\r\n" if last else ""
            writer.write(f"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n{resume}\r\n".encode())
            status = int((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
            seen.statuses["stream", status] += 1
            leave = min(until, time.perf_counter() + _STREAM_S)
            last = await _follow(reader, leave, last, seen)
            writer.close()
        except (OSError, EOFError) as error:
            seen.faults[f"stream {type(error).__name__}"] += 1
            await asyncio.sleep(0.2)


async def _follow(reader: asyncio.StreamReader, leave: float, last: str, seen: Seen) -> str:
    """Read events until it is time to leave; the id of the last one."""
    newest: dict[str, int] = {}
    while (left := leave - time.perf_counter()) > 0:
        try:
            async with asyncio.timeout(left):
                line = await reader.readline()
        except TimeoutError:
            break
        if line.startswith(b"event:"):
            seen.events[line[6:].strip().decode()] += 1
        elif line.startswith(b"id:"):
            last = line[3:].strip().decode()
        elif line.startswith(b"data:") and b'"flags"' in line:
            for flag in orjson.loads(line[5:])["flags"]:
                before = newest.get(flag["symbol"], 0)
                seen.backwards += flag["sequence"] < before
                newest[flag["symbol"]] = flag["sequence"]
        elif not line:
            raise EOFError
    return last
