"""One record of the tape: what came over a line, when we saw it, and what became of the line."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Taped", "What"]

What = Literal[
    "frame", "happenings", "refused", "opened", "closed", "silent", "gap", "dropped", "clock"
]
"""``frame``: as it came, read without fault. ``happenings``: a sample of what was read, encoded.
``refused``: as it came, could not be read. ``opened``, ``closed``: of the line. ``silent``: a topic
or the line said nothing for too long. ``gap``: the venue's own sequence has a hole. ``dropped``:
so many samples were given up because the disk was too slow. ``clock``: ours jumped, or is not the
venue's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taped:
    """A record.

    Attributes
    ----------
    seen_ms : int
        Our clock when it came, milliseconds since the epoch.
    line : str
        Of the venue's lines and polls.
    what : str
    content : bytes
        The frame; or the happenings; or why, in UTF-8.
    """

    seen_ms: int
    line: str
    what: What
    content: bytes
