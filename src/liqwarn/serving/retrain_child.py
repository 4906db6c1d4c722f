"""What a server starts to retrain: a process that gives way to it, and then is ``liqwarn``.

``python -m liqwarn.serving.retrain_child WORD…`` lowers its priority, offers itself first to the
kernel when memory runs out, and becomes ``liqwarn WORD…``. Both are handed on to whatever it
starts. A server cannot do this between a fork and an exec of its own, as it has threads.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

__all__ = ["NICE", "OOM_SCORE", "give_way", "main"]

NICE: Final = 15
OOM_SCORE: Final = 500
"""Of at most 1000; the unit of the server sets -500 for itself."""


def main() -> None:
    """Give way, and become ``liqwarn`` with the words that were given."""
    give_way()
    words = (sys.executable, "-m", "liqwarn.cli", *sys.argv[1:])
    os.execv(words[0], words)  # noqa: S606  our own interpreter and module


def give_way(oom: Path = Path("/proc/self/oom_score_adj")) -> None:
    """Lower this process's claims; a sandbox may refuse either, and both are only courtesies."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    with contextlib.suppress(OSError):
        oom.write_text(f"{OOM_SCORE}\n")
    os.putenv("OMP_WAIT_POLICY", "passive")  # LightGBM reads it when its library is loaded


if __name__ == "__main__":
    main()
