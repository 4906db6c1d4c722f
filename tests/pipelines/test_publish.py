"""Publishing: every promised file, flags that tell the whole truth, a log that can be replayed."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import orjson
import pandas as pd
import pytest

from liqwarn.decisions import FLAGS_SCHEMA, flag_from_dict
from liqwarn.errors import StoreError
from liqwarn.frames import SIDES
from liqwarn.pipelines.publish import decide, issue_flags, publish, read_standing
from liqwarn.pipelines.risk import assess


@pytest.fixture(scope="module")
def decided(study, bundle, policy):
    since = study.market.frame.times[-1] - np.timedelta64(30, "D")
    return decide(study, bundle, policy, assess(study, bundle, aware(since)))


def aware(moment):
    return pd.Timestamp(moment, tz="UTC").to_pydatetime()


@pytest.fixture(scope="module")
def published(decided, tmp_path_factory, now):
    folder = tmp_path_factory.mktemp("published") / "scoring"
    return folder, publish(decided, folder, now=now)


def test_every_promised_file_is_there(published):
    folder, _ = published

    assert {p.name for p in folder.iterdir() if p.suffix != ".lock"} == {
        "audit.head.json",
        "audit.jsonl",
        "events.csv",
        "flags.json",
        "flags.parquet",
        "positions.json",
        "quality.json",
        "scores.parquet",
        "scoring.json",
        "signals.json",
    }


def test_a_flag_says_what_is_unlike_training(decided, now):
    words = "oi_change_1h is 40 robust deviations beyond anything in training"
    odd = replace(decided, risk=replace(decided.risk, strange={"DOGEUSDT": words}))

    flags = {flag.symbol: flag for flag in issue_flags(odd, now=now)}

    for side in ("long", "short"):
        assert flags["DOGEUSDT"].sides[side].reasons[-1] == f"Unlike training: {words}."
        assert not any("Unlike" in said for said in flags["BTCUSDT"].sides[side].reasons)


def test_a_flag_says_why_its_symbol_is_not_scored(decided, now):
    words = "live ROC-AUC 0.310 lies below the floor of 0.5"
    off = replace(decided, risk=replace(decided.risk, disabled={"DOGEUSDT": words}))

    flags = {flag.symbol: flag for flag in issue_flags(off, now=now)}

    for side in ("long", "short"):
        assert flags["DOGEUSDT"].sides[side].reasons[-1] == f"Not scored: {words}."
        assert not any("Not scored" in said for said in flags["BTCUSDT"].sides[side].reasons)


def test_the_flags_say_what_when_and_from_what(published, decided, now):
    folder, flags = published

    document = orjson.loads((folder / "flags.json").read_bytes())

    assert document["schema"] == FLAGS_SCHEMA
    assert document["market"] == "simulated"
    assert document["generated_at"] == "2024-01-01T00:00:00.000Z"
    assert tuple(map(flag_from_dict, document["flags"])) == flags
    for flag in flags:
        assert flag.issued_at == now
        assert flag.data_sha256 == decided.study.market.data_sha256
        assert flag.model == decided.bundle.stamp
        assert flag.completeness == 1.0


def test_flags_of_a_real_market_say_so(decided, tmp_path, now):
    market = decided.study.market
    panel = market.panel.model_copy(update={"market": "real"})
    study = replace(decided.study, market=replace(market, panel=panel))

    publish(replace(decided, study=study), tmp_path, now=now)

    assert orjson.loads((tmp_path / "flags.json").read_bytes())["market"] == "real"


def test_a_flag_holds_the_probabilities_and_tiers_of_the_last_bar(published, decided):
    for row, flag in enumerate(published[1]):
        for j, side in enumerate(SIDES):
            p = decided.risk.scores.probability[row, -1, j]
            assert flag.sides[side].probability == dict(zip((1, 4, 24), p.tolist(), strict=True))
            assert flag.sides[side].tier == decided.history.tiers[row, -1, j]
            assert flag.sides[side].state.value == decided.history.states[row, -1, j]


def test_flags_keep_their_thresholds_to_themselves(published):
    text = (published[0] / "flags.json").read_text()

    assert "base_multiple" not in text
    assert "exit_quantile" not in text


def test_an_audit_line_says_where_its_score_came_from(published, decided):
    line = (published[0] / "audit.jsonl").read_bytes().splitlines()[-1]
    record = orjson.loads(line)
    row = decided.risk.scores.symbols.index(record["symbol"])
    side = SIDES.index(record["side"])

    assert record["inputs_sha256"] == decided.study.market.data_sha256
    assert len(record["features_sha256"]) == 64
    p = decided.risk.scores.probability[row, -1, side]
    raw = decided.risk.raw[row, -1, side]
    assert record["probability"] == dict(zip(("1", "4", "24"), p.tolist(), strict=True))
    assert record["raw_probability"] == dict(zip(("1", "4", "24"), raw.tolist(), strict=True))
    assert record["feed_ages_s"]["close"] == 0.0
    assert record["model"]["sha256"] == decided.bundle.stamp.sha256


def test_the_account_names_data_model_policy_and_panel(published, decided):
    account = orjson.loads((published[0] / "scoring.json").read_bytes())

    assert account["panel"] == "demo"
    assert account["data_sha256"] == decided.study.market.data_sha256
    assert account["policy"]["sha256"] == decided.policy.sha256
    assert account["trained_until"] == "2022-05-01T00:00:00.000Z"
    assert account["quarantined"] == {}


def test_the_breaker_stands_where_it_was_left(published, decided):
    standing = read_standing(published[0])

    assert standing.as_of == decided.risk.scores.moments()[-1]
    assert standing.positions == decided.history.positions


def test_an_empty_folder_has_no_standing(tmp_path):
    assert read_standing(tmp_path) is None


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"as_of": "x", "positions": []}', '{"as_of": 1, "positions": {}}']
)
def test_unreadable_positions_are_refused(tmp_path, content):
    (tmp_path / "positions.json").write_text(content)

    with pytest.raises(StoreError, match=r"positions\.json: unreadable positions of the breaker"):
        read_standing(tmp_path)


def test_positions_that_are_no_positions_are_refused(published, tmp_path):
    raw = orjson.loads((published[0] / "positions.json").read_bytes())
    raw["positions"][0]["tier"] = "T9"
    (tmp_path / "positions.json").write_bytes(orjson.dumps(raw))

    with pytest.raises(StoreError, match=r"positions\.json: unreadable positions"):
        read_standing(tmp_path)


def test_a_flag_issued_late_is_valid_no_longer_than_one_issued_at_once(decided, now):
    early, late = (
        list(issue_flags(decided, now=now + delay)) for delay in (timedelta(0), timedelta(hours=5))
    )

    assert [f.valid_until for f in early] == [f.valid_until for f in late]


def test_deciding_again_decides_the_same(decided, policy, study, bundle):
    again = decide(study, bundle, policy, decided.risk)

    np.testing.assert_array_equal(again.history.tiers, decided.history.tiers)
    assert again.history.positions == decided.history.positions
    assert again.history.decisions == decided.history.decisions
