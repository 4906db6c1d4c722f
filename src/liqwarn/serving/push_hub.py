"""Publications kept in a ring and handed to whoever listens; nobody who listens can slow it down.

A publication is every document that changed since the one before: a new flag, or one that crossed
its expiry, which is pushed although nothing was published. Changes that come faster than they can
be handed on are one publication; of a symbol only the newest counts.

Everything here runs in the server's event loop, only :meth:`PushHub.wake` may be called from
anywhere. A client has a bounded queue. One that is full when more comes is told why and let go.
"""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from liqwarn.serving.clock import Clock
from liqwarn.serving.documents import Document, FlagDocuments
from liqwarn.serving.push_event import Message, Publication, dropped, gap, heartbeat, snapshot

__all__ = ["PushHub", "PushSettings", "Subscription"]

_AT_A_TIME: Final = 4
"""Documents encoded before other requests have their turn."""
_STOPPING: Final = "the server is stopping"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSettings:
    """How the pushing is bounded.

    Attributes
    ----------
    kept : int
        Publications a client may have missed and still resume.
    kept_bytes : int
        Bytes of documents kept for it, whatever `kept` allows.
    queue : int
        Messages a client may be behind.
    clients : int
        Clients at the same time.
    heartbeat_s : float
        Longest silence.
    look_s : float
        How often expiry, and a source that does not announce, are looked at.
    give_up_s : float
        Longest wait for a client that reads nothing.
    """

    kept: int = 256
    kept_bytes: int = 64 << 20
    queue: int = 64
    clients: int = 256
    heartbeat_s: float = 5.0
    look_s: float = 0.2
    give_up_s: float = 10.0


class PushHub:
    """Numbers what changes and hands it on.

    Parameters
    ----------
    documents : FlagDocuments
        What may be served now.
    clock : Clock
        For the heartbeats' time.
    """

    def __init__(
        self, documents: FlagDocuments, *, clock: Clock, settings: PushSettings | None = None
    ) -> None:
        self.settings = settings or PushSettings()
        self.too_slow = 0
        """Clients that were let go because they were too far behind."""
        self._documents = documents
        self._clock = clock
        self._run = secrets.token_hex(4)
        self._number = 0
        self._pushed: dict[str, bytes] = {}
        self._looked_at: Mapping[str, Document] | None = None
        self._ring: deque[Publication] = deque()
        self._ring_bytes = 0
        self._clients: set[Subscription] = set()
        self._awake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.Task[None] | None = None
        self._closed: str | None = None

    @property
    def listeners(self) -> int:
        """Clients that are connected."""
        return len(self._clients)

    @property
    def mark(self) -> str:
        """Id of the newest publication."""
        return self._mark(self._number)

    def wake(self) -> None:
        """Look now. May be called from any thread, and before and after the server runs."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(self._awake.set)

    def start(self) -> None:
        """Watch from now on, in the running loop; nothing when it does already."""
        if self._watch is None or self._watch.done():
            self._loop = asyncio.get_running_loop()
            self._watch = self._loop.create_task(self._run_watch())
            self._watch.add_done_callback(self._ended)

    def _ended(self, watch: asyncio.Task[None]) -> None:
        """Heartbeats must not outlive the watch: a client would take silence for calm."""
        failed = None if watch.cancelled() else watch.exception()
        self.close(f"the watch failed: {type(failed).__name__}" if failed else _STOPPING)

    async def stop(self) -> None:
        """Let everybody go and watch no more."""
        self.close()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def _run_watch(self) -> None:
        while True:
            self._awake.clear()
            waiting = [one for one in self._documents.standing().values() if not one.encoded]
            for n, document in enumerate(waiting, 1):
                _ = document.answer  # encoded and signed here, in small pieces
                if n % _AT_A_TIME == 0:
                    await asyncio.sleep(0)
            self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), self.settings.look_s)

    def look(self) -> None:
        """Publish what has changed, if anything has."""
        standing = self._documents.standing()
        if standing is self._looked_at:
            return
        self._looked_at = standing
        changed = {}
        for symbol, document in standing.items():
            body = document.answer.body
            if self._pushed.get(symbol) != body:
                changed[symbol] = body
        if not changed:
            return
        self._number += 1
        self._pushed.update(changed)
        publication = Publication(self._number, self.mark, self._documents.latest, changed)
        self._keep(publication)
        whole = publication.message(None)
        for client in tuple(self._clients):
            message = whole if client.symbols is None else publication.message(client.symbols)
            if message is not None:
                client.put(message)

    def _keep(self, publication: Publication) -> None:
        self._ring.append(publication)
        self._ring_bytes += publication.size
        while len(self._ring) > self.settings.kept or self._ring_bytes > self.settings.kept_bytes:
            self._ring_bytes -= self._ring.popleft().size

    @contextlib.contextmanager
    def subscribed(
        self, symbols: Collection[str] | None = None, after: str | None = None
    ) -> Iterator["Subscription"]:
        """A client for as long as the block lasts: from a snapshot, or from what it has seen.

        Parameters
        ----------
        symbols : collection of str or None
            Those it follows; None is all.
        after : str or None
            Id of the last event it has seen. When what followed is not kept any more, or the id
            is not of this run, it gets a gap and then a snapshot.
        """
        self.start()
        self.look()
        client = Subscription(self, symbols, first=self._first(symbols, after))
        if self._closed is not None:
            client.drop(self._closed)
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def close(self, reason: str = _STOPPING) -> None:
        """Let everybody go, and whoever comes later."""
        self._closed = reason
        for client in tuple(self._clients):
            client.drop(reason)

    def pulse(self) -> Message:
        """A heartbeat of this moment."""
        return heartbeat(self.mark, self._clock.wall())

    def _first(self, symbols: Collection[str] | None, after: str | None) -> list[Message]:
        whole = snapshot(self.mark, self._documents.latest, self._pushed, symbols)
        if after is None:
            return [whole]
        seen = self._seen(after)
        if seen is None:
            oldest = self._ring[0].mark if self._ring else self.mark
            return [gap(after, oldest), whole]
        missed = islice(self._ring, len(self._ring) - (self._number - seen), None)
        messages = [m for m in (publication.message(symbols) for publication in missed) if m]
        return messages or [self.pulse()]

    def _seen(self, after: str) -> int | None:
        """The number of an id of this run whose followers are all in the ring."""
        number = after.removeprefix(f"{self._run}-")
        if number == after or not (number.isascii() and number.isdigit()) or len(number) > 18:
            return None
        kept_from = self._number - len(self._ring)
        return int(number) if kept_from <= int(number) <= self._number else None

    def _mark(self, number: int) -> str:
        return f"{self._run}-{number}"


class Subscription:
    """One client's queue.

    Attributes
    ----------
    symbols : collection of str or None
        Those it follows; None is all.
    reason : str or None
        Why it was let go.
    """

    def __init__(
        self, hub: PushHub, symbols: Collection[str] | None, *, first: list[Message]
    ) -> None:
        self.symbols = symbols
        self.reason: str | None = None
        self._hub = hub
        self._waiting = deque(first)
        self._room = hub.settings.queue + len(first)
        self._given = ""
        self._came = asyncio.Event()
        self._came.set()

    def put(self, message: Message) -> None:
        """Hand it on, or drop the client when it is too far behind."""
        if self.reason is not None:
            return
        if len(self._waiting) >= self._room:
            self._hub.too_slow += 1
            self.drop(f"too slow: {self._room} messages behind")
            return
        self._waiting.append(message)
        self._came.set()

    def drop(self, reason: str) -> None:
        """Forget what waits, say why, and end."""
        self.reason = self.reason or reason
        self._waiting.clear()
        self._came.set()

    async def messages(self) -> AsyncIterator[Message]:
        """What comes, heartbeats in between; ends with ``dropped`` when the client is let go."""
        while self.reason is None:
            if self._waiting:
                message = self._waiting.popleft()
            else:
                self._came.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._came.wait(), self._hub.settings.heartbeat_s)
                if self._waiting or self.reason is not None:
                    continue
                message = self._hub.pulse()
            self._given = message.mark
            yield message
        yield dropped(self._given, self.reason)
