"""The account of a panel's data: what is planted in the files is found, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pytest

from liqwarn.errors import ConfigError
from liqwarn.pipelines.market import MarketJob
from liqwarn.pipelines.quality import QUALITY_FILE, account_of, check_quality
from liqwarn.pipelines.score import score


def changed(market, **fields):
    """The market with some planes of its frame edited by functions."""
    frame = market.frame
    planes = dict(frame.fields)
    for name, edit in fields.items():
        planes[name] = np.array(frame.field(name))
        edit(planes[name])
    return replace(market, frame=replace(frame, fields=planes))


def row_of(account, symbol, field):
    return next(r for r in account["fields"] if (r["symbol"], r["field"]) == (symbol, field))


def test_every_field_of_every_symbol_has_a_row(market):
    account = account_of(market).to_dict()

    names = {name for name in market.panel.fields if not name.startswith("next_")}
    assert {(r["symbol"], r["field"]) for r in account["fields"]} == {
        (symbol, name) for symbol in market.panel.symbol_names for name in names
    }
    assert (account["panel"], account["bars"]) == ("demo", market.frame.times.size)
    assert row_of(account, "BTCUSDT", "close")["coverage"] == 1.0
    assert orjson.loads(orjson.dumps(account)) == account


def test_a_dead_feed_is_told_with_its_hole_and_its_symbol(market):
    def die(plane):
        plane[1, -48:] = np.nan
        plane[1, 100:103] = np.nan

    account = account_of(changed(market, open_interest=die))
    row = row_of(account.to_dict(), "DOGEUSDT", "open_interest")

    assert (row["holes"], row["silent_bars"]) == (2, 48)
    assert [hole["bars"] for hole in row["longest"]] == [48, 3]
    assert row_of(account.to_dict(), "BTCUSDT", "open_interest")["silent_bars"] == 0
    assert "silent for 48 bars" in account.to_text()


def test_a_mute_liquidation_feed_is_doubted(market):
    def mute(plane):
        plane[0] = 0.0

    whole, silent = account_of(market), account_of(changed(market, long_liq_usd=mute))
    opened, low = market.frame.field("open")[0], market.frame.field("low")[0]
    runs = int((opened > low * 1.03).sum())

    told = [row for row in silent.doubts if row["symbol"] == "BTCUSDT"]
    assert runs > 0
    assert [(row["rule"], row["bars"]) for row in told] == [("no liquidations told in a run", runs)]
    assert not whole.doubts
    assert "no bar in doubt" in whole.to_text()
    assert f"BTCUSDT: {runs:,} bars in doubt" in silent.to_text()


def test_another_panel_is_compared_where_both_know(market):
    def off(plane):
        plane *= 1.001

    other = changed(market, close=off)
    account = account_of(market, others=[other])

    pairs = {(d.asset, d.one): d for d in account.disagreements}
    assert pairs["BTC", "demo close"].median == pytest.approx(1e4 * np.log(1.001))
    assert pairs["DOGE", "demo open"].worst == 0.0
    assert "DOGE demo open / demo open" in account.to_text()


def test_since_counts_from_there(market):
    last = datetime.fromisoformat(account_of(market).until)
    since = last - timedelta(days=2)

    account = account_of(market, since=since)

    assert (account.bars, account.since) == (49, since.isoformat())
    assert all(row.promised <= 49 for row in account.fields)


def test_a_day_to_come_is_refused(market):
    with pytest.raises(ConfigError, match=r"since is 2030-01-01.*not later than the last close"):
        account_of(market, since=datetime(2030, 1, 1, tzinfo=UTC))


def test_it_reads_a_panel_and_its_files(given_market, tmp_path, now):
    job = MarketJob(panel=given_market.panel, data=given_market.files, store=tmp_path)

    account = check_quality(job, now=now)

    assert account.panel == "demo"
    assert account.to_text().startswith("demo: 4,320 bars of 1:00:00 from 2022-01-01 01:00")


def test_a_scoring_keeps_the_account_of_its_last_ninety_days(study, bundle, policy, tmp_path, now):
    since = study.market.frame.times[-30].astype(datetime).replace(tzinfo=UTC)
    score(study, bundle, policy, tmp_path, now=now, since=since)

    account = orjson.loads((tmp_path / QUALITY_FILE).read_bytes())

    assert account["panel"] == "demo"
    assert account["bars"] == 90 * 24 + 1


def test_a_panel_with_liquidations_says_how_much_is_told_and_one_without_says_nothing(market):
    account = account_of(market)

    assert [(s["symbol"], s["side"]) for s in account.feeds["sides"]] == [
        (symbol, side) for symbol in ("BTCUSDT", "DOGEUSDT") for side in ("long", "short")
    ]
    assert "of the fall of open interest in" in account.to_text()
    fields = dict(market.panel.sources[0].fields)
    del fields["short_liq_usd"]
    source = market.panel.sources[0].model_copy(update={"fields": fields})
    bare = market.panel.model_copy(update={"sources": (source,)})
    assert account_of(replace(market, panel=bare)).feeds == {}
