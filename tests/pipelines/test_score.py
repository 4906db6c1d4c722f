"""Scoring: in steps or at once the same, twice nothing new, and honest about missing inputs."""

import shutil
from datetime import timedelta

import numpy as np
import orjson
import pandas as pd
import pytest

from liqwarn.decisions import Tier, flag_from_dict
from liqwarn.errors import AuditError, FrameError, StoreError
from liqwarn.pipelines.score import score
from liqwarn.policy.audit import replay, verify

END = pd.Timestamp("2022-06-30", tz="UTC")  # close of the last bar
CUT = END - pd.Timedelta(days=20)
SINCE = (END - pd.Timedelta(days=40)).to_pydatetime()


def until(moment):
    """Keep the bars that are closed at a moment; the files name bars by their start."""
    return lambda table, symbol: table[table["timestamp"] < moment]


def lines(folder):
    """Decisions of a log, without their place in the chain and the store's hash."""
    records = [orjson.loads(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    for record in records:
        for name in ("sequence", "previous", "inputs_sha256"):
            del record[name]
    return records


def everything(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


@pytest.fixture(scope="module")
def run(bundle, policy, now):
    """Score a study into a folder."""

    def once(study, folder, *, later=timedelta(0)):
        return score(study, bundle, policy, folder, now=now + later, since=SINCE)

    return once


@pytest.fixture(scope="module")
def at_once(study, run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("at_once")
    return folder, run(study, folder)


@pytest.fixture(scope="module")
def in_steps(build, run, tmp_path_factory):
    """Files grow from one scoring to the next, into the same store and the same folder."""
    folder, store = tmp_path_factory.mktemp("in_steps"), tmp_path_factory.mktemp("store")
    first = run(build(until(CUT), store=store), folder)
    rest = run(build(until(END), store=store), folder)
    return folder, first, rest


def test_every_new_bar_is_scored_once(at_once, in_steps):
    _, whole = at_once
    _, first, rest = in_steps

    assert first.new_bars == 20 * 24 + 1  # the bar that closes at SINCE, too
    assert rest.new_bars == 20 * 24
    assert whole.new_bars == first.new_bars + rest.new_bars


@pytest.mark.parametrize("name", ["scores.parquet", "flags.parquet"])
def test_in_steps_gives_the_same_tables_as_at_once_cell_by_cell(at_once, in_steps, name):
    whole, parts = (pd.read_parquet(folder[0] / name) for folder in (at_once, in_steps))

    pd.testing.assert_frame_equal(parts, whole, check_exact=True)


def test_in_steps_gives_the_same_flags_as_at_once(at_once, in_steps):
    whole, parts = at_once[1].flags, in_steps[2].flags

    assert [flag | {"data": None} for flag in parts] == [flag | {"data": None} for flag in whole]
    assert (in_steps[0] / "events.csv").read_bytes() == (at_once[0] / "events.csv").read_bytes()


def test_in_steps_gives_the_same_signal_boards_as_at_once(at_once, in_steps):
    whole, parts = ((folder[0] / "signals.json").read_bytes() for folder in (at_once, in_steps))

    assert parts == whole


def test_in_steps_makes_the_same_decisions_as_at_once(at_once, in_steps):
    def last_of_the_first_step(record):
        unchanged = record["tier_before"] == record["tier_after"]
        return unchanged and pd.Timestamp(record["now"]) == CUT

    parts = [record for record in lines(in_steps[0]) if not last_of_the_first_step(record)]

    assert parts == lines(at_once[0])


def test_scoring_what_is_scored_changes_no_byte(in_steps, study, run):
    folder, _, rest = in_steps
    before = everything(folder)

    again = run(study, folder, later=timedelta(days=1))

    assert again.new_bars == 0
    assert again.flags == rest.flags
    assert everything(folder) == before


def test_the_log_of_a_scoring_verifies_and_replays(in_steps, policy):
    folder = in_steps[0]

    head = verify(folder / "audit.jsonl", folder / "audit.head.json")
    found = replay(folder / "audit.jsonl", policy)

    assert found.lines == head.lines > 0
    assert found.differences == 0


def test_a_log_that_was_touched_stops_the_next_scoring(build, run, tmp_path):
    folder = tmp_path / "scoring"
    run(build(until(CUT)), folder)
    log = folder / "audit.jsonl"
    log.write_bytes(log.read_bytes()[:-10])
    kept = (folder / "flags.json").read_bytes()

    with pytest.raises(AuditError, match="cut short"):
        run(build(until(END)), folder)

    assert (folder / "flags.json").read_bytes() == kept


def test_a_scoring_killed_before_its_flags_is_made_again(
    at_once, study, build, run, policy, tmp_path
):
    """The log may hold decisions twice then; tables and flags are as if nothing had happened."""
    folder = tmp_path / "scoring"
    run(build(until(CUT)), folder)
    positions = (folder / "positions.json").read_bytes()
    flags = (folder / "flags.json").read_bytes()
    run(study, folder)
    (folder / "positions.json").write_bytes(positions)  # as a kill would have left them
    (folder / "flags.json").write_bytes(flags)

    again = run(study, folder)

    assert again.new_bars == 20 * 24
    assert again.flags == at_once[1].flags
    for name in ("scores.parquet", "flags.parquet"):
        pd.testing.assert_frame_equal(
            pd.read_parquet(folder / name), pd.read_parquet(at_once[0] / name), check_exact=True
        )
    verify(folder / "audit.jsonl", folder / "audit.head.json")
    assert replay(folder / "audit.jsonl", policy).differences == 0


def test_unreadable_positions_are_refused_rather_than_forgotten(at_once, study, run, tmp_path):
    folder = tmp_path / "scoring"
    shutil.copytree(at_once[0], folder)
    (folder / "positions.json").write_text("{")

    with pytest.raises(StoreError, match=r"positions.json: unreadable positions of the breaker"):
        run(study, folder)


def test_a_scoring_of_other_symbols_is_not_continued(build, run, tmp_path):
    folder = tmp_path / "scoring"
    run(build(until(CUT)), folder)
    raw = (folder / "positions.json").read_text().replace("DOGEUSDT", "PEPEUSDT")
    (folder / "positions.json").write_text(raw)

    with pytest.raises(FrameError, match=r"positions of .*PEPEUSDT"):
        run(build(until(END)), folder)


def missing(field, hours, of="BTCUSDT"):
    """The last hours of one field of one symbol never came."""

    def change(table, symbol):
        if symbol == of:
            late = table["timestamp"] >= END - pd.Timedelta(hours=hours)
            table.loc[late, field] = np.nan
        return table

    return change


def scored(run, study, folder):
    done = run(study, folder)
    return {flag["symbol"]: flag for flag in done.flags}, pd.read_parquet(folder / "scores.parquet")


def test_without_a_core_field_there_is_no_score_and_the_flag_is_as_if_expired(
    build, run, tmp_path, at_once
):
    study = build(missing("open_interest", 96))

    flags, table = scored(run, study, tmp_path / "s")

    found = flags["BTCUSDT"]
    assert found["quality"] == "stale"
    for side in found["sides"].values():
        assert side["p_1h"] is side["p_4h"] is side["p_24h"] is None
        assert Tier[side["tier"]] >= Tier.T3  # for longer than an hour
    last = table[table["time"] == END].set_index(["symbol", "side"])
    assert last.loc["BTCUSDT", ["p_1h", "p_4h", "p_24h", "quantile"]].isna().all(axis=None)
    assert (last.loc["BTCUSDT", "rule"] == "expired").all()
    assert flags["DOGEUSDT"]["quality"] == "ok"
    assert flags["DOGEUSDT"]["sides"]["long"]["p_4h"] is not None


def test_without_an_optional_field_quality_is_degraded_and_the_tier_at_least_the_second(
    build, run, tmp_path, at_once
):
    study = build(missing("bid_depth_usd", 96))

    flags, _ = scored(run, study, tmp_path / "s")

    found = flags["BTCUSDT"]
    assert found["quality"] == "degraded"
    assert found["data"]["completeness"] < 1.0
    assert all(Tier[side["tier"]] >= Tier.T2 for side in found["sides"].values())
    assert all(side["p_4h"] is not None for side in found["sides"].values())
    whole = {flag["symbol"]: flag for flag in at_once[1].flags}
    assert whole["BTCUSDT"]["quality"] == "ok"
    assert whole["BTCUSDT"]["data"]["completeness"] == 1.0


def test_the_flags_are_read_back_by_their_codec(at_once, policy, bundle):
    for raw in at_once[1].flags:
        flag = flag_from_dict(raw)

        assert flag.as_of == END
        assert flag.valid_until == END + policy.valid_for(timedelta(hours=1))
        assert flag.model == bundle.stamp
        assert flag.policy.sha256 == policy.sha256
