"""The page from a scoring's files: whole, honest about what is missing, or refused."""

import runpy
import shutil
from datetime import timedelta
from pathlib import Path

import orjson
import pandas as pd
import pytest

from liqwarn.errors import ConfigError
from liqwarn.pipelines.report import ReportOrder, write_report
from liqwarn.pipelines.score import score


@pytest.fixture(scope="module")
def scored(study, bundle, policy, tmp_path_factory, now):
    folder = tmp_path_factory.mktemp("report") / "scoring"
    since = (pd.Timestamp(study.market.frame.times[-500], tz="UTC")).to_pydatetime()
    score(study, bundle, policy, folder, now=now, since=since)
    return folder


@pytest.fixture
def scoring(scored, tmp_path):
    return shutil.copytree(scored, tmp_path / "scoring")


def page(order, now):
    return write_report(order, now=now).read_text()


def test_the_page_holds_flags_events_hashes_and_says_simulated(scoring, now, bundle):
    text = page(ReportOrder(scores=scoring, out=scoring / "report.html"), now)

    assert "simulated" in text.lower()
    assert "BTCUSDT" in text
    assert "DOGEUSDT" in text
    assert bundle.stamp.sha256[:12] in text
    assert 'href="events.csv"' in text
    assert "trained on outcomes known by 2022-05-01; every score is later" in text


def test_the_same_files_give_the_same_bytes(scoring, now):
    order = ReportOrder(scores=scoring, out=scoring / "report.html")

    assert page(order, now) == page(order, now)


def test_scores_of_training_bars_are_confessed(study, bundle, policy, tmp_path, now):
    since = bundle.training.trained_until - timedelta(days=5)
    score(study, bundle, policy, tmp_path / "s", now=now, since=since)

    text = page(ReportOrder(scores=tmp_path / "s", out=tmp_path / "s" / "r.html"), now)

    assert "of the scores shown are of bars the model was trained on" in text


def test_a_page_elsewhere_does_not_link_to_what_is_not_beside_it(scoring, tmp_path, now):
    text = page(ReportOrder(scores=scoring, out=tmp_path / "far" / "report.html"), now)

    assert 'href="events.csv"' not in text


@pytest.mark.parametrize("name", ["flags.json", "scoring.json", "scores.parquet", "events.csv"])
def test_a_missing_file_is_named(scoring, name, now):
    (scoring / name).unlink()

    with pytest.raises(ConfigError, match=f"{name.replace('.', '[.]')} is missing"):
        write_report(ReportOrder(scores=scoring, out=scoring / "report.html"), now=now)
    assert not (scoring / "report.html").exists()


def test_a_torn_file_is_named(scoring, now):
    (scoring / "flags.json").write_text('{"schema":')

    with pytest.raises(ConfigError, match=r"flags\.json is not JSON"):
        write_report(ReportOrder(scores=scoring, out=scoring / "report.html"), now=now)


def test_an_evaluation_that_was_named_must_be_there(scoring, tmp_path, now):
    order = ReportOrder(scores=scoring, out=scoring / "r.html", evaluation=tmp_path / "none")

    with pytest.raises(ConfigError, match="none is missing"):
        write_report(order, now=now)


def test_the_picture_of_the_map_is_in_the_page(scoring, now):
    order = ReportOrder(scores=scoring, out=scoring / "report.html")
    assert 'id="map"' not in page(order, now)

    (scoring / "liquidation_map.png").write_bytes(b"\x89PNG")
    assert 'id="map"' in page(order, now)


LEDGERS = runpy.run_path(str(Path(__file__).parents[1] / "reports" / "ledger_documents.py"))


@pytest.fixture
def ledgered(scoring, tmp_path):
    """Write an account of the panel's ledger; the order of a report that looks for it."""
    panel = orjson.loads((scoring / "scoring.json").read_bytes())["panel"]

    def ledgered(content):
        file = tmp_path / "ledger" / panel / "account.json"
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        return ReportOrder(scores=scoring, out=scoring / "r.html", ledgers=tmp_path / "ledger")

    return ledgered


def test_what_became_of_the_flags_is_on_the_page(ledgered, now):
    text = page(ledgered(orjson.dumps(LEDGERS["make_account"]())), now)

    assert "61,234 flag sides issued: 52,110 with a known outcome" in text
    assert "There is no ledger." not in text


def test_without_a_ledger_the_page_says_so(scoring, tmp_path, now):
    for ledgers in (None, tmp_path / "none"):
        order = ReportOrder(scores=scoring, out=scoring / "r.html", ledgers=ledgers)
        assert "There is no ledger." in page(order, now)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", r"account\.json is not JSON"),
        (b'{"schema": "liqwarn.ledger/9"}', "schema is 'liqwarn.ledger/9', expected 'liqwarn.led"),
    ],
)
def test_an_account_that_cannot_be_read_is_named(ledgered, content, told, now):
    with pytest.raises(ConfigError, match=told):
        page(ledgered(content), now)
