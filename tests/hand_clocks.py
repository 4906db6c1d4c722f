"""Clocks that only move by hand: those of board and client, and those of the live service."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from liqwarn.board.clocks import SYSTEM_CLOCKS, Clocks


class FakeClocks:
    """Wall and boot clock in nanoseconds; both run together, until the wall's is set."""

    def __init__(self) -> None:
        self.wall, self.boot = time.time_ns(), SYSTEM_CLOCKS.boot_ns()
        self.clocks = Clocks(wall_ns=lambda: self.wall, boot_ns=lambda: self.boot)

    def run(self, seconds):
        self.wall += int(seconds * 1e9)
        self.boot += int(seconds * 1e9)

    def set_wall(self, seconds):
        self.wall += int(seconds * 1e9)


@dataclass
class HandClock:
    """Moments and seconds of a steady clock; a jump moves the moments alone."""

    now: datetime
    ticks: float = 0.0

    def wall(self):
        return self.now

    def monotonic(self):
        return self.ticks

    def forward(self, by: timedelta):
        self.now += by
        self.ticks += by.total_seconds()

    def jump(self, by: timedelta):
        self.now += by
