"""A bundle is first loaded where it can do no harm: in a child process, with limits, then killed.

Signed is not the same as harmless: a model text that was cut before it was signed kills the process
that parses it, and another LightGBM or another machine may read other scores out of it. So a fresh
interpreter, which sees nothing of this one's environment, loads the very bytes that were verified
and scores the bundle's probes. Only the same scores, bit for bit, let the bundle pass.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson

from liqwarn.errors import ModelError
from liqwarn.models.probes import Probes
from liqwarn.models.signed_bundle import VerifiedBundle

__all__ = ["CHILD", "PROBE_FILE", "CanaryLimits", "canary"]

CHILD: Final = ("-m", "liqwarn.serving.canary_child")
PROBE_FILE: Final = "training/probes.json"
_ENVIRONMENT: Final = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryLimits:
    """What a child may use.

    Attributes
    ----------
    seconds : int
        Of processor time, and of wall time; loading takes about one.
    memory : int
        Bytes of address space; loading takes about 1.5 GiB of it, most of it never touched.
    nice : int
        How far it gives way to the server; 0 where the server waits for it.
    """

    seconds: int = 60
    memory: int = 4 << 30
    nice: int = 10


def canary(
    verified: VerifiedBundle,
    limits: CanaryLimits | None = None,
    *,
    child: Sequence[str] = CHILD,
) -> str | None:
    """None when a child process loads the bundle and scores its probes as expected, else why not.

    Parameters
    ----------
    child : sequence of str
        What the interpreter is to run; a test brings a child that hangs.
    """
    limits = limits or CanaryLimits()
    bounds = (limits.seconds, limits.memory, limits.nice)
    words = (sys.executable, "-I", *child, *map(str, bounds))
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter and module
            words,
            input=_framed(verified),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            timeout=limits.seconds,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return f"the canary did not answer within {limits.seconds} s"
    except OSError as error:
        return f"the canary could not be started: {error.strerror}"
    if done.returncode:
        return f"the canary {_ending(done.returncode)}"
    return _judged(done.stdout, verified)


def _framed(verified: VerifiedBundle) -> bytes:
    files = verified.files
    sizes = [[name, len(content)] for name, content in files.items()]
    header = orjson.dumps({"version": verified.id.version, "files": sizes})
    return b"\n".join([header, b"".join(files.values())])


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _judged(report: bytes, verified: VerifiedBundle) -> str | None:
    try:
        said = orjson.loads(report)
        if "error" in said:
            return f"the canary refused it: {said['error']}"
        raw = np.array([float.fromhex(value) for value in said["raw"]]).reshape(said["shape"])
    except (KeyError, TypeError, ValueError) as error:
        return f"the canary gave no answer that can be read: {error!r}"
    if PROBE_FILE not in verified.files:
        return None if verified.id.key is None else "it is signed without probes"
    try:
        why = Probes.from_bytes(verified.files[PROBE_FILE]).compare(raw)
    except ModelError as error:
        return str(error)
    return None if why is None else f"the canary answered otherwise: {why}"
