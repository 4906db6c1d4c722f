"""Logs of the server: one JSON object a line, no secret, no flood, and no failure of their own.

The only module that talks to structlog. Until :func:`logs_to` says where, nothing is written.
"""

import logging
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, BinaryIO, Final, Protocol, cast

import orjson
import structlog

from liqwarn.decisions import iso_utc
from liqwarn.serving.clock import Clock
from liqwarn.serving.rate_limit import Rate, TokenBuckets

__all__ = ["Logger", "bound_context", "get_logger", "logs_to", "lost_lines"]

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_LONGEST: Final = 4_000
_DEEPEST: Final = 16
_INTEGERS: Final = range(-(2**63), 2**64)
"""What JSON's writer takes as numbers."""
_REPEATS: Final = Rate(per_s=6 / 60, burst=6)
"""The same event of the same part, level, symbol and side: six at once, then six a minute."""
_LIKE: Final = ("part", "event", "symbol", "side")

_SERVERS: Final = ("uvicorn", "uvicorn.error", "uvicorn.access")
"""Loggers that uvicorn gives handlers of their own unless it is told not to."""

_SECRET_NAMES: Final = re.compile(
    r"authorization|token|secret|passw|passphrase|api[_-]?key|private|cookie|credential",
    re.IGNORECASE,
)
_SECRET_TEXT: Final = (
    (re.compile(rb"lqw_([0-9A-Za-z]{1,64})_[0-9A-Za-z_-]+"), rb"lqw_\1_..."),
    (re.compile(rb"(?i)\b(bearer|basic) +[^\s\"\\]+"), rb"\1 ..."),
    (re.compile(rb"://[^/\s@\"\\]+@"), rb"://...@"),
    (re.compile(rb"-----BEGIN [A-Z ]*KEY-----[^\"]*"), rb"... a key ..."),
)

_Event = MutableMapping[str, Any]


class Logger(Protocol):
    """What the rest of the server logs with; the event is a constant, what varies are fields."""

    def bind(self, **fields: Any) -> "Logger":  # noqa: ANN401  whatever JSON can say
        """A logger whose every line has these fields."""

    def debug(self, event: str, **fields: Any) -> None:  # noqa: ANN401
        """For whoever looks closely."""

    def info(self, event: str, **fields: Any) -> None:  # noqa: ANN401
        """Something happened as it should."""

    def warning(self, event: str, **fields: Any) -> None:  # noqa: ANN401
        """Something was refused or late, and was dealt with."""

    def error(self, event: str, **fields: Any) -> None:  # noqa: ANN401
        """Somebody must look; the runbook says how."""


class _Sink:
    """Where lines go now."""

    def __init__(self) -> None:
        self.stream: BinaryIO | None = None
        self.clock: Clock | None = None
        self.level = _LEVELS["info"]
        self.lost = 0
        self._lock = Lock()
        self._buckets: TokenBuckets | None = None
        self._held: dict[str, int] = {}

    def open(self, stream: BinaryIO, clock: Clock, level: str) -> None:
        self.stream, self.clock, self.level = stream, clock, _LEVELS[level]
        self._buckets = TokenBuckets(_REPEATS, monotonic=clock.monotonic, capacity=1_000)
        self._held = {}

    def close(self) -> None:
        self.stream = None

    def admit(self, _logger: object, method: str, event: _Event) -> _Event:
        """Let an event through with its time and level, or drop it."""
        if self.stream is None or self.clock is None or _LEVELS[method] < self.level:
            raise structlog.DropEvent
        name = "|".join([method, *(str(event.get(field, "")) for field in _LIKE)])
        with self._lock:
            held = self._admitted(name)
        head = {"time": iso_utc(self.clock.wall()), "level": method, "part": event.pop("part", "")}
        repeated = {"repeated": held} if held else {}
        return {**head, "event": event.pop("event", ""), **event, **repeated}

    def _admitted(self, name: str) -> int:
        """How many of its like were dropped since the last that was not."""
        if self._buckets is not None and self._buckets.take(name):
            if len(self._held) < 1_000 or name in self._held:
                self._held[name] = self._held.get(name, 0) + 1
            raise structlog.DropEvent
        return self._held.pop(name, 0)

    def write(self, line: bytes) -> None:
        """A full disk or a closed pipe costs the line, never the server."""
        with self._lock:
            try:
                if self.stream is not None:
                    self.stream.write(line)
                    self.stream.flush()
            except (OSError, ValueError):
                self.lost += 1

    debug = info = warning = error = critical = write


_SINK: Final = _Sink()


def get_logger(part: str) -> Logger:
    """A logger of one part of the server, such as ``loop`` or ``http``."""
    logger = structlog.wrap_logger(
        _SINK,
        processors=[
            structlog.contextvars.merge_contextvars,
            _SINK.admit,
            structlog.processors.format_exc_info,
            _rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS["debug"]),
        context_class=dict,
        part=part,
    )
    return cast("Logger", logger)


@contextmanager
def bound_context(**fields: Any) -> Iterator[None]:  # noqa: ANN401  whatever JSON can say
    """Every line within, of any part of the server, has these fields."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


@contextmanager
def logs_to(stream: BinaryIO, *, clock: Clock, level: str = "info") -> Iterator[None]:
    """Write every line to `stream`, those of uvicorn and other libraries among them.

    Parameters
    ----------
    stream : binary file
        Such as ``sys.stderr.buffer``.
    clock : Clock
        Its wall stamps the lines; its other clock limits repetition.
    level : str
        ``debug``, ``info``, ``warning`` or ``error``: what is below is not written.
    """
    root, handler = logging.getLogger(), _FromLogging(_LEVELS["info"])
    before = root.level
    _SINK.open(stream, clock, level)
    root.addHandler(handler)
    root.setLevel(min(before, _LEVELS["warning"]))
    try:
        with _taken_over():
            yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        _SINK.close()


@contextmanager
def _taken_over() -> Iterator[None]:
    """Have the server's own loggers pass everything on, and write nothing by themselves."""
    loggers = [logging.getLogger(name) for name in _SERVERS]
    before = [(one.handlers[:], one.propagate, one.disabled, one.level) for one in loggers]
    for one in loggers:
        one.handlers[:], one.propagate, one.disabled = [], True, False
        one.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        for one, (handlers, propagate, disabled, level) in zip(loggers, before, strict=True):
            one.handlers[:], one.propagate, one.disabled = handlers, propagate, disabled
            one.setLevel(level)


def lost_lines() -> int:
    """Lines that could not be written since the process started."""
    return _SINK.lost


class _FromLogging(logging.Handler):
    """What libraries log, in the same shape; the template is the event, so that repeats are one."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        write = getattr(get_logger(record.name), level if level in _LEVELS else "info")
        try:
            message = record.getMessage()
        except Exception as error:  # a library's mistake, and no reason to fail where it logs
            message = f"cannot be formatted: {type(error).__name__}"
        write(str(record.msg), message=message, exc_info=record.exc_info or False)


def _rendered(_logger: object, _method: str, event: _Event) -> bytes:
    options = orjson.OPT_PASSTHROUGH_DATACLASS  # their repr leaves out what is not to be shown
    line = orjson.dumps(_shown(event), default=_spoken, option=options)
    for pattern, instead in _SECRET_TEXT:
        line = pattern.sub(instead, line)
    return line + b"\n"


def _shown(value: Any, depth: int = 0) -> Any:  # noqa: ANN401  whatever was logged
    """The value as JSON can say it, without what is named like a secret, long text cut."""
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {
            _text(str(name)): "..." if _SECRET_NAMES.search(str(name)) else _shown(found, depth + 1)
            for name, found in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(found, depth + 1) for found in value]
    if isinstance(value, bytes | str):
        return _text(value if isinstance(value, str) else value.decode(errors="replace"))
    if isinstance(value, int) and value not in _INTEGERS:
        return _text(hex(value))
    return value


def _text(value: str) -> str:
    """Text that UTF-8 can say: names of files may hold bytes that are no text."""
    cut = value
    if len(value) > _LONGEST:
        cut = f"{value[:_LONGEST]}... ({len(value)} characters)"
    return cut.encode(errors="backslashreplace").decode()


def _spoken(value: object) -> str:
    try:
        return _text(repr(value))
    except Exception:  # an object that cannot be shown costs its text, never the caller
        return f"<{type(value).__name__}>"
