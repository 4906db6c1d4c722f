"""What would make a ledger look better than its flags were: none of it may."""

import importlib.util
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from liqwarn.config import Settings
from liqwarn.data.bars.segment import Header, encode_header
from liqwarn.errors import AuditError, StoreError
from liqwarn.pipelines.ledger import ledger_folder, settle
from liqwarn.pipelines.ledger_log import lines_after
from liqwarn.pipelines.ledger_state import Head, load

spec = importlib.util.spec_from_file_location(
    "ledger_given", Path(__file__).parent / "ledger_given.py"
)
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)

END = made.at(made.BARS)


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home", mlflow_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")


def settled(home, scores, **given):
    return settle(given.get("study") or made.study_of(), None, home, scores=scores, now=END)


def accounted(folder, *, until, version="1", panel="demo"):
    told = {"version": version, "sha256": "a" * 64}
    document = {"panel": panel, "model": told, "trained_until": until.isoformat()}
    (folder / "scoring.json").write_bytes(orjson.dumps(document))
    return folder


DOWN = (*range(1, 12), *range(20, made.BARS + 1))
"""Hours at which a server ran that was down in the 4 h before the onset."""


def test_an_onset_while_the_server_was_down_is_told(home, tmp_path):
    account = settled(home, made.write_flags(tmp_path, made.flags_of(DOWN)))
    told = {
        "symbol": "BTCUSDT",
        "side": "long",
        "onset": "2024-01-01T20:00:00.000Z",
        "severity": 2.0,
    }

    assert account["uncovered"] == [told]
    assert account["counts"]["uncovered"] == 1
    assert account["misses"] == []


def test_flags_that_are_made_up_for_do_not_cover_an_onset(home, tmp_path):
    settled(home, made.write_flags(tmp_path / "live", made.flags_of(DOWN)))
    made_up = made.flags_of(range(12, 20), tier="T3", late=timedelta(days=2))
    scores = accounted(made.write_flags(tmp_path / "later", made_up), until=made.START)

    assert settled(home, scores)["counts"]["uncovered"] == 1


def test_an_onset_that_was_not_covered_stays_when_data_takes_it_back(home, tmp_path):
    scores = made.write_flags(tmp_path, made.flags_of(DOWN))
    before = settled(home, scores)["uncovered"]

    assert settled(home, scores, study=made.study_of(()))["uncovered"] == before


def test_an_onset_before_the_first_flag_was_nobodys_to_warn_of(home, tmp_path):
    account = settled(home, made.write_flags(tmp_path, made.flags_of(range(25, 40))))

    assert account["uncovered"] == []


def test_a_model_of_the_same_name_that_was_trained_later_hides_no_miss(home, tmp_path):
    scores = accounted(made.write_flags(tmp_path / "a", made.flags_of()), until=made.START)
    missed = settled(home, scores)["misses"]
    other = made.write_flags(tmp_path / "b", made.flags_of((40,), p=0.3))
    account = settled(home, accounted(other, until=END + timedelta(days=300)))

    assert len(missed) == 1
    assert account["misses"] == missed
    assert account["counts"]["in_sample"] == 0


def test_flags_that_came_after_such_a_model_are_its_own(home, tmp_path):
    early = accounted(made.write_flags(tmp_path / "a", made.flags_of((1,))), until=made.START)
    settled(home, early)
    later = made.write_flags(tmp_path / "b", made.flags_of(range(2, 40)))
    account = settled(home, accounted(later, until=made.at(30)))

    assert account["counts"]["in_sample"] == 4 * 29


@pytest.mark.parametrize("late", [timedelta(days=-200), timedelta(minutes=-10)])
def test_a_clock_that_was_back_makes_no_flag_timely(home, tmp_path, late):
    scores = made.write_flags(tmp_path, made.flags_of(late=late))
    account = settled(home, accounted(scores, until=made.START))

    assert account["counts"]["replayed"] == account["counts"]["issued"]
    assert account["timely_skill"][0]["rows"] == 0


def test_a_validity_that_no_flag_has_makes_none_timely(home, tmp_path):
    rows = [(*r[:-2], END + timedelta(days=9000), r[-1])
            for r in made.flags_of(late=timedelta(days=300))]  # fmt: skip
    account = settled(home, accounted(made.write_flags(tmp_path, rows), until=made.START))

    assert account["counts"]["replayed"] == account["counts"]["issued"]


def test_a_scoring_of_another_panel_is_refused(home, tmp_path):
    scores = accounted(made.write_flags(tmp_path, made.flags_of()), until=made.START, panel="other")
    with pytest.raises(StoreError, match=r"scoring.json is of panel 'other', expected 'demo'"):
        settled(home, scores)

    assert load(ledger_folder(home, "demo")).head == Head()


def test_a_live_loop_of_another_panel_is_refused(home, tmp_path):
    scores = made.write_flags(tmp_path, made.flags_of(), "history/2024-01-01.parquet")
    header = Header(
        panel="other", bar_s=3600, symbols=("BTCUSDT",), fields=("close",), ages=(), first=0,
        previous="",
    )  # fmt: skip
    (scores / "bars").mkdir()
    (scores / "bars" / "000000000000.bars").write_bytes(encode_header(header))
    with pytest.raises(StoreError, match=r"bars is of panel 'other', expected 'demo'"):
        settled(home, scores)


def test_another_ledger_in_the_place_of_one_is_refused(home, tmp_path):
    settled(home, made.write_flags(tmp_path / "bad", made.flags_of()))
    account = ledger_folder(home, "demo") / "account.json"
    kept = account.read_bytes()
    shutil.rmtree(ledger_folder(home, "demo"))
    good = made.flags_of(tier="T3", p=0.9)
    settled(home, made.write_flags(tmp_path / "good", good))
    settled(home, made.write_flags(tmp_path / "more", made.flags_of((3,), p=0.8)))
    account.write_bytes(kept)

    with pytest.raises(AuditError, match="is not the one its account was made of"):
        settled(home, None)


def test_when_flags_came_into_the_ledger_is_in_its_chain(home, tmp_path):
    settled(home, made.write_flags(tmp_path, made.flags_of((1,))))
    lines = [line.record for line in lines_after(ledger_folder(home, "demo"), Head())]

    assert [SimpleNamespace(**one).at for one in lines if one["kind"] == "flags"] == [
        "2024-01-02T16:00:00.000Z"
    ]
