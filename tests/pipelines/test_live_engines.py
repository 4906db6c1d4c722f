"""Engines made from the store and the journal, and made anew where a quarter changes."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from liqwarn.data.bars.replay_feed import columns_of
from liqwarn.errors import FrameError
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.bar import flags_of
from liqwarn.live.flag_rows import flag_frame, flag_rows
from liqwarn.live.snapshot import pack_memory, unpack_memory
from liqwarn.pipelines.live_engines import HistoryEngines
from liqwarn.pipelines.market import MarketJob
from liqwarn.pipelines.score import score
from liqwarn.policy.flags import FlagSource
from liqwarn.tables import read_table

BEGIN = datetime(2022, 3, 31, 12, tzinfo=UTC)
"""Half a day before the second quarter."""
BARS = 24


@pytest.fixture(scope="module")
def engines_of(given_market, market, bundle, policy, now, tmp_path_factory):
    store = tmp_path_factory.mktemp("engines")
    job = MarketJob(panel=given_market.panel, data=given_market.files, store=store)

    def make(**changes):
        given = {
            "job": job,
            "panel": market.panel,
            "bundle": lambda: bundle,
            "policy": policy,
            "now": lambda: now,
            "begin": BEGIN,
        }
        return HistoryEngines(**(given | changes))

    return make


@pytest.fixture(scope="module")
def live_columns(market):
    frame = market.frame
    first = int(np.searchsorted(frame.times, np.datetime64("2022-03-31T13:00:00")))
    return list(columns_of(frame.between(first, first + BARS)))


@pytest.fixture(scope="module")
def played(engines_of, live_columns, policy):
    """The bars over the change of quarter, as a loop takes them; and where it was rebuilt."""
    engines = engines_of()
    engine = engines.fresh((), None, {})
    began = engine.as_of
    rows, rebuilt = [], []
    for k, column in enumerate(live_columns):
        if not engine.ready_for(column.time):
            rebuilt.append(column.time)
            engine = engines.next_quarter(engine, live_columns[: k + 1])
        bar = engine.step(column)
        source = FlagSource(model=engine.bundle.stamp, data_sha256="ab" * 32, completeness=0.0)
        rows += flag_rows(bar, flags_of(bar, policy, source, issued_at=bar.scores.as_of))
    return began, flag_frame(rows), rebuilt, engine


def test_a_change_of_quarter_gives_the_flags_of_the_scoring(
    played, study, bundle, policy, now, tmp_path
):
    began, live, rebuilt, _ = played
    first = BEGIN + timedelta(hours=1)
    score(study, bundle, policy, tmp_path, now=now, since=first)
    batch = read_table(tmp_path / "flags.parquet")[: len(live)]
    kept = [name for name in batch.columns if name != "issued_at"]

    assert began == BEGIN
    assert rebuilt == [np.datetime64("2022-04-01T01:00:00")]
    assert len(live) == BARS * 2 * 2
    pd.testing.assert_frame_equal(live[kept], batch[kept], check_exact=True)


def test_the_maps_of_a_new_quarter_are_others(played, study):
    """The test above can fail: maps of the old quarter are not those of the new one."""
    drawn = dict(zip(study.map_draws.blocks, study.map_draws.drawn, strict=True))
    by_quarter = {block.evidence_until: maps for block, maps in drawn.items()}

    assert len({tuple(sorted(maps)) for maps in by_quarter.values()}) > 1


def test_an_engine_from_recorded_bars_is_where_they_end(engines_of, live_columns):
    until = BEGIN + timedelta(hours=5)
    told = []
    engine = engines_of(on_progress=lambda *step: told.append(step[0])).fresh(
        live_columns[:5], until, {}
    )

    assert engine.as_of == until
    assert "live start" in told


def test_without_a_beginning_it_knows_the_whole_store(engines_of, market):
    engine = engines_of(begin=None).fresh((), None, {})

    assert engine.number == market.frame.first_bar + market.frame.shape[1] - 1


def test_a_history_without_the_bar_is_refused(engines_of):
    with pytest.raises(FrameError, match=r"expected it to hold the bar that closes at 2023-01-01"):
        engines_of().fresh((), datetime(2023, 1, 1, tzinfo=UTC), {})


def test_a_restored_engine_goes_on(played, engines_of, market, study, live_columns):
    *_, engine = played
    job, frame = study.map_job, market.frame
    terms = SymbolTerms(symbols=frame.symbols, venue=job.venue, config=job.config)
    data = b"".join(pack_memory(engine.memory, market.panel, panel_sha256="p"))
    memory, _ = unpack_memory(BytesIO(data), market.panel, terms, panel_sha256="p")

    again = engines_of().restored(memory)

    position = engine.number + 1 - frame.first_bar
    (column,) = columns_of(frame.between(position, position + 1))
    ours, theirs = again.step(column), engine.step(column)
    assert ours.decisions == theirs.decisions
    np.testing.assert_array_equal(ours.scores.raw, theirs.scores.raw)


def test_the_event_catalogue_is_written_where_it_is_asked_for(engines_of, tmp_path, live_columns):
    path = tmp_path / "events.csv"
    engines_of(events=path).fresh((), BEGIN, {})

    assert path.exists()
