"""The worker that asks exchanges through ccxt: started, asked line by line, never waited for long.

Whatever it does, our side stays whole: a reply that does not come in time or has no end kills it,
and its death is told with the last of what it said on standard error.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from liqwarn.errors import BusyError, ConfigError, DataError, RefusedError, SourceError
from liqwarn.sources import ccxt_worker
from liqwarn.sources.json_page import parse_page, shown
from liqwarn.sources.row_shape import as_object
from liqwarn.sources.web import Patience

__all__ = ["INSTALL", "CcxtProcess"]

INSTALL: Final = "python3 -m venv ccxt-env && ccxt-env/bin/pip install ccxt"
"""How to make an environment for it."""

_REPLY_LIMIT: Final = 1 << 24
_TAIL: Final = 800
_PIECE: Final = 1 << 16
_SHOWN: Final = 300
_DYING_S: Final = 2.0
_LAST_PIECES: Final = 64


class CcxtProcess:
    """A worker for one exchange.

    Parameters
    ----------
    python : Path
        Of an environment that has ccxt.
    exchange : str
        By ccxt's name.
    environment : mapping of str to str
        Its environment: nothing of ours is in it that is not here.
    reply_s : float
        Longest that one reply is waited for.
    patience : Patience
        How often a question is asked that may pass by itself, and the waits between.
    sleep : callable

    Raises
    ------
    ConfigError
        When there is no such Python, it has no ccxt, or ccxt no such exchange.
    """

    def __init__(
        self,
        python: Path,
        exchange: str,
        *,
        environment: Mapping[str, str],
        reply_s: float = 120.0,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._exchange, self._reply_s = exchange, reply_s
        self._patience, self._sleep = patience or Patience(), sleep
        self._asked, self._tail, self._buffer = 0, b"", b""
        try:
            self._child = subprocess.Popen(  # noqa: S603  a program that the user names
                [str(python), "-I", str(Path(ccxt_worker.__file__).resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigError(
                f"{python}: cannot be run ({error.strerror}), expected the Python of an "
                f"environment that has ccxt: {INSTALL}"
            ) from error
        try:
            self.opened = self._open()
        except BaseException:
            self._kill()
            raise

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the worker."""
        self._kill()

    def ask(self, what: str, **told: object) -> tuple[dict[str, object], int]:
        """The reply to a question, and its bytes.

        Raises
        ------
        BusyError
            When the exchange did not answer however often it was asked.
        RefusedError
            When the exchange or ccxt refuses this question.
        DataError
            When ccxt cannot read what the exchange says, or the reply is none.
        SourceError
            When the worker hangs or dies.
        """
        wait = self._patience.first_wait_s
        for attempt in range(1, self._patience.attempts + 1):
            reply, size = self._once({"ask": what, **told})
            if reply["told"] != "error":
                return reply, size
            kind, said = str(reply.get("kind")), str(reply.get("text"))[:_SHOWN]
            if kind != "passing":
                raise self._refusal(kind, said)
            if attempt < self._patience.attempts:
                self._sleep(wait)
                wait = min(2 * wait, self._patience.longest_wait_s)
        raise BusyError(
            f"{self._exchange}: asked {self._patience.attempts} times through ccxt, the last: "
            f"{said}"
        )

    def _open(self) -> dict[str, object]:
        timeout = int(self._patience.read_s * 1_000)
        return self.ask("open", exchange=self._exchange, timeout_ms=timeout)[0]

    def _refusal(self, kind: str, said: str) -> Exception:
        if kind == "no ccxt":
            return ConfigError(f"the Python for ccxt does not have it ({said}): {INSTALL}")
        if kind == "no exchange":
            return ConfigError(f"exchange is {self._exchange!r}, expected one of {said}…")
        if kind == "no market":
            return RefusedError(f"{self._exchange}: no such market, expected one such as {said}…")
        if kind == "refused":
            return RefusedError(f"{self._exchange}: refused through ccxt: {said}")
        return DataError(f"{self._exchange}: ccxt cannot read its reply: {said}")

    def _once(self, question: Mapping[str, object]) -> tuple[dict[str, object], int]:
        self._asked += 1
        line = json.dumps({"id": self._asked, **question}).encode() + b"\n"
        deadline = time.monotonic() + self._reply_s
        try:
            self._pipe("stdin").write(line)
            self._pipe("stdin").flush()
        except (OSError, ValueError) as error:  # it is gone, or was ended
            raise self._death() from error
        content, where = self._line(deadline), f"reply {self._asked} of the ccxt worker"
        reply = as_object(parse_page(content, where), where)
        for name, expected in (("schema", ccxt_worker.SCHEMA), ("id", str(self._asked))):
            if reply.get(name) != expected:
                found = shown(reply.get(name))
                raise DataError(f"{where}, field '{name}': found {found}, expected {expected}")
        if not isinstance(reply.get("told"), str):
            raise DataError(f"{where}, field 'told': found {shown(reply.get('told'))}")
        return reply, len(content)

    def _line(self, deadline: float) -> bytes:
        """The next line of its standard output; its standard error is read meanwhile."""
        with selectors.DefaultSelector() as ready:
            ready.register(self._pipe("stdout"), selectors.EVENT_READ, "out")
            ready.register(self._pipe("stderr"), selectors.EVENT_READ, "err")
            while b"\n" not in self._buffer:
                left = deadline - time.monotonic()
                if left <= 0:
                    self._kill()
                    raise SourceError(
                        f"{self._exchange}: the ccxt worker said nothing for {self._reply_s:.0f} s "
                        f"and was ended{self._said()}"
                    )
                for key, _ in ready.select(left):
                    piece = os.read(key.fd, _PIECE)
                    if key.data == "err":
                        self._tail = (self._tail + piece)[-_TAIL:]
                        if not piece:
                            ready.unregister(key.fileobj)
                    elif not piece:
                        raise self._death()
                    else:
                        self._take(piece)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _take(self, piece: bytes) -> None:
        self._buffer += piece
        if len(self._buffer) > _REPLY_LIMIT:
            self._kill()
            raise DataError(
                f"{self._exchange}: the ccxt worker says more than {_REPLY_LIMIT} bytes at once"
            )

    def _death(self) -> SourceError:
        """How it died, with the last of what it said; whoever holds its pipes is not waited for."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_DYING_S)
        code = self._child.poll()
        with contextlib.suppress(OSError, ValueError):
            os.set_blocking(self._pipe("stderr").fileno(), False)
            for _ in range(_LAST_PIECES):
                piece = os.read(self._pipe("stderr").fileno(), _PIECE)
                self._tail = (self._tail + piece)[-_TAIL:]
        self._kill()
        if code is None:
            return SourceError(
                f"{self._exchange}: the ccxt worker closed its output and was ended{self._said()}"
            )
        how = f"signal {-code}" if code < 0 else f"code {code}"
        return SourceError(f"{self._exchange}: the ccxt worker died ({how}){self._said()}")

    def _said(self) -> str:
        text = " ".join(self._tail.decode("utf-8", errors="replace").split())
        return f", its last words: {text[-_SHOWN:]}" if text else ""

    def _pipe(self, name: str) -> Any:  # noqa: ANN401  each is there: all three are pipes
        return getattr(self._child, name)

    def _kill(self) -> None:
        """End it and whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for name in ("stdin", "stdout", "stderr"):
            with contextlib.suppress(OSError):
                self._pipe(name).close()
