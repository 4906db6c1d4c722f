"""Lives of the real service, each a fork of this process that has everything loaded already.

``python live_nursery.py BUNDLE``; a line ``PORT FOLDER`` on standard input begins a life, its
process id is told on standard output, and ``ended`` when it has. Whoever asked kills it. What it is
made of is what ``liqwarn serve`` makes it of, but for the clock, which is FOLDER/clock, and the
bundle, which was loaded before.
"""

import ctypes
import gc
import mmap
import os
import signal
import struct
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from liqwarn.cli import live_pieces, live_wiring
from liqwarn.cli.live_options import ServeOptions
from liqwarn.errors import DataError
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.pipelines.live_engines import HistoryEngines
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.clock import SystemClock

_DEATH_SIGNAL = 1


class FileClock:
    """Both clocks from a file that somebody else moves."""

    def __init__(self, path):
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)

    def monotonic(self):
        return struct.unpack("d", self._map[:8])[0]

    def wall(self):
        return datetime.fromtimestamp(self.monotonic(), tz=UTC)


def options_of(folder, port):
    return ServeOptions(
        panel=folder / "panel.yaml",
        store=folder / "no_store",
        out=folder / "live",
        feed=f"file:{folder / 'feed.jsonl'}",
        model=folder / "model",
        unsigned=True,
        policy=folder / "policy.yaml",
        port=port,
    )


def live(options, clock, holder):
    """One life, until it is killed or told to stop."""
    live_pieces.SystemClock = lambda: clock
    live_wiring.open_models = lambda *_: (holder, None)
    with ExitStack() as stack:
        wired = live_wiring.wire(options, stack, lambda *_: None)
        wired.service.start()
        wired.server.run()
        wired.service.stop()


def refuse(*_):
    raise DataError("there is no history here: the snapshot must do")


def end_with_parent():
    """Be killed when whoever started this process ends, however that comes about."""
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def main():
    end_with_parent()
    HistoryEngines.fresh = refuse
    holder = BundleHolder((), clock=SystemClock(), unsigned=True, check=lambda _: None)
    verdict = holder.offer(Path(sys.argv[1]))
    assert verdict.accepted, verdict.reason
    FastCascade(holder.current().bundle.model)  # compiles, once for all of them
    gc.freeze()
    assert threading.active_count() == 1
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        port, _, folder = line.strip().partition(" ")
        pid = os.fork()
        if pid == 0:
            end_with_parent()
            clock = FileClock(Path(folder, "clock"))
            live(options_of(Path(folder), int(port)), clock, holder)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        os.waitpid(pid, 0)
        sys.stdout.write("ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
