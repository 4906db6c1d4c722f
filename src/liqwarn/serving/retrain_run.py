"""One retraining beside the server: a child process, its output in files, ended when it must be."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

from liqwarn.serving.clock import Clock

__all__ = ["CHILD", "LOG", "RESULT", "RetrainOutcome", "RetrainRun"]

CHILD: Final = (sys.executable, "-m", "liqwarn.serving.retrain_child")
RESULT: Final = "retrain.json"
LOG: Final = "retrain.log"
_LOCKED: Final = os.EX_TEMPFAIL
_TOLD: Final = 2_000
"""Characters of the log that an outcome holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainOutcome:
    """What came of a run.

    Attributes
    ----------
    result : str
        The action it told, such as ``promoted`` or ``kept``; ``locked`` when another run was on,
        ``failed`` without one, ``killed`` when a signal ended it, ``ended`` when this server did.
    code : int or None
        Exit code, the negative signal when one ended it; None when it could not be started.
    reasons : tuple of str
        As it told them.
    champion : str or None
        Version that is champion now, when it told.
    said : str
        The end of what it wrote to standard error.
    started, finished : datetime
    took_s : float
    """

    result: str
    code: int | None
    reasons: tuple[str, ...]
    champion: str | None
    said: str
    started: datetime
    finished: datetime
    took_s: float

    @property
    def ok(self) -> bool:
        """Whether it did what it was to do; that may be to keep the champion."""
        return self.code == 0

    @property
    def failed(self) -> bool:
        """Whether a person should look: not when another run is on, or this server is stopping."""
        return not self.ok and self.result not in ("locked", "ended")


class RetrainRun:
    """Runs a command again and again, one at a time.

    Its result and its log are files of `folder`, those of the last run: they can be followed while
    it runs, and a child that outlives a killed server has somewhere to write.

    Parameters
    ----------
    command : sequence of str
        A whole command line that prints one JSON object with ``action``, ``reasons`` and
        ``champion``.
    folder : Path
    clock : Clock
    grace_s : float
        What a child gets to end by itself.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, *, clock: Clock, grace_s: float = 5.0
    ) -> None:
        self._command = tuple(command)
        self._folder = folder
        self._clock = clock
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._ended = False

    def __call__(self) -> RetrainOutcome:
        """Run the command to its end."""
        began, started = self._clock.monotonic(), self._clock.wall()
        try:
            code: int | None = self._run()
            fault = ""
        except OSError as error:
            code, fault = None, f"it could not be started: {error}"
        told = _told(self._folder / RESULT) if fault == "" else {}
        reasons = told.get("reasons")
        return RetrainOutcome(
            result=self._result(code, told),
            code=code,
            reasons=tuple(map(str, reasons)) if isinstance(reasons, list) else (),
            champion=str(told["champion"]) if told.get("champion") is not None else None,
            said=fault or _end_of(self._folder / LOG),
            started=started,
            finished=self._clock.wall(),
            took_s=self._clock.monotonic() - began,
        )

    def end(self) -> None:
        """End the child that runs, if one does, and start none again."""
        with self._lock:
            self._ended = True
            child = self._child
        if child is None:
            return
        _signal(child, signal.SIGTERM)
        try:
            child.wait(self._grace_s)
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)

    def _run(self) -> int:
        with contextlib.ExitStack() as stack:
            files = []
            for name in (RESULT, LOG):
                (self._folder / name).unlink(missing_ok=True)  # an orphan may still write to it
                files.append(stack.enter_context((self._folder / name).open("wb")))
            with self._lock:
                if self._ended:
                    raise OSError("the server is stopping")
                self._child = subprocess.Popen(  # noqa: S603  our own interpreter and module
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=files[0],
                    stderr=files[1],
                    start_new_session=True,
                )
            code = self._child.wait()
            with self._lock:
                self._child = None
            return code

    def _result(self, code: int | None, told: dict[str, object]) -> str:
        if self._ended:
            return "ended"
        if code is not None and code < 0:
            return "killed"
        action = told.get("action")
        return action if isinstance(action, str) else "locked" if code == _LOCKED else "failed"


def _signal(child: "subprocess.Popen[bytes]", what: signal.Signals) -> None:
    """To the child and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, what)


def _told(path: Path) -> dict[str, object]:
    """The JSON object that the command printed; empty when it printed none."""
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TOLD))
            return log.read().decode(errors="replace").strip()
    except OSError:
        return ""
