"""Laws of the ledger: nothing twice, nothing early, nothing undone."""

import importlib.util
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.config import Settings
from liqwarn.live.flag_rows import FLAG_COLUMNS
from liqwarn.models.events import detect_events
from liqwarn.models.labels import make_labels
from liqwarn.pipelines.ledger import ledger_folder, settle
from liqwarn.pipelines.ledger_outcomes import new_outcomes
from liqwarn.pipelines.ledger_state import KEY, load

spec = importlib.util.spec_from_file_location(
    "ledger_given", Path(__file__).parent / "ledger_given.py"
)
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)

END = made.at(made.BARS)


@pytest.fixture
def home(tmp_path):
    return home_in(tmp_path)


def home_in(folder):
    return Settings(home=folder / "home", mlflow_uri=f"sqlite:///{folder / 'mlflow.db'}")


def settled(home, scores, *, study=None, now=END):
    return settle(study or made.study_of(), None, home, scores=scores, now=now)


def ledger_of(home):
    return load(ledger_folder(home, "demo"))


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_the_order_of_arrival_does_not_matter(data):
    rows = [*made.flags_of(range(10, 24)), *made.flags_of(range(12, 18), tier="T2", p=0.4,
            late=timedelta(minutes=5))]  # fmt: skip
    order = data.draw(st.permutations(range(len(rows))))
    cut = data.draw(st.integers(0, len(rows)))
    shuffled = [rows[k] for k in order]
    accounts = []
    for batches in ([rows], [shuffled[:cut], shuffled[cut:]]):
        with tempfile.TemporaryDirectory() as name:
            home = home_in(Path(name))
            for k, batch in enumerate(batches):
                folder = made.write_flags(Path(name) / str(k), batch)
                settled(home, folder, now=made.START)  # nothing is known yet
            accounts.append(made.facts(settled(home, None)))
            assert len(ledger_of(home).flags) == len(rows)

    assert accounts[1] == accounts[0]


@settings(max_examples=4, deadline=None)
@given(st.lists(st.integers(1, made.BARS), min_size=1, max_size=4))
def test_settled_at_any_moments_the_end_is_the_same(moments):
    with tempfile.TemporaryDirectory() as name:
        scores = made.write_flags(Path(name), made.flags_of())
        often, once = home_in(Path(name) / "often"), home_in(Path(name) / "once")
        for hour in sorted(moments):
            settled(often, scores, now=made.at(hour))
        assert made.facts(settled(often, scores)) == made.facts(settled(once, scores))
        again = ledger_of(often)
        settled(often, scores)

        assert ledger_of(often).head == again.head


@settings(max_examples=4, deadline=None)
@given(st.integers(6, made.BARS))
def test_the_future_is_not_looked_at(hour):
    whole = made.study_of((made.event(), made.event(symbol="ETHUSDT", onset=made.at(30))))
    with tempfile.TemporaryDirectory() as name:
        scores = made.write_flags(Path(name), made.flags_of(range(1, hour + 1)))
        homes = home_in(Path(name) / "a"), home_in(Path(name) / "b")
        seen = settled(homes[0], scores, study=whole, now=made.at(hour))
        cut = settled(homes[1], scores, study=made.truncated(whole, hour), now=made.at(hour))

    assert made.facts(seen) == made.facts(cut)


def test_labels_of_a_market_that_is_cut_are_those_that_were_settled(study):
    frame = study.market.frame
    keys = pd.DataFrame(
        [
            (s, t, side)
            for s in frame.symbols
            for t in frame.times[::7]
            for side in ("long", "short")
        ],
        columns=list(KEY),
    )
    keys["as_of"] = pd.to_datetime(keys["as_of"], utc=True)
    never = [float("nan")] * len(keys)
    for bars in (1200, 2500, 3700):
        part = frame.between(0, bars)
        events = detect_events(part, study.definition)
        cut = made.SimpleNamespace(labels=make_labels(part, events, study.definition))
        now = pd.Timestamp(part.times[-1]).tz_localize("UTC").to_pydatetime()
        nothing = pd.Series(False, index=keys.index).to_numpy()
        found = [new_outcomes(s, keys, never, nothing, now=now) for s in (cut, study)]

        assert len(found[0]) > 100
        pd.testing.assert_frame_equal(found[0], found[1])


def test_a_miss_stays_a_miss(home, tmp_path):
    scores = made.write_flags(tmp_path / "first", made.flags_of())
    missed = settled(home, scores)["misses"]
    early = [made.flag(h, tier="T4", p=0.9, late=timedelta(seconds=-1)) for h in range(16, 20)]
    account = settled(home, made.write_flags(tmp_path / "second", early))

    assert len(missed) == 1
    assert account["misses"] == missed
    assert account["counts"]["changed"] == len(early)


def test_an_onset_that_data_takes_back_stays_and_is_counted(home, tmp_path):
    scores = made.write_flags(tmp_path, made.flags_of())
    before = settled(home, scores)
    after = settled(home, scores, study=made.study_of(()))
    back = settled(home, scores)

    assert before["counts"]["revised"] == 0
    assert after["misses"] == before["misses"]
    assert after["skill"] == before["skill"]
    assert after["counts"]["revised"] == 4 + 3 + 1  # rows ahead, rows during, the onset
    assert back["counts"]["revised"] == 2 * (4 + 3)
    assert len(ledger_of(home).outcomes) > before["counts"]["known"]


def test_what_cannot_be_judged_is_unknown_until_it_can(home, tmp_path):
    scores = made.write_flags(tmp_path, made.flags_of())
    holes = [("BTCUSDT", bar) for bar in range(5)]
    first = settled(home, scores, study=made.study_of(unjudged=holes))
    then = settled(home, scores)

    assert first["counts"]["unknown"] == 2 * len(holes)
    assert then["counts"]["unknown"] == then["counts"]["revised"] == 0


def test_a_flag_in_the_four_hours_before_catches_and_one_before_them_does_not(home, tmp_path):
    for hour, caught in ((15, 0), (16, 1), (19, 1)):
        rows = [r for r in made.flags_of() if not (r[0] == "BTCUSDT" and r[1] == made.at(hour))]
        rows += [made.flag(hour, tier="T2", side=side) for side in ("long", "short")]
        one = home_in(tmp_path / str(hour))
        account = settled(one, made.write_flags(tmp_path / f"s{hour}", rows))
        row = next(r for r in account["skill"] if r["scope"] == "all" and r["side"] == "long")

        assert row["recall"]["caught"] == caught
        assert row["recall"]["events"] == 1
        assert row["recall"]["value"] is None
        assert "too few: 1 onsets" in row["note"]
        assert (row["false_alarms_per_week"] > 0) is (not caught)


def test_flags_that_were_replayed_by_an_unknown_model_never_count(home, tmp_path):
    late = made.flags_of(late=timedelta(days=300))
    account = settled(home, made.write_flags(tmp_path, late))

    assert account["counts"]["in_sample"] == len(late)
    assert account["weekly"] == []
    assert account["skill"][0]["rows"] == 0


def test_files_of_before_flags_named_their_model_are_read(home, tmp_path):
    scores = made.write_flags(tmp_path, made.flags_of())
    table = pd.read_parquet(scores / "flags.parquet").drop(columns="model")
    table.to_parquet(scores / "flags.parquet", index=False)

    settled(home, scores)

    assert tuple(ledger_of(home).flags.columns)[:-1] == FLAG_COLUMNS
    assert set(ledger_of(home).flags["model"]) == {"unknown"}


def test_days_of_a_live_loop_are_one_history(home, tmp_path):
    rows = made.flags_of()
    for day in ("2024-01-01", "2024-01-02"):
        part = [r for r in rows if r[1].date().isoformat() == day]
        made.write_flags(tmp_path / "live", part, f"history/{day}.parquet")
    live = settled(home, tmp_path / "live")
    batch = settled(home_in(tmp_path / "b"), made.write_flags(tmp_path / "batch", rows))

    assert made.facts(live) == made.facts(batch)


def test_the_copy_that_saves_time_changes_nothing(home, tmp_path):
    for hour in range(8, 22):
        scores = made.write_flags(tmp_path, made.flags_of(range(1, hour + 1)))
        last = settled(home, scores, now=made.at(hour))
    folder = ledger_folder(home, "demo")
    with_copy = load(folder)

    assert (folder / "cache" / "cache.json").exists()
    (folder / "cache" / "flags.parquet").write_bytes(b"of somebody else")
    assert load(folder).flags.equals(with_copy.flags)
    shutil.rmtree(folder / "cache")
    assert load(folder).outcomes.equals(with_copy.outcomes)
    assert made.facts(settled(home, scores, now=made.at(21))) == made.facts(last)
