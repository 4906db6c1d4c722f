"""The table of tries: models paired with the one kept, inside the first training block of btc_core.

Run as ``python benchmarks/tries.py --data DIR``. Scores are cached below ``runs/tries`` by a hash
of the candidate and the data, so a stopped run goes on where it was, and a changed candidate alone
is run again. Writes docs/tries.md, which nobody writes by hand.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import orjson  # noqa: E402  threads are set before anything that starts them is imported

from liqwarn.durable import write_bytes  # noqa: E402
from tries_judge import (  # noqa: E402
    FIRST,
    SECOND,
    THIRD,
    Look,
    Measured,
    cached,
    compared,
    key_of,
    measured,
    promising,
    saved_json,
    verdict,
)
from tries_kinds import REFERENCE, Try  # noqa: E402
from tries_list import all_tries  # noqa: E402
from tries_page import page  # noqa: E402
from tries_rows import Material, material  # noqa: E402

ROOT = Path(__file__).parents[1]
LOOKS = {look.name: look for look in (FIRST, SECOND, THIRD)}
_STATE: dict[str, Any] = {}


def tell(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def prepare(data: Path, out: Path) -> None:
    """Load what a worker needs, once a process."""
    given = material(data, out / "rows", tell)
    _STATE.update(given=given, out=out, tries={t.name: t for t in (REFERENCE, *all_tries(given))})


def result_file(attempt: Try, look: Look, given: Material, out: Path) -> Path:
    keys = [key_of(t.make, look, given.digest) for t in (REFERENCE, attempt)]
    return out / "results" / f"{attempt.name}_{look.name}_{keys[0][:6]}_{keys[1]}.json"


def judge(name: str, look_name: str) -> tuple[str, str, float]:
    """Score a try, compare it with the reference, and write the result as JSON."""
    began = time.monotonic()
    attempt, look = _STATE["tries"][name], LOOKS[look_name]
    given, out = _STATE["given"], _STATE["out"]
    file = result_file(attempt, look, given, out)
    if not file.exists():
        mine = _measured(attempt, look)
        document = {"name": name, "look": look_name, **compared(mine, _reference(look))}
        saved_json(document, file)
    return name, look_name, time.monotonic() - began


def _measured(attempt: Try, look: Look) -> Measured:
    given, out = _STATE["given"], _STATE["out"]
    return measured(cached(attempt.make, given.rows, look, given.digest, out / "scores"))


def _reference(look: Look) -> Measured:
    if look.name not in _STATE:
        _STATE[look.name] = _measured(REFERENCE, look)
    found: Measured = _STATE[look.name]
    return found


def results() -> dict[str, dict[str, Any]]:
    """Every result there is by now: try, then look."""
    out: dict[str, dict[str, Any]] = {}
    for name, attempt in _STATE["tries"].items():
        for look in LOOKS.values():
            file = result_file(attempt, look, _STATE["given"], _STATE["out"])
            if file.exists():
                out.setdefault(name, {})[look.name] = orjson.loads(file.read_bytes())
    return out


def write_page() -> None:
    tries = list(_STATE["tries"].values())
    write_bytes(ROOT / "docs" / "tries.md", page(tries, results(), LOOKS).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("LIQWARN_REAL_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared / "real")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "tries")
    parser.add_argument("--only", help="names of tries, with commas between")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    options = parser.parse_args()
    prepare(options.data, options.out)
    tries = dict(_STATE["tries"])
    names = options.only.split(",") if options.only else list(tries)
    unknown = sorted(set(names) - set(tries))
    if unknown:
        parser.error(f"no try is called {', '.join(unknown)}; there are {', '.join(tries)}")
    if not options.page:
        run([(name, FIRST.name) for name in names], options)
        found = {name: looks for name, looks in results().items() if name in names}
        again = [n for n, k in found.items() if tries[n].second and promising(k["first"])]
        run([(name, SECOND.name) for name in (REFERENCE.name, *again)], options)
        found = results()
        passed = [n for n in again if verdict(found[n]) == "passes"]
        run([(name, THIRD.name) for name in (REFERENCE.name, *passed)], options)
    write_page()
    tell(f"written: {ROOT / 'docs' / 'tries.md'}")


def run(work: list[tuple[str, str]], options: argparse.Namespace) -> None:
    """All tasks, in as many processes as asked for; the page follows every few."""
    judge(REFERENCE.name, work[0][1])
    given = (options.data, options.out)
    with ProcessPoolExecutor(options.jobs, initializer=prepare, initargs=given) as pool:
        waiting = {pool.submit(judge, *task): task for task in work}
        for done, future in enumerate(as_completed(waiting), start=1):
            error = future.exception()
            if error is not None:
                tell(f"{waiting[future]} failed: {error!r}")
                continue
            name, look, seconds = future.result()
            tell(f"{done} of {len(work)}: {name}, {look} look, {seconds:.0f} s")
            if done % 8 == 0:
                write_page()


if __name__ == "__main__":
    main()
