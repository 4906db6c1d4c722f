"""What the journal of bars and the store survive: killed writers, flipped bits, cut files.

``LIQWARN_FAULTS=full`` runs the counts that docs/live-bars.md reports.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.data.asof import market_frame
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import BarColumn
from liqwarn.data.manifest import Origin
from liqwarn.data.panel import Panel
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.store import Store
from liqwarn.errors import StoreError

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
KILLS = 200 if FULL else 8
JOURNALS = 1_000 if FULL else 60
STORES = 1_000 if FULL else 40

FIRST = np.datetime64("2024-08-05T01:00:00")
HOUR = 3_600


def make_panel():
    def source(name, fields):
        clock = {"column": "t", "unit": "s", "label": "end", "step": "1h"}
        return {"name": name, "file": f"{name}-{{symbol}}.csv", "time": clock, "fields": fields}

    candle = {name: name for name in ("open", "high", "low", "close", "volume")}
    return Panel.model_validate(
        {
            "name": "bars",
            "market": "real",
            "bar": "1h",
            "symbols": ["BTCUSDT", "ETHUSDT"],
            "core": ["close"],
            "sources": [source("klines", candle), source("stock", {"open_interest": "oi"})],
        }
    )


def make_column(panel, bar):
    """Numbers that depend on the bar alone."""
    rng = np.random.default_rng(bar)
    n = len(panel.symbol_names)
    return BarColumn(
        time=FIRST + bar * HOUR,
        symbols=panel.symbol_names,
        fields={name: rng.normal(size=n) for name in panel.fields},
        ages={name: rng.normal(size=n) for name in panel.fields},
        bar_s=panel.bar_s,
    )


def bits(column):
    planes = [*sorted(column.fields.items()), *sorted(column.ages.items())]
    return str(column.time), [(name, plane.tobytes()) for name, plane in planes]


# --------------------------------------------------------------------------------- kill -9

_WRITER = """
    import sys
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    spec = spec_from_file_location("faults", sys.argv[2])
    faults = module_from_spec(spec)
    spec.loader.exec_module(faults)
    panel = faults.make_panel()
    with faults.Journal.open(Path(sys.argv[1]), panel, largest=4_000) as journal:
        end = journal.end
        bar = 0 if end is None else int((end - faults.FIRST).astype(int)) // faults.HOUR + 1
        print("open", bar, flush=True)
        while True:
            size = bar % 7 + 1
            journal.append([faults.make_column(panel, bar + k) for k in range(size)])
            bar += size
            print(bar, flush=True)
"""


def test_kill_9_during_appends_loses_nothing_acknowledged_and_tears_no_read(tmp_path):
    """One journal, written on by one killed writer after the other."""
    rng = random.Random(9)
    panel, folder, acknowledged = make_panel(), tmp_path / "journal", 0
    code = textwrap.dedent(_WRITER)
    for _ in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-c", code, folder, __file__], stdout=subprocess.PIPE, text=True
        )
        opened = writer.stdout.readline()
        assert opened.startswith("open "), opened
        assert int(opened.split()[1]) >= acknowledged
        time.sleep(rng.uniform(0.0, 0.2))
        writer.send_signal(signal.SIGKILL)
        lines = writer.stdout.read().splitlines(keepends=True)
        writer.wait()
        writer.stdout.close()
        told = [int(line) for line in lines if line.endswith("\n")]
        acknowledged = max([acknowledged, *told])

        with Journal.open(folder, panel) as journal:
            since = FIRST + max(0, acknowledged - 200) * HOUR
            tail = journal.read(since)
        assert (tail.missing, tail.damages, journal.damages) == ((), (), ())
        bars = [int((c.time - FIRST).astype(int)) // HOUR for c in tail.columns]
        assert not acknowledged or bars[-1] + 1 >= acknowledged
        for bar, column in zip(bars, tail.columns, strict=True):
            assert bits(column) == bits(make_column(panel, bar))

    with Journal.open(folder, panel) as journal:
        whole = journal.read()
    assert len(whole.columns) >= acknowledged > 0
    assert not (folder / "quarantine").exists()
    print(f"{KILLS} kills, {acknowledged} bars acknowledged, {len(whole.columns)} on disk")


# --------------------------------------------------------------------------------- disk full


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 64 KiB, where one may be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if not FULL or mount is None:
        pytest.skip("mounts a file system: only in the full run")
    if subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(journal, panel, bar):
    """Append three bars at a time for as long as the disk takes them."""
    for first in range(bar, bar + 3_000, 3):
        journal.append([make_column(panel, first + k) for k in range(3)])


def test_a_full_disk_acknowledges_nothing_and_the_journal_goes_on_with_room(tiny_disk):
    panel, bar, refused = make_panel(), 0, 0
    ballast = tiny_disk / "ballast"
    with Journal.open(tiny_disk / "journal", panel) as journal:
        for room in range(5):
            ballast.write_bytes(bytes(4096 * (5 - room)))
            with pytest.raises(StoreError, match="No space left on device"):
                fill(journal, panel, bar)
            refused += 1
            end = -1 if journal.end is None else int((journal.end - FIRST).astype(int)) // HOUR
            assert end + 1 >= bar
            bar = end + 1  # the whole segments of a refused group stand
            assert [bits(c) for c in journal.read().columns] == [
                bits(make_column(panel, k)) for k in range(bar)
            ]
        ballast.unlink()
    with Journal.open(tiny_disk / "journal", panel) as journal:
        journal.append([make_column(panel, bar)])
        tail = journal.read()
    assert (len(tail.columns), tail.missing, tail.damages) == (bar + 1, (), ())
    assert not list((tiny_disk / "journal").glob(".*.tmp*"))
    print(f"refused {refused} times on a full disk, {bar} bars acknowledged and read back")


# ------------------------------------------------------------------------ damage to the journal


def damage(path: Path, others: list[Path], rng: random.Random) -> str:
    """Do one thing to a file that no writer does."""
    content = bytearray(path.read_bytes())
    kind = rng.choice(["flip", "flip", "cut", "delete", "zero", "swap", "insert", "drop", "append"])
    at = rng.randrange(len(content))
    if kind == "flip":
        content[at] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del content[at:]
    elif kind == "zero":
        content[at : at + rng.randrange(1, 600)] = bytes(len(content[at : at + 600]))
    elif kind == "insert":
        content[at:at] = rng.randbytes(rng.randrange(1, 50))
    elif kind == "drop":
        del content[at : at + rng.randrange(1, 600)]
    elif kind == "append":
        content += rng.randbytes(rng.randrange(1, 600))
    if kind == "delete":
        path.unlink()
    elif kind == "swap":
        other = rng.choice(others)
        mine, theirs = path.read_bytes(), other.read_bytes()
        path.write_bytes(theirs)
        other.write_bytes(mine)
    else:
        path.write_bytes(content)
    return kind


def snapshot(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != ".lock"}


def test_a_damaged_journal_gives_no_wrong_number_and_no_silent_gap(tmp_path):
    panel, n_bars = make_panel(), 70
    made = [bits(make_column(panel, bar)) for bar in range(n_bars)]
    with Journal.open(tmp_path / "whole", panel) as journal:
        for bar in range(n_bars):
            journal.append([make_column(panel, bar)])
    rng, seen = random.Random(1), Counter()
    for number in range(JOURNALS):
        folder = tmp_path / f"j{number}"
        shutil.copytree(tmp_path / "whole", folder)
        files = sorted(p for p in folder.iterdir() if p.suffix == ".bars" or p.name == "head")
        before = snapshot(folder)
        kind = damage(rng.choice(files), files, rng)
        touched = snapshot(folder) != before

        with Journal.open(folder, panel) as journal:
            tail = journal.read()
            told = bool(journal.damages) or bool(tail.missing)
            goes_on = journal.end + HOUR
            number_of = int((goes_on - FIRST).astype(int)) // HOUR
            journal.append([make_column(panel, number_of)])
            after = journal.read()

        bars = [int((c.time - FIRST).astype(int)) // HOUR for c in tail.columns]
        lost = [int((t - FIRST).astype(int)) // HOUR for t in tail.missing]
        assert [bits(c) for c in tail.columns] == [made[bar] for bar in bars], kind
        whole = bars == list(range(n_bars))
        if not whole and "head" not in {d.file for d in journal.damages}:
            assert sorted(bars + lost) == list(range(n_bars)), kind
        assert whole or told, kind
        assert after.columns[-1].time == goes_on
        torn = list(folder.glob("*.torn"))
        seen["told" if told else "harmless" if touched else "untouched"] += 1
        seen["quarantined"] += (folder / "quarantine").exists()
        seen["set aside"] += bool(torn)
        if not told:  # then every acknowledged bar is there, to the last bit
            assert whole, kind
        shutil.rmtree(folder)
    print(f"{JOURNALS} damaged journals: {dict(seen)}")
    assert seen["told"] > 0.6 * JOURNALS


# -------------------------------------------------------------------------- damage to the store


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory):
    """Three weeks of two symbols from two sources over a year's end, as parquet parts."""
    root = tmp_path_factory.mktemp("stores") / "whole"
    store, start = Store(root), 1_703_203_200
    rng = np.random.default_rng(0)
    batch = []
    for symbol in make_panel().symbol_names:
        event = start + HOUR * np.arange(1, 505)
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, event.size)))
        candle = dict.fromkeys(("open", "high", "low", "close"), close)
        for source, values in [
            ("klines", candle | {"volume": rng.uniform(1.0, 2.0, event.size)}),
            ("stock", {"open_interest": rng.uniform(1.0, 2.0, event.size)}),
        ]:
            key = SeriesKey(panel="bars", source=source, symbol=symbol)
            row = np.arange(event.size)
            batch.append(Records(key=key, event=event, known=event, values=values, row=row))
    store.append(
        batch, origin=Origin(file="x", sha256="0", first_at=datetime(2024, 1, 1, tzinfo=UTC))
    )
    return root


def frame_bits(frame):
    planes = [*sorted(frame.fields.items()), *sorted(frame.ages.items())]
    return frame.times.tobytes(), [(name, plane.tobytes()) for name, plane in planes]


def test_a_damaged_store_is_told_by_reading_it(whole_store, tmp_path):
    """Any damage to a part or the manifest is a StoreError, or the frame holds the same bits."""
    panel = make_panel()
    expected = frame_bits(market_frame(Store(whole_store), panel))
    rng, seen, undetected = random.Random(2), Counter(), Counter()
    for number in range(STORES):
        root = tmp_path / f"s{number}"
        shutil.copytree(whole_store, root)
        files = sorted(p for p in root.rglob("*") if p.suffix in {".parquet", ".json"})
        path = rng.choice(files)
        before = {p: p.read_bytes() for p in files}
        kind = damage(path, [p for p in files if p != path], rng)
        touched = any(not p.exists() or p.read_bytes() != before[p] for p in files)
        try:
            found = frame_bits(market_frame(Store(root), panel))
            Store(root).verify()
        except StoreError:
            seen["StoreError"] += 1
        except Exception as error:  # what the campaign is there to find
            undetected[f"{kind} of {path.suffix}: {type(error).__name__} {error}"[:120]] += 1
        else:
            seen["same bits" if touched else "untouched"] += 1
            if found != expected:
                undetected[f"{kind} of {path.suffix}: a wrong frame"] += 1
        shutil.rmtree(root)
    print(f"{STORES} damaged stores: {dict(seen)}, not told: {dict(undetected)}")
    assert not undetected
