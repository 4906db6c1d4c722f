"""What a collector says of itself while it runs: counts, for people and for monitoring."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = ["LineStatus", "VenueStatus"]


@dataclass(slots=True, kw_only=True)
class LineStatus:
    """Of a line or a poll. Times are milliseconds since the epoch, None for never.

    Attributes
    ----------
    connected_ms : int or None
        Since when it is open; None while it is not.
    frame_ms : int or None
        When the last frame came.
    frames, refused, gaps, opened : int
        Frames; those that could not be read; holes in the venue's sequence; times it was opened.
    unkept : int
        Refused frames beyond what is kept a minute.
    silent : dict of str to float
        Seconds since each topic was heard.
    denied : dict of str to str
        Topics that the venue does not give on this connection, and its words.
    fault : str
        Why it is not open, or why it was last closed.
    """

    connected_ms: int | None = None
    frame_ms: int | None = None
    frames: int = 0
    refused: int = 0
    unkept: int = 0
    gaps: int = 0
    silences: int = 0
    opened: int = 0
    silent: dict[str, float] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "connected_since_ms": self.connected_ms,
            "last_frame_ms": self.frame_ms,
            "frames": self.frames,
            "refused": self.refused,
            "refused_not_kept": self.unkept,
            "gaps": self.gaps,
            "silences": self.silences,
            "reconnects": max(0, self.opened - 1),
            "silent_s": {topic: round(s, 1) for topic, s in self.silent.items()},
            "refused_topics": dict(self.denied),
            "fault": self.fault,
        }


@dataclass(slots=True, kw_only=True)
class VenueStatus:
    """Of a venue.

    Attributes
    ----------
    lines, polls : dict of str to LineStatus
    happenings : Counter
        How many, by kind.
    dropped : int
        Samples that were given up.
    skew_s : float or None
        How far its frames are behind our clock.
    acknowledged : int
        Records that are on disk for sure, since the start.
    acknowledged_ms : int or None
        Until when everything that came is on disk.
    waiting_bytes, bytes : int
        Records that wait for the disk; content taken since the start.
    disk : str
        What is wrong with the disk; empty for nothing.
    told : list of str
        Faults of the tape that were found at the start.
    torn_bytes : int
        Of records that a crash had left unfinished there.
    """

    lines: dict[str, LineStatus] = field(default_factory=dict)
    polls: dict[str, LineStatus] = field(default_factory=dict)
    happenings: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    skew_s: float | None = None
    acknowledged: int = 0
    acknowledged_ms: int | None = None
    waiting_bytes: int = 0
    bytes: int = 0
    disk: str = ""
    told: list[str] = field(default_factory=list)
    torn_bytes: int = 0

    @property
    def frames(self) -> int:
        """Of all lines and polls."""
        return sum(line.frames for line in (*self.lines.values(), *self.polls.values()))

    @property
    def connected(self) -> int:
        """Lines that are open."""
        return sum(line.connected_ms is not None for line in self.lines.values())

    @property
    def denied(self) -> list[str]:
        """Topics that the venue does not give, and its words."""
        return [
            f"{name}: {topic} is not given ({why})"
            for name, line in self.lines.items()
            for topic, why in line.denied.items()
        ]

    @property
    def faults(self) -> list[str]:
        """What is wrong now, in words."""
        found = [
            f"{name}: {line.fault or 'not connected yet'}"
            for name, line in self.lines.items()
            if line.connected_ms is None
        ]
        found += self.denied
        found += [f"{name}: {poll.fault}" for name, poll in self.polls.items() if poll.fault]
        return [*found, *([f"disk: {self.disk}"] if self.disk else []), *self.told]

    def lost(self) -> list[str]:
        """What came and is not on the tape, and what was refused, in words."""
        unkept = sum(line.unkept for line in (*self.lines.values(), *self.polls.values()))
        told = {
            "samples given up": self.dropped,
            "refused frames not kept": unkept,
            "bytes of records not on disk": self.waiting_bytes,
        }
        return [*(f"{count} {what}" for what, count in told.items() if count), *self.denied]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "lines": {name: line.to_dict() for name, line in self.lines.items()},
            "polls": {name: poll.to_dict() for name, poll in self.polls.items()},
            "happenings": dict(sorted(self.happenings.items())),
            "frames": self.frames,
            "dropped_samples": self.dropped,
            "clock_skew_s": self.skew_s,
            "acknowledged_records": self.acknowledged,
            "acknowledged_until_ms": self.acknowledged_ms,
            "waiting_bytes": self.waiting_bytes,
            "bytes": self.bytes,
            "disk": self.disk,
            "torn_bytes_at_start": self.torn_bytes,
            "faults": self.faults,
        }
