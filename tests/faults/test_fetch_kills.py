"""kill -9 in the middle of a fetch, again and again: nothing half-written, nothing fetched twice.

Five kills by default, 200 with LIQWARN_FAULTS=full. The archive then is two years of ten symbols
(8,260 files), by default two months of two.
"""

import json
import os
import random
import runpy
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest
from liqwarn.data.store import Store
from liqwarn.pipelines.fetch import FetchJob, fetch_binance
from liqwarn.sources.keeper import CHECKSUM

ROOT = Path(__file__).parents[2]
FAKE = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_archive.py"))
FULL = os.environ.get("LIQWARN_FAULTS") == "full"
KILLS, SYMBOLS, MONTHS = (200, 10, 24) if FULL else (5, 2, 2)
FIRST, TODAY = date(2022, 2, 1), date(2026, 1, 15)
NAMES = tuple(f"C{n:02d}USDT" for n in range(SYMBOLS))

PROGRAM = """
import json, sys
from datetime import date
from pathlib import Path
from liqwarn.sources.binance_archive import ArchiveOrder, fetch_archive
from liqwarn.sources.web import Patience

told = json.loads(sys.argv[1])
order = ArchiveOrder(
    symbols=tuple(told["symbols"]), since=date.fromisoformat(told["since"]),
    until=date.fromisoformat(told["until"]), interval="1h", folder=Path(told["folder"]),
    base_url=told["url"], jobs=4, ask_again=told["ask_again"],
    patience=Patience(first_wait_s=0.01, longest_wait_s=0.1),
)
sys.stdout.write("go\\n")
sys.stdout.flush()
fetch_archive(order, today=date.fromisoformat(told["today"]), on_fetch=lambda _: None)
"""


def last_day():
    """Last day of the months wanted."""
    months = FIRST.year * 12 + FIRST.month - 1 + MONTHS
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


@pytest.fixture
def archive():
    made = FAKE["FakeArchive"](dict.fromkeys(NAMES, FIRST), TODAY, metrics_step=3_600)
    made.delay_s = 0.002
    return made


def whole(folder, archive):
    """Paths of the zips in place, each of which must be whole."""
    found = set()
    for file in folder.rglob("*.zip"):
        if not file.name.startswith("."):
            path = str(file.relative_to(folder))
            assert file.read_bytes() == archive.zip_at(path), path
            found.add(path)
    for file in folder.rglob(f"*.zip{CHECKSUM}"):
        if not file.name.startswith("."):
            path = str(file.relative_to(folder)).removesuffix(CHECKSUM)
            assert path in found, f"{path} has a checksum and is not there"
            assert file.read_bytes() == archive.checksum_of(path)
    return found


def killed(told, seconds):
    """Start a fetch and kill it so long after it began to ask; whether it was done before."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(told)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout.readline() == b"go\n"
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.stdout.close()
    return process.wait() == 0


def test_kills_in_the_middle_cost_nothing_and_the_whole_is_a_market(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    folder, dice = tmp_path / "archive", random.Random(7)
    span = {"since": FIRST.isoformat(), "until": last_day().isoformat()}
    kills = 0
    with FAKE["Serving"](archive) as serving:
        told = {"symbols": NAMES, "folder": str(folder), "url": serving.url,
                "today": TODAY.isoformat(), "ask_again": False, **span}  # fmt: skip
        while kills < KILLS:
            held = whole(folder, archive)
            archive.asked.clear()

            done = killed(told, dice.uniform(0.02, 0.4))

            kills += not done
            asked = archive.zips_asked()
            assert not held & set(asked)  # nothing that was whole is fetched again
            assert len(asked) == len(set(asked))
            if done:  # begin anew, kills are wanted
                for file in list(folder.rglob("*.zip"))[::2]:
                    file.unlink()
        held = whole(folder, archive)
        archive.asked.clear()
        job = FetchJob(symbols=NAMES, since=FIRST, until=last_day(), interval="1h", out=folder,
                       base_url=serving.url)  # fmt: skip
        noon = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)

        result = fetch_binance(job, now=noon, on_fetch=lambda _: None)

    assert not held & set(archive.zips_asked())
    assert whole(folder, archive) == held | set(archive.zips_asked())
    assert not [file for file in folder.rglob("*") if ".tmp" in file.name]
    days = (last_day() - FIRST).days + 1
    counts = result.report.to_dict()["files"]
    assert counts["fetched"] + counts["held"] == SYMBOLS * (4 * MONTHS + days)
    assert result.report.gaps == ()
    check_market(result, tmp_path, days)


def check_market(result, tmp_path, days):
    """What was fetched is read through its panel, every row of it."""
    panel, store = load_panel(result.panel), Store(tmp_path / "store")
    began = time.process_time()

    summary = ingest(panel, result.folder, store, now=datetime(2026, 1, 15, tzinfo=UTC))
    frame = market_frame(store, panel)

    print(f"{len(summary.files)} files ingested in {time.process_time() - began:.1f} CPU-s")
    assert summary.quarantined == {}
    assert summary.total("new") == SYMBOLS * days * (24 * 4 + 3)
    assert frame.shape == (SYMBOLS, 24 * days)
    assert np.isfinite(frame.field("close")).all()
    assert store.verify() <= SYMBOLS * 6 * (MONTHS // 12 + 2)
