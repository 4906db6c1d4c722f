"""A source that is asked in the background: its callers read memory and never wait for it."""

import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from liqwarn.board.clocks import SYSTEM_CLOCKS, Clocks
from liqwarn.board.flag import Refusal
from liqwarn.client.documents import Arrival, Found, read_documents
from liqwarn.client.seen import Seen

if TYPE_CHECKING:
    from liqwarn.signing import VerifyKey

__all__ = ["Answer", "Fetch", "PolledSource"]

_LONGEST_FAULT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A source's answer to one question.

    Attributes
    ----------
    content : bytes or None
        A set of flags; None when it is the same as before.
    written_ns : int
        When it was written, wall clock; 0 when nobody knows.
    """

    content: bytes | None
    written_ns: int = 0


class Fetch(Protocol):
    """Asks a source once; may block, and raises when there is no good answer."""

    name: str

    def __call__(self) -> Answer:
        """The answer."""

    def forget(self) -> None:
        """Ask for the whole content the next time, for the last could not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """Everything known; replaced as one, so that readers need no lock."""

    found: Found = field(default_factory=dict)
    kept: Mapping[str, Seen] = field(default_factory=dict)
    answered_ns: int | None = None
    fault: str = "not asked yet"


class PolledSource:
    """Asks every `poll_s` in a daemon thread.

    Parameters
    ----------
    fetch : Fetch
        How to ask.
    keys : sequence of VerifyKey
        When given, what none of them signed is refused.
    poll_s : float
        Pause between two questions.
    max_silence_s : float
        Without a good answer for longer, nothing is known any more.
    max_wait_s : float
        Longest that a call waits for the very first answer.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        keys: "Sequence[VerifyKey]" = (),
        poll_s: float = 0.5,
        max_silence_s: float = 15.0,
        max_wait_s: float = 0.005,
        clocks: Clocks = SYSTEM_CLOCKS,
    ) -> None:
        self._fetch = fetch
        self._keys = tuple(keys)
        self._poll_s = poll_s
        self._max_silence_ns = int(max_silence_s * 1e9)
        self._max_wait_s = max_wait_s
        self._wall_ns, self._boot_ns = clocks.wall_ns, clocks.boot_ns
        self._state = _State()
        self._closed = False
        self._start()
        _SOURCES.add(self)

    def _start(self) -> None:
        self._asked, self._stop = threading.Event(), threading.Event()
        arguments = (weakref.ref(self), self._stop, self._poll_s)
        threading.Thread(target=_ask_for_ever, args=arguments, daemon=True).start()

    def find(self, symbol: str) -> Seen | Refusal:
        """What is known of a symbol now; from memory."""
        state = self._state
        answered = state.answered_ns
        boot = self._boot_ns()
        if answered is None or boot - answered > self._max_silence_ns:
            state = self._awaited(state)
            answered, boot = state.answered_ns, self._boot_ns()
            if answered is None or boot - answered > self._max_silence_ns:
                return _unreachable(state, boot)
        found = state.found.get(symbol)
        if type(found) is Seen:
            if boot < found.deadline_ns and self._wall_ns() < found.valid_until_ns:
                return found
            over = found.expired_for_s(self._wall_ns(), boot)
            return Refusal(kind="expired", detail=f"valid until {over:.1f} s ago")
        if isinstance(found, Refusal):
            return found
        return Refusal(kind="unknown symbol", detail=f"no flag of {symbol!r} in the last answer")

    def _awaited(self, state: _State) -> _State:
        """The state, once the first question is answered, or the wait is over."""
        if self._asked.is_set():
            return state
        self._asked.wait(self._max_wait_s)
        return self._state

    def ask(self) -> None:
        """Ask once, and keep what is learnt; the thread does nothing else."""
        state = self._state
        boot, wall = self._boot_ns(), self._wall_ns()
        try:
            answer = self._fetch()
            found, kept = state.found, state.kept
            if answer.content is not None:
                arrival = Arrival(wall_ns=wall, boot_ns=boot, written_ns=answer.written_ns)
                found = read_documents(answer.content, arrival, kept, self._keys)
                kept = {**kept, **{name: f for name, f in found.items() if isinstance(f, Seen)}}
            new = _State(found=found, kept=kept, answered_ns=boot, fault="")
        except Exception as error:  # whatever it is, the last good answer only grows older
            self._fetch.forget()
            new = replace(state, fault=f"{type(error).__name__}: {error}"[:_LONGEST_FAULT])
        if not self._closed:
            self._state = new
        self._asked.set()

    def status(self) -> dict[str, Any]:
        """Age of the last good answer in seconds, None without one, and what is wrong now."""
        state = self._state
        age = None if state.answered_ns is None else (self._boot_ns() - state.answered_ns) / 1e9
        return {"age_s": age, "fault": state.fault or None}

    def close(self) -> None:
        """End the thread; it may still be within a question, whose answer is dropped."""
        self._closed = True
        self._stop.set()
        self._state = _State(fault="closed")
        self._asked.set()

    def start_again(self) -> None:
        """Start the thread in a forked child, which has none but its own."""
        if not self._closed:
            self._start()


def _ask_for_ever(
    source: "weakref.ref[PolledSource]", stop: threading.Event, poll_s: float
) -> None:
    """Ask until told to stop, or until nobody holds the source."""
    while (held := source()) is not None and not stop.is_set():
        held.ask()
        del held
        stop.wait(poll_s)


def _unreachable(state: _State, boot_ns: int) -> Refusal:
    if state.answered_ns is None:
        detail = f"no good answer yet: {state.fault}"
    else:
        age = (boot_ns - state.answered_ns) / 1e9
        detail = f"last good answer {age:.1f} s ago: {state.fault or 'no question since'}"
    return Refusal(kind="unreachable", detail=detail)


_SOURCES: "weakref.WeakSet[PolledSource]" = weakref.WeakSet()


def _in_child() -> None:
    for source in list(_SOURCES):
        source.start_again()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
