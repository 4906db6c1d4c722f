"""kill -9 within every kind of write of the live record, one kind after the other.

``LIQWARN_FAULTS=full`` runs the counts that docs/faults.md reports.
"""

import os
import random
import runpy
import signal
import time
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from liqwarn.data.bars.replay_feed import columns_of
from liqwarn.decisions import flag_to_dict
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.bar import flags_of
from liqwarn.live.snapshot import unpack_memory
from liqwarn.pipelines.live_start import start_live
from liqwarn.policy.audit import append, read_head, replay, verify
from liqwarn.policy.flags import FlagSource
from liqwarn.serving.flag_file import FlagSet, parse_flags
from liqwarn.serving.live_record import LiveRecord
from liqwarn.serving.live_restart import remove_unfinished
from liqwarn.tables import read_table

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
KILLS = 200 if FULL else 3
BARS = 20
at = runpy.run_path(str(Path(__file__).parent / "live_given.py"))["at"]


@pytest.fixture(scope="module")
def steps(study, bundle, policy):
    """An engine, and bars with their columns and flags."""
    frame = study.market.frame
    first = frame.shape[1] - BARS
    engine = start_live(study, bundle, policy, at=first)
    out = []
    for column in columns_of(frame.between(first, frame.shape[1])):
        bar = engine.step(column)
        source = FlagSource(model=bundle.stamp, data_sha256="d", completeness=0.0)
        issued_at = at(column.time) + timedelta(seconds=1)
        flags = tuple(flags_of(bar, policy, source, issued_at=issued_at))
        told = FlagSet(
            generated_at=issued_at,
            market="simulated",
            flags=MappingProxyType({flag.symbol: flag for flag in flags}),
        )
        out.append((bar, column, flags, told))
    return engine, out


@pytest.fixture
def record(study, tmp_path):
    panel = study.market.panel
    return LiveRecord(tmp_path, panel, panel_sha256="p", document=flag_to_dict)


def writes(kind, record, steps, policy):
    """Write for ever, bar after bar; whatever is yielded is acknowledged."""
    engine, bars = steps
    while True:
        for bar, column, flags, told in bars:
            if kind == "audit":
                record.audit(bar, column, policy, engine, every=True)
            elif kind == "flags":
                record.flags(told)
            elif kind == "history":
                record.history(bar, flags)
            else:
                record.snapshot(engine)
            yield bar.number
        record.begin()


def killed(kind, record, steps, policy, after_s):
    """What a writer acknowledged before it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for _ in writes(kind, record, steps, policy):
                os.write(write, b".")
        finally:
            os._exit(1)
    os.close(write)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with os.fdopen(read, "rb") as told:
        return len(told.read())


def whole(kind, folder, study, policy):
    """How much is there; nothing of it is torn."""
    panel = study.market.panel
    if kind == "audit":
        append(folder / "audit.jsonl", folder / "audit.head.json", [], policy=policy)
        lines = verify(folder / "audit.jsonl", folder / "audit.head.json").lines
        assert lines == read_head(folder / "audit.head.json").lines
        return lines // (2 * len(panel.symbol_names))
    if kind == "flags":
        parse_flags((folder / "flags.json").read_bytes())
    elif kind == "history":
        for path in (folder / "history").glob("2*.parquet"):
            assert len(read_table(path)) % (2 * len(panel.symbol_names)) == 0
    else:
        venue, config = study.map_job.venue, study.map_job.config
        terms = SymbolTerms(symbols=panel.symbol_names, venue=venue, config=config)
        with (folder / "snapshot.live").open("rb") as snapshot:
            unpack_memory(snapshot, panel, terms, panel_sha256="p")
    return 0


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("kind", ["audit", "flags", "history", "snapshot"])
def test_a_write_that_was_killed_leaves_all_of_it_or_nothing(
    kind, record, steps, study, policy, tmp_path
):
    dice, midway = random.Random(7), 0
    began = time.perf_counter()
    next(writes(kind, record, steps, policy))
    longest, acknowledged = max(0.05, 3.0 * (time.perf_counter() - began)), 1
    for _ in range(KILLS):
        acknowledged += killed(kind, record, steps, policy, dice.uniform(0.0, longest))
        log = tmp_path / "audit.jsonl"
        tail = kind == "audit" and log.stat().st_size > read_head(tmp_path / "audit.head.json").size
        midway += tail or any(tmp_path.rglob(".*.tmp*"))
        remove_unfinished(tmp_path)
        found = whole(kind, tmp_path, study, policy)
        assert kind != "audit" or found >= acknowledged
        assert not list(tmp_path.rglob(".*.tmp*"))
    if kind == "audit":
        assert replay(tmp_path / "audit.jsonl", policy).differences == 0
    print(f"{kind}: {KILLS} kills, {acknowledged} writes, {midway} kills within one")
