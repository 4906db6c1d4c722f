"""kill -9 of the whole live service at any moment, while its bars go on.

``LIQWARN_FAULTS=full`` runs the counts that docs/faults.md reports.
"""

import http.client
import mmap
import os
import random
import runpy
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from liqwarn.config import config_sha256
from liqwarn.decisions import iso_utc
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.snapshot import unpack_memory
from liqwarn.policy.audit import read_head
from liqwarn.serving.flag_file import parse_flags
from liqwarn.tables import read_table

HERE = Path(__file__).parent
FULL = os.environ.get("LIQWARN_FAULTS") == "full"
KILLS = 200 if FULL else 5
GIVEN = runpy.run_path(str(HERE / "live_given.py"))
at, history, journal, lines_of = (GIVEN[k] for k in ("at", "history", "journal", "lines_of"))
assert_same_bars, assert_same_flags = GIVEN["assert_same_bars"], GIVEN["assert_same_flags"]
audited = GIVEN["audited"]
SYMBOL = "BTCUSDT"


@dataclass
class World:
    """A service that is begun again and again, its feed and its clock."""

    folder: Path
    nursery: subprocess.Popen
    port: int
    bars: list
    written: int = 0
    pid: int | None = None
    answers: Counter = field(default_factory=Counter)
    newest: int = 0
    served: set = field(default_factory=set)
    first: Counter = field(default_factory=Counter)
    midway: Counter = field(default_factory=Counter)

    def __post_init__(self):
        with (self.folder / "clock").open("r+b") as file:
            self._clock = mmap.mmap(file.fileno(), 8)
        self.now = at(self.bars[0][0]) - timedelta(minutes=30)

    @property
    def now(self):
        return datetime.fromtimestamp(struct.unpack("d", self._clock[:8])[0], tz=UTC)

    @now.setter
    def now(self, moment):
        self._clock[:8] = struct.pack("d", moment.timestamp())

    def close_bars(self, n):
        """Write the bars first and move the clock then, so that none is late."""
        closed = self.bars[self.written : self.written + n]
        with (self.folder / "feed.jsonl").open("ab") as feed:
            feed.write(b"".join(line for _, line in closed))
        self.written += len(closed)
        self.now = at(closed[-1][0]) + timedelta(seconds=1)

    def begin(self):
        self.nursery.stdin.write(f"{self.port} {self.folder}\n")
        self.nursery.stdin.flush()
        self.pid = int(self.nursery.stdout.readline())

    def kill(self, how=signal.SIGKILL):
        os.kill(self.pid, how)
        assert self.nursery.stdout.readline() == "ended\n"
        self.pid = None

    def ask(self):
        """The flag as served now; None while nobody listens."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            link.request("GET", f"/v1/flags/{SYMBOL}")
            answer = link.getresponse()
            return answer.status, orjson.loads(answer.read())
        except (ConnectionError, http.client.HTTPException):
            return None
        finally:
            link.close()

    def first_answer(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if (answer := self.ask()) is not None:
                flag = self.judge(*answer)
                fresh = flag is not None and flag["quality"] not in ("stale", "unknown")
                self.first["none yet" if flag is None else "fresh" if fresh else "stale"] += 1
                return
            time.sleep(0.002)
        raise AssertionError("nobody answers")

    def judge(self, status, flag):
        """Count an answer; the clock stands still meanwhile."""
        if status != 200:
            self.answers[f"status {status}"] += 1
            assert status in (404, 503), flag
            return None
        assert flag["sequence"] >= self.newest
        self.newest = flag["sequence"]
        self.served.add(flag["as_of"])
        if flag["quality"] in ("stale", "unknown"):
            self.answers["stale"] += 1
            assert all(side["tier"] >= "T2" for side in flag["sides"].values())
            assert not any(side["limits"]["add_frac"] for side in flag["sides"].values())
        else:
            self.answers["fresh"] += 1
            assert iso_utc(self.now) < flag["valid_until"]
        return flag

    def wait_for_bar(self):
        """Until the newest bar's flag is served."""
        wanted = iso_utc(at(self.bars[self.written - 1][0]))
        until = time.monotonic() + 60
        while time.monotonic() < until:
            answer = self.ask()
            flag = self.judge(*answer) if answer else None
            if flag is not None and flag["as_of"] == wanted:
                return
            time.sleep(0.005)
        raise AssertionError(f"the bar of {wanted} is not served: {answer}")


@pytest.fixture(scope="module")
def nursery(bundle_folder, tmp_path_factory):
    log = tmp_path_factory.mktemp("nursery") / "log"
    env = {k: v for k, v in os.environ.items() if k != "LIQWARN_FAULTS"}
    with log.open("wb") as told:
        nursery = subprocess.Popen(
            [sys.executable, str(HERE / "live_nursery.py"), str(bundle_folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            env=env | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"},
        )
    assert nursery.stdout.readline() == "ready\n", log.read_text()
    yield nursery
    nursery.stdin.close()
    nursery.stdout.close()
    nursery.wait()


@pytest.fixture
def world(prepare, nursery, tmp_path):
    """Make a world in a folder of its own, of the same bars."""
    made = []

    def make(name, n_bars):
        folder = tmp_path / name
        frame = prepare(folder, n_bars)
        (folder / "clock").write_bytes(bytes(8))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        bars = list(lines_of(frame, random.Random(3)))
        made.append(World(folder=folder, nursery=nursery, port=port, bars=bars))
        return made[-1]

    yield make
    for one in made:
        if one.pid is not None:
            one.kill()


def check_files(world, study):
    """What lies on disk after a kill is whole: the last version or the one before."""
    live, panel = world.folder / "live", study.market.panel
    if (live / "flags.json").exists():
        parse_flags((live / "flags.json").read_bytes())
    terms = SymbolTerms(
        symbols=panel.symbol_names, venue=study.map_job.venue, config=study.map_job.config
    )
    stamp = config_sha256(world.folder / "panel.yaml")
    with (live / "snapshot.live").open("rb") as snapshot:
        unpack_memory(snapshot, panel, terms, panel_sha256=stamp)
    for path in (live / "history").glob("2*.parquet"):
        read_table(path)
    if (live / "audit.head.json").exists():
        head = read_head(live / "audit.head.json")
        world.midway["audit log"] += (live / "audit.jsonl").stat().st_size > head.size
    for path in live.rglob(".*.tmp*"):
        world.midway[path.suffix] += 1


def play_without_a_kill(world, n_bars):
    world.begin()
    while world.written < n_bars:
        world.close_bars(1)
        world.wait_for_bar()
    world.kill(signal.SIGTERM)


def play_with_kills(world, study, rng):
    """Bars go on; the service is killed at random moments after one came, or while many do."""
    for kill in range(KILLS):
        for _ in range(rng.randrange(3)):  # while it is down
            world.close_bars(1)
        if rng.random() < 0.2:
            world.now += timedelta(minutes=rng.randrange(1, 40))
        world.begin()
        if kill % 3:
            world.first_answer()
        if kill % 3 == 1:
            if world.written:
                world.wait_for_bar()
            world.close_bars(1)
        time.sleep(rng.random() ** 2 * (0.12 if kill % 3 else 1.2))
        world.kill()
        check_files(world, study)
    world.begin()
    world.close_bars(1)
    world.wait_for_bar()
    world.kill(signal.SIGTERM)


@pytest.mark.timeout(3_000)
def test_a_service_killed_at_any_moment_loses_nothing_and_serves_no_old_flag_as_fresh(
    world, study, policy
):
    killed, calm = (world(name, 3 * KILLS + 4) for name in ("killed", "calm"))
    play_with_kills(killed, study, random.Random(9))
    play_without_a_kill(calm, killed.written)

    live = killed.folder / "live"
    found, expected = (journal(one.folder / "live", study.market.panel) for one in (killed, calm))
    assert_same_bars(found, expected)
    lines = audited(live, policy)
    holes = check_history(killed, history(live), history(calm.folder / "live"))
    litter = [path.name for path in live.rglob(".*.tmp*")]
    assert not litter
    print(f"{KILLS} kills, {killed.written} bars, {lines} decisions logged, ", end="")
    print(
        f"{holes} bars of a backlog that were never issued, answers {dict(killed.answers)}, ",
        end="",
    )
    print(f"the first of a life {dict(killed.first)}, caught in a write {dict(killed.midway)}")


def check_history(killed, found, expected):
    """Every flag that was served is there, and is that of the calm run."""
    assert found.index.is_unique
    assert found.index.isin(expected.index).all()
    assert_same_flags(found, expected)
    missing = expected.index.difference(found.index).get_level_values("as_of").unique()
    assert not {iso_utc(moment) for moment in missing} & killed.served
    return len(missing)
