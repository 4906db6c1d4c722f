"""The command line of each step, and what came of it; Dagster is not imported here.

liqwarn runs as a program, so that its environment and Dagster's stay apart.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

__all__ = ["BUSY", "STEPS", "CommandError", "Where", "command_of", "run"]

BUSY = os.EX_TEMPFAIL
"""Exit code of a command whose lock another one holds: later it may succeed."""

STEPS = ("ingest", "retrain", "ledger", "score", "report")
"""In this order; the ledger is settled before new flags are issued, and by scoring again after."""


@dataclass(frozen=True)
class Where:
    """Places.

    Attributes
    ----------
    program : str
        liqwarn of its own environment, such as ``/opt/liqwarn/bin/liqwarn``.
    panel, data, policy : str
        Panel file, folder of provider files, policy file.
    home : str
        ``LIQWARN_HOME``: store, registry, ledger.
    scores : str
        Folder of the scoring.
    releases, key : str
        Folder that servers watch and the key that signs; both empty where nothing is released.
    """

    program: str
    panel: str
    data: str
    policy: str
    home: str
    scores: str
    releases: str = ""
    key: str = ""


class CommandError(Exception):
    """A command that did not end well: its exit code, and its reasons or its last words."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said or f"exit code {code}")
        self.code = code


def command_of(step: str, where: Where) -> list[str]:
    """The words of a step, the program first."""
    panel = ["--panel", where.panel]
    data = [*panel, "--data", where.data]
    release = ["--release", where.releases, "--key", where.key] if where.releases else []
    issued = ["--scores", where.scores] if Path(where.scores, "flags.parquet").exists() else []
    words = {
        "ingest": ["ingest", *data],
        "retrain": ["retrain", *data, "--policy", where.policy, *release],
        "ledger": ["ledger", "settle", *panel, *issued],
        "score": ["score", *panel, "--out", where.scores, "--policy", where.policy],
        "report": ["report", "--scores", where.scores],
    }
    return [where.program, *words[step], "--json"]


def run(words: list[str], where: Where, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run a command to its end; tell each line of its progress; return what it printed.

    Raises
    ------
    CommandError
        When it ends with another exit code than 0.
    """
    with TemporaryFile("w+") as told:  # a pipe that nobody reads meanwhile may fill up
        with subprocess.Popen(
            words,
            env=_environment(where),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            said = ""
            for said in filter(None, map(str.strip, child.stderr or ())):
                tell(said)
        told.seek(0)
        found = json.loads(told.read() or "{}")
        if child.returncode:
            reasons = "; ".join(found.get("reasons", ()))
            raise CommandError(child.returncode, reasons or said)
        return found


def _environment(where: Where) -> Mapping[str, str]:
    """LightGBM's threads must be told to wait before Python starts."""
    return os.environ | {"LIQWARN_HOME": where.home, "OMP_WAIT_POLICY": "passive"}
