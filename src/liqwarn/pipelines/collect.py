"""Recording what venues say, until told to stop."""

import asyncio
import contextlib
import math
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from liqwarn.collectors.backlog import Room
from liqwarn.collectors.collector import Collector, Wanted
from liqwarn.collectors.collector_status import VenueStatus
from liqwarn.collectors.happenings import KINDS
from liqwarn.collectors.poller import Ask
from liqwarn.collectors.session_manners import Manners
from liqwarn.collectors.venue import Venue
from liqwarn.collectors.venues import VENUES
from liqwarn.collectors.watch_clocks import Clocks, SystemClocks
from liqwarn.config import load_settings
from liqwarn.durable import write_json
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.outputs import faults_of_out
from liqwarn.sources.web import Patience, Web

__all__ = ["CollectJob", "CollectState", "collect"]

_SCHEMA: Final = "liqwarn.collect/1"
_LONGEST_S: Final = 3_600.0
_ASKING: Final = Patience(
    attempts=2,
    first_wait_s=0.5,
    longest_wait_s=2.0,
    longest_pause_s=60.0,
    connect_s=5.0,
    read_s=10.0,
    grace_s=10.0,
)

OnState = Callable[["CollectState"], None]
Tell = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectJob:
    """What is collected, and where to.

    Attributes
    ----------
    venues, symbols : tuple of str
    kinds : tuple of str
        Those that a venue does not tell are left out for it.
    accounts : bool
        Whether accounts were given to follow, which Hyperliquid alone shows.
    out : Path or None
        None is ``LIQWARN_HOME/tape``.
    sockets, http : mapping of venue to str
        Other addresses than the venue's own.
    for_s : float or None
        Ends after so long; None goes on until a signal.
    sample_s, sync_s, status_s : float
        How often values are taped, the disk is waited for, and the state is told.
    seed : int
        Of the jitter of waits.
    manners : Manners
    room : Room
    known : mapping of str to Venue
        The venues there are.
    """

    venues: tuple[str, ...]
    symbols: tuple[str, ...]
    kinds: tuple[str, ...]
    accounts: bool = False
    out: Path | None = None
    sockets: Mapping[str, str] = field(default_factory=dict)
    http: Mapping[str, str] = field(default_factory=dict)
    for_s: float | None = None
    sample_s: float = 5.0
    sync_s: float = 1.0
    status_s: float = 2.0
    seed: int = 0
    manners: Manners = field(default_factory=Manners)
    room: Room = field(default_factory=Room)
    known: Mapping[str, Venue] = field(default_factory=lambda: VENUES)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectState:
    """Where a collector is.

    Attributes
    ----------
    folder : Path
        Of the tapes, and of ``status.json``.
    began_ms, now_ms : int
    venues : mapping of str to VenueStatus
    """

    folder: Path
    began_ms: int
    now_ms: int
    venues: Mapping[str, VenueStatus]

    @property
    def lost(self) -> list[str]:
        """What came and is not on the tape, and what never came, in words."""
        told = [f"{name}: {what}" for name, one in self.venues.items() for what in one.lost()]
        for name, one in self.venues.items():
            told += [f"{name}: {line} was never connected ({told_.fault or 'no time'})"
                     for line, told_ in one.lines.items() if not told_.opened]  # fmt: skip
            told += [f"{name}: {fault}" for fault in one.told]
        return told

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in ``status.json``."""
        return {
            "schema": _SCHEMA,
            "pid": os.getpid(),
            "began_ms": self.began_ms,
            "now_ms": self.now_ms,
            "venues": {name: one.to_dict() for name, one in self.venues.items()},
            "lost": self.lost,
        }

    def to_line(self) -> str:
        """One line for a person.

        Examples
        --------
        >>> status = VenueStatus(happenings={"reading": 3}, bytes=2_500_000, skew_s=0.04)
        >>> state = CollectState(folder=Path("x"), began_ms=0, now_ms=61_000,
        ...                      venues={"okx": status})
        >>> state.to_line()
        '0:01:01 okx 0 of 0 lines, 0 frames, reading 3, 0.04 s behind; 2.5 MB, 0 waiting'
        """
        spent = max(0, self.now_ms - self.began_ms) // 1_000
        told = "; ".join(f"{name} {_words(one)}" for name, one in self.venues.items())
        size = sum(one.bytes for one in self.venues.values()) / 1e6
        waiting = sum(one.waiting_bytes for one in self.venues.values())
        clock = f"{spent // 3600}:{spent // 60 % 60:02d}:{spent % 60:02d}"
        return f"{clock} {told}; {size:,.1f} MB, {waiting:,} waiting"


def _words(one: VenueStatus) -> str:
    parts = [f"{one.connected} of {len(one.lines)} lines", f"{one.frames:,} frames"]
    parts += [f"{kind} {count:,}" for kind, count in sorted(one.happenings.items())]
    if one.skew_s is not None:
        parts.append(f"{one.skew_s:.2f} s behind")
    if one.faults:
        parts.append(f"faults {len(one.faults)} ({one.faults[0]})")
    return ", ".join(parts)


def collect(job: CollectJob, *, on_state: OnState, clocks: Clocks | None = None) -> CollectState:
    """Record the venues until SIGTERM, SIGINT or the end of the time asked for.

    ``status.json`` in the folder is replaced whole every `status_s` seconds.

    Parameters
    ----------
    job : CollectJob
    on_state : callable
        Told the state as often; must return at once.
    clocks : Clocks, optional
        The machine's without it.

    Returns
    -------
    CollectState
        The last one; everything that is not on disk is in its `lost`.

    Raises
    ------
    ConfigError
        When what is asked for cannot be, every fault together.
    StoreError
        When the folder cannot be used, or another collector is writing there.
    """
    folder = job.out or load_settings().home / "tape"
    if faults := [*faults_of_out(folder), *_faults(job)]:
        raise ConfigError("\n".join(faults))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".collect.lock", timeout=0):
            return asyncio.run(_run(job, folder, on_state, clocks or SystemClocks()))
    except Timeout as error:
        raise StoreError(f"{folder}: another collector is writing there") from error
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error


def _faults(job: CollectJob) -> Iterator[str]:
    known = ", ".join(job.known)
    yield from _faults_of_lists(job)
    for name in (*job.venues, *job.sockets, *job.http):
        if name not in job.known:
            yield f"venue is {name!r}, expected one of {known}"
    for name in job.venues:
        if name in job.known and not job.known[name].kinds & set(job.kinds):
            has = ", ".join(sorted(job.known[name].kinds))
            yield f"{name} tells nothing of {', '.join(job.kinds)}, it has {has}"
        elif name in job.known and not _asks_anything(job, job.known[name]):
            yield f"{name} has nothing to ask for; positions are of accounts, given with --watch"
    if job.accounts and "hyperliquid" not in job.venues:
        yield f"accounts are given for {', '.join(job.venues)}, hyperliquid alone shows them"
    for name, url in job.sockets.items():
        if not url.startswith(("ws://", "wss://")):
            yield f"address of {name} is {url!r}, expected ws://host or wss://host"
    yield from _faults_of_times(job)


def _faults_of_times(job: CollectJob) -> Iterator[str]:
    if not all(0 < period <= _LONGEST_S for period in (job.sample_s, job.sync_s, job.status_s)):
        yield f"a period is not above 0, or above {_LONGEST_S:g} s"
    if job.for_s is not None and not 0 < job.for_s < math.inf:
        yield f"duration is {job.for_s} s, expected above 0"


def _asks_anything(job: CollectJob, venue: Venue) -> bool:
    kinds = frozenset(kind for kind in KINDS if kind in job.kinds) & venue.kinds
    return bool(venue.lines(job.symbols, kinds) or venue.polls(job.symbols, kinds))


def _faults_of_lists(job: CollectJob) -> Iterator[str]:
    for what, names in (("venues", job.venues), ("symbols", job.symbols), ("kinds", job.kinds)):
        if not names or len(set(names)) < len(names):
            yield f"{what}: {', '.join(names) or 'none'}, expected at least one, each once"
    for kind in job.kinds:
        if kind not in KINDS:
            yield f"kind is {kind!r}, expected one of {', '.join(KINDS)}"


async def _run(job: CollectJob, folder: Path, on_state: OnState, clocks: Clocks) -> CollectState:
    began_ms = int(clocks.wall() * 1_000)
    wanted = Wanted(
        symbols=job.symbols,
        kinds=frozenset(kind for kind in KINDS if kind in job.kinds),
        folder=folder,
        sample_s=job.sample_s,
        sync_s=job.sync_s,
        manners=job.manners,
        room=job.room,
        seed=job.seed,
    )
    with ExitStack() as stack:
        asks = _asks(job, stack)
        collectors = {
            name: Collector(
                job.known[name],
                wanted,
                url=job.sockets.get(name, job.known[name].sockets),
                ask=asks[name],
                clocks=clocks,
            )
            for name in job.venues
        }

        def state() -> CollectState:
            return CollectState(
                folder=folder,
                began_ms=began_ms,
                now_ms=int(clocks.wall() * 1_000),
                venues={name: one.status for name, one in collectors.items()},
            )

        await _until_stopped(job, collectors, lambda: _tell(state(), on_state), clocks)
        await _tell(state(), on_state)
        return state()


async def _until_stopped(
    job: CollectJob, collectors: Mapping[str, Collector], tell: Tell, clocks: Clocks
) -> None:
    """Run the collectors until a signal, the end of the time, or a mistake of ours."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
            loop.add_signal_handler(number, stop.set)

    async def telling() -> None:
        while True:
            await clocks.sleep(job.status_s)
            await tell()

    async def ending() -> None:
        if job.for_s is not None:
            await clocks.sleep(job.for_s)
            stop.set()
        await stop.wait()
        for task in tasks:
            task.cancel()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.run()) for one in collectors.values()]
        tasks.append(group.create_task(telling()))
        group.create_task(ending())


async def _tell(state: CollectState, on_state: OnState) -> None:
    on_state(state)
    content = state.to_dict()
    with contextlib.suppress(OSError):  # a full disk is among what is told
        await asyncio.to_thread(write_json, state.folder / "status.json", content)


def _asks(job: CollectJob, stack: ExitStack) -> dict[str, Ask]:
    """How each venue is asked over HTTP."""
    return {name: _ask(job.http.get(name, job.known[name].http), stack) for name in job.venues}


def _ask(address: str, stack: ExitStack) -> Ask:
    stop = threading.Event()
    web = stack.enter_context(Web(address, connections=2, patience=_ASKING, stop=stop))
    stack.callback(stop.set)

    def ask(path: str, body: bytes | None) -> bytes:
        return web.page(path.lstrip("/"), bytes, body=body)[0]

    return ask
