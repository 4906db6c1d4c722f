import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from liqwarn.data.mapping import FieldMap, TimeMap
from liqwarn.data.panel import Calendar, Panel, Source
from liqwarn.data.queries import Query
from liqwarn.frames import MAP_FIELDS

DOCS = Path(__file__).parents[2] / "docs" / "panels.md"


def test_symbols_come_as_a_list_as_assets_or_with_settings(make_panel):
    listed = make_panel(symbols=["ETHUSDT", "BTCUSDT"])
    assets = make_panel(symbols={"BTCUSDT": "BTC", "ETHUSDT": "ETH"})
    told = make_panel(symbols={"BTCUSDT": {"plausible": {"close": [1e3, 1e6]}}, "ETHUSDT": None})

    assert listed.symbols == assets.symbols
    assert told.symbol_names == ("BTCUSDT", "ETHUSDT")
    assert told.asset("ETHUSDT") == "ETH"


def test_the_band_of_close_holds_for_every_price(make_panel):
    panel = make_panel(symbols={"BTCUSDT": {"plausible": {"close": [1e3, 1e6], "low": [1, 2]}}})

    assert panel.plausible("BTCUSDT", "high") == (1e3, 1e6)
    assert panel.plausible("BTCUSDT", "low") == (1, 2)
    assert panel.plausible("BTCUSDT", "volume") is None


def test_fields_are_listed_in_the_glossarys_order_with_those_of_calendars(make_panel, make_source):
    calendar = {
        "name": "unlocks",
        "gives": "unlock",
        "file": "u.csv",
        "time": {"column": "t", "label": "end"},
        "symbol": {"column": "token"},
        "amount": "tokens",
        "known_before": "30d",
    }
    panel = make_panel(make_source(fields={"volume": "v", "close": "c"}), calendars=[calendar])

    assert panel.fields == ("close", "volume", "next_unlock_h", "next_unlock_frac")


def test_staleness_caps_may_be_overridden_for_last_fields_only(make_panel):
    panel = make_panel(max_age={"open_interest": "2h"})

    assert panel.max_age_s("open_interest") == 7_200
    assert panel.max_age_s("funding_rate") == 9 * 3_600
    with pytest.raises(ValidationError, match="only fields that hold their last value"):
        make_panel(max_age={"volume": "2h"})


def test_the_venue_whose_tiers_count_is_binance_unless_said(make_panel):
    assert make_panel().venue == "binance"
    assert make_panel(venue="okx").venue == "okx"


@pytest.mark.parametrize("name", MAP_FIELDS)
def test_a_file_cannot_give_what_the_map_derives(make_panel, make_source, name):
    with pytest.raises(ValidationError, match=f"unknown field '{name}'"):
        make_panel(make_source(fields={"close": "c", name: "m"}))


def test_a_panel_is_frozen(make_panel):
    with pytest.raises(ValidationError, match="frozen"):
        make_panel().bar = timedelta(hours=4)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"bar": "7h"}, "expected a divisor of a day"),
        ({"symbols": []}, "at least 1 item"),
        ({"core": ["close", "open_interest"]}, "no source gives the core field 'open_interest'"),
        ({"symbols": {"BTCUSDT": "../BTC"}}, r"found '\.\./BTC', expected letters"),
        ({"venue": "mtgox"}, "'binance', 'bybit', 'hyperliquid' or 'okx'"),
        ({"core": ["close", "map_quality"]}, "unknown field 'map_quality'"),
        ({"max_age": {"map_long_nearest": "2h"}}, "unknown field 'map_long_nearest'"),
        ({"core": ["opne"]}, "unknown field 'opne', did you mean 'open'"),
        ({"bar": "30min"}, "step 1:00:00 does not divide the bar 0:30:00"),
    ],
)
def test_an_impossible_panel_is_refused(make_panel, changes, match):
    with pytest.raises(ValidationError, match=match):
        make_panel(**changes)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"symbol": None}, r"no symbol: expected \{symbol\} or \{asset\}"),
        ({"symbol": "BTCUSDC"}, "not a symbol of the panel, did you mean 'BTCUSDT'"),
        ({"time": {"column": "t", "label": "end"}}, "bar value and needs time.step"),
        ({"file": "../secret.csv"}, "expected a path below"),
        ({"file": "/etc/passwd"}, "expected a path below"),
        ({"name": "a/b"}, "expected letters, digits"),
        (
            {"fields": {"close": "c", "funding_interval_h": {"spacing_of": "funding_rate"}}},
            "spacing of",
        ),
        ({"fields": {"volume": "v"}}, "no source gives 'close'"),
        ({"optional": True}, r"optional: expected a '\*' in every file name"),
        ({"dated": {"from": "2026-06-25", "to": "2026-06-24"}}, "2026-06-25 is after to"),
    ],
)
def test_an_impossible_source_is_refused(make_panel, make_source, changes, match):
    with pytest.raises(ValidationError, match=match):
        make_panel(make_source(**changes))


def test_two_sources_of_one_name_are_refused(make_panel, make_source):
    with pytest.raises(ValidationError, match=r"\['klines'\] stated twice"):
        make_panel(make_source(), make_source())


@pytest.mark.parametrize(
    ("gives", "more", "match"),
    [("unlock", {}, "needs the key 'symbol'"), ("macro", {"symbol": "BTCUSDT"}, "every symbol")],
)
def test_a_calendar_says_whose_it_is(make_panel, gives, more, match):
    calendar = {"name": "c", "gives": gives, "file": "c.csv", "known_before": "1d"}
    calendar |= {"time": {"column": "t", "label": "end"}}
    with pytest.raises(ValidationError, match=match):
        make_panel(calendars=[calendar | more])


def test_every_unknown_key_is_an_error():
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Panel.model_validate({"nmae": "x"})


def test_the_documented_panel_is_valid_and_every_key_is_documented():
    text = DOCS.read_text()

    example = Panel.model_validate(yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.S)[1]))

    assert example.fields[-1] == "open_interest"
    for model in (Panel, Source, Query, TimeMap, FieldMap, Calendar):
        for key in model.model_fields:
            assert f"`{key}`" in text, f"{model.__name__}.{key} is not in docs/panels.md"
