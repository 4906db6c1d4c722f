"""What the canary runs, in a process of its own: load a bundle from standard input, score probes.

``python -I -m liqwarn.serving.canary_child SECONDS BYTES NICE``. A LightGBM text that was cut
before it was signed kills the process that parses it; here that costs nothing. The answer is one
JSON object on standard output; what libraries print goes nowhere.
"""

import contextlib
import gc
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

__all__ = ["answer", "main"]

_NOT_NEEDED: Final = ("dask", "matplotlib", "sklearn")
"""LightGBM imports them where it finds them, for a second and with joblib's unpicklers."""


def main() -> None:
    """Answer, within the limits of time and memory that are given."""
    seconds, memory, nice = (int(word) for word in sys.argv[1:4])
    report = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit(seconds, memory, nice)
    gc.disable()  # it lives for a second
    for name in _NOT_NEEDED:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it then fails
    try:
        said = answer(sys.stdin.buffer)
    except Exception as error:  # whatever it is, the parent is told
        said = {"error": f"{type(error).__name__}: {error}"[:1000]}
    os.write(report, orjson.dumps(said))


def _limit(seconds: int, memory: int, nice: int) -> None:
    """An orphan ends by itself, nothing is written, and a server that serves comes first."""
    signal.alarm(seconds)
    with contextlib.suppress(OSError):  # a sandbox may refuse it, and it is only a courtesy
        os.nice(nice)
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def answer(stream: BinaryIO) -> dict[str, Any]:
    """The raw scores of a bundle's probes, in hexadecimal.

    Parameters
    ----------
    stream : binary stream
        A line of JSON, ``{"version": …, "files": [[path, size], …]}``, then the files' bytes.
    """
    # only now: the limits must be in force
    import numpy as np  # noqa: PLC0415

    from liqwarn.config import policy_of  # noqa: PLC0415
    from liqwarn.models.bundle import POLICY, bundle_of  # noqa: PLC0415

    header = orjson.loads(stream.readline())
    files = {name: stream.read(size) for name, size in header["files"]}
    bundle = bundle_of(files, version=header["version"])
    if POLICY in files:
        policy_of(files[POLICY], Path(POLICY))
    names = bundle.model.names_
    probes = bundle.probes
    rows = np.full((1, len(names)), np.nan) if probes is None else probes.rows
    raw = bundle.model.raw(rows)
    return {"shape": raw.shape, "raw": [float(value).hex() for value in raw.ravel()]}


if __name__ == "__main__":
    main()
