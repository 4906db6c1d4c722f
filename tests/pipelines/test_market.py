"""From a panel file to its market: the store is brought up to date, then joined as of."""

from dataclasses import replace

import pytest

from liqwarn.errors import ConfigError, DataError
from liqwarn.pipelines.market import TIER_FOLDER, MarketJob, bring_up_to_date, open_market


@pytest.fixture
def job(given_market, tmp_path):
    return MarketJob(panel=given_market.panel, data=given_market.files, store=tmp_path / "store")


def test_ingesting_the_same_files_twice_changes_nothing(job, now):
    first = bring_up_to_date(job, now=now)
    written = {p: p.read_bytes() for p in job.store.rglob("*") if p.is_file()}
    second = bring_up_to_date(job, now=now)

    assert first.total("new") == first.total("rows") > 0
    assert second.total("new") == 0
    assert {p: p.read_bytes() for p in job.store.rglob("*") if p.is_file()} == written


def test_progress_ends_when_every_file_is_read(job, now):
    told = []

    open_market(job, now=now, on_progress=lambda *step: told.append(step))

    assert ("ingest demo", 2, 2) in told
    assert told[-1] == ("as-of join", 1, 1)


def test_a_market_carries_the_hashes_of_its_panel_and_its_data(job, market, now):
    opened = open_market(job, now=now)

    assert opened.data_sha256 == market.data_sha256
    assert opened.panel_sha256 == market.panel_sha256
    assert opened.frame.symbols == ("BTCUSDT", "DOGEUSDT")
    assert opened.quality.completeness.shape == opened.frame.shape


def test_without_data_the_store_is_used_as_it_is(job, market, now):
    bring_up_to_date(job, now=now)

    stored = open_market(replace(job, data=None), now=now)

    assert stored.ingested is None
    assert stored.data_sha256 == market.data_sha256


def test_an_empty_store_without_data_is_refused_with_what_to_do(job, now):
    with pytest.raises(DataError, match=r"knows no close.*ingest its files first"):
        open_market(replace(job, data=None), now=now)


@pytest.mark.parametrize("data", [None, "nowhere"])
def test_ingesting_needs_a_folder_that_is_there(job, tmp_path, data, now):
    folder = None if data is None else tmp_path / data

    with pytest.raises(ConfigError, match=r"data folder is .*, expected a folder"):
        bring_up_to_date(replace(job, data=folder), now=now)


def test_the_default_store_is_the_panels_own_below_home(job, now, tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))

    bring_up_to_date(replace(job, store=None), now=now)

    assert (tmp_path / "home" / "store" / "demo").is_dir()


def test_tier_tables_are_those_beside_the_panels_folder_wherever_one_is(
    job, now, tmp_path, monkeypatch
):
    assert open_market(job, now=now).tiers == TIER_FOLDER
    shipped = tmp_path / "conf" / "panels"
    shipped.mkdir(parents=True)
    (shipped.parent / "margin_tiers").mkdir()
    panel = shipped / job.panel.name
    panel.write_bytes(job.panel.read_bytes())
    monkeypatch.chdir(tmp_path.parent)

    assert open_market(replace(job, panel=panel), now=now).tiers == shipped.parent / "margin_tiers"
