"""The boards of a scoring: beside the flags and before them, of their bar, live as in batch."""

import math
from dataclasses import replace

import numpy as np
import orjson
import pandas as pd
import pytest

from liqwarn.errors import ConfigError
from liqwarn.features.signals import GROUPS
from liqwarn.pipelines import publish as publishing
from liqwarn.pipelines.explain import SIGNALS_FILE, explain, read_boards
from liqwarn.pipelines.publish import decide, publish
from liqwarn.pipelines.report import ReportOrder, write_report
from liqwarn.pipelines.risk import assess


def decided_since(study, bundle, policy, days):
    since = pd.Timestamp(study.market.frame.times[-1] - np.timedelta64(days, "D"), tz="UTC")
    return decide(study, bundle, policy, assess(study, bundle, since.to_pydatetime()))


@pytest.fixture(scope="module")
def decided(study, bundle, policy):
    return decided_since(study, bundle, policy, 30)


@pytest.fixture(scope="module")
def scoring(decided, tmp_path_factory, now):
    folder = tmp_path_factory.mktemp("explained") / "scoring"
    publish(decided, folder, now=now)
    return folder


def test_a_scoring_holds_the_boards_of_its_flags(scoring, decided):
    flags = orjson.loads((scoring / "flags.json").read_bytes())
    signals = read_boards(scoring)

    assert (signals.generated_at, signals.market) == (flags["generated_at"], "simulated")
    assert [(b.symbol, b.side, b.as_of) for b in signals.boards] == [
        (flag["symbol"], side, flag["as_of"]) for flag in flags["flags"] for side in flag["sides"]
    ]
    for board, (flag, side) in zip(
        signals.boards, ((f, s) for f in flags["flags"] for s in f["sides"]), strict=True
    ):
        assert board.p_4h == flag["sides"][side]["p_4h"]
        assert board.tier == flag["sides"][side]["tier"]


def test_at_least_27_signals_are_live_in_every_group(scoring):
    for board in read_boards(scoring).boards:
        assert board.live >= 27
        assert [group.key for group in board.groups] == list(GROUPS)


def test_the_groups_explain_the_probability(scoring):
    for board in read_boards(scoring).boards:
        total = math.fsum(group.contribution for group in board.groups)
        odds = math.exp(board.start + total)
        assert odds / (1.0 + odds) == pytest.approx(board.p_4h, rel=1e-9)


def test_where_the_log_odds_start_hardly_depends_on_the_bar(decided, study, bundle):
    """What the features do not explain is nearly one number a side."""
    rows = study.matrix.aligned(bundle.model.names_)[0, -1000::20]
    p = bundle.model.predict_proba(rows)[:, :, 1]
    log_odds = np.log(p / (1.0 - p))

    start = log_odds - bundle.model.contributions(rows).sum(axis=2)

    assert (start.std(axis=0) < 0.25 * log_odds.std(axis=0)).all()


def test_every_feature_of_the_model_is_counted_once(decided, study, bundle):
    boards = explain(study, bundle, decided.risk, decided.history)
    rows = study.matrix.aligned(bundle.model.names_)[:, -1]

    pushes = bundle.model.contributions(np.ascontiguousarray(rows)).sum(axis=2).ravel()

    for board, push in zip(boards, pushes, strict=True):
        assert math.fsum(g.contribution for g in board.groups) == pytest.approx(push, abs=1e-9)


def test_the_boards_do_not_depend_on_where_the_scoring_began(decided, study, bundle, policy):
    later = decided_since(study, bundle, policy, 2)

    one, other = (explain(study, bundle, d.risk, d.history) for d in (decided, later))

    assert [replace(b, tier=None, verdict="") for b in one] == [
        replace(b, tier=None, verdict="") for b in other
    ]


def test_the_boards_are_on_disk_before_the_flags(decided, tmp_path, now, monkeypatch):
    def killed(*_):
        raise RuntimeError("killed")

    monkeypatch.setattr(publishing, "write_boards", killed)

    with pytest.raises(RuntimeError, match="killed"):
        publish(decided, tmp_path, now=now)
    assert not (tmp_path / "flags.json").exists()


def test_one_symbol_or_one_side_may_be_asked_for(scoring):
    assert [b.side for b in read_boards(scoring, symbol="BTCUSDT").boards] == ["long", "short"]
    assert [b.symbol for b in read_boards(scoring, side="short").boards] == ["BTCUSDT", "DOGEUSDT"]


def test_a_symbol_that_is_not_there_is_named(scoring):
    with pytest.raises(ConfigError, match="no symbol 'XRPUSDT', expected one of BTCUSDT, DOGEUSDT"):
        read_boards(scoring, symbol="XRPUSDT")


def test_a_folder_without_boards_says_what_to_run(tmp_path):
    with pytest.raises(ConfigError, match=r"signals\.json is missing: run `liqwarn score` first"):
        read_boards(tmp_path)


def test_a_torn_file_is_named(tmp_path):
    (tmp_path / SIGNALS_FILE).write_text('{"schema":')

    with pytest.raises(ConfigError, match=r"signals\.json is not JSON"):
        read_boards(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("contribution", "x", r"\n  boards.*\.contribution: found 'x'"),
        ("text", "\x1b[2J", r"\n  boards.*\.text: found '\\x1b\[2J'"),
        ("market", "\x1b[2J", r" market: found '\\x1b\[2J', expected text"),
        ("generated_at", None, r" generated_at: found None, expected text"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_its_file(scoring, tmp_path, field, value, told):
    document = orjson.loads((scoring / SIGNALS_FILE).read_bytes())
    signal = document["boards"][0]["groups"][0]["signals"][0]
    (signal if field in signal else document)[field] = value
    (tmp_path / SIGNALS_FILE).write_bytes(orjson.dumps(document))

    with pytest.raises(ConfigError, match=rf"signals\.json:( unreadable signals:)?{told}"):
        read_boards(tmp_path)


def test_the_report_shows_the_boards_and_does_without_them(scoring, tmp_path, now):
    order = ReportOrder(scores=scoring, out=tmp_path / "report.html")
    assert write_report(order, now=now).read_text().count('<details class="board"') == 4

    kept = (scoring / SIGNALS_FILE).read_bytes()
    (scoring / SIGNALS_FILE).unlink()
    text = write_report(order, now=now).read_text()
    (scoring / SIGNALS_FILE).write_bytes(kept)

    assert "There is no signal board of these flags" in text
