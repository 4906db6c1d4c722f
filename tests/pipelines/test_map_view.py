"""A symbol's map as of a moment: past only, venue by venue, and every file it can be written to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
import yaml

from liqwarn.errors import ConfigError, FrameError
from liqwarn.pipelines.demo import write_simulated_market
from liqwarn.pipelines.map_view import (
    known_panels,
    look,
    look_first,
    write_heat_map,
    write_profile,
)
from liqwarn.pipelines.market import MarketJob, bring_up_to_date, open_market
from liqwarn.reports.map_export import profile_dict
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig

ROOT = Path(__file__).parents[2]
NOW = datetime(2025, 1, 1, tzinfo=UTC)
START = datetime(2022, 1, 1, tzinfo=UTC)
DAYS = 30
AT = START + timedelta(days=20)


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory):
    """The project's folder, for the tiers are found from there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


def made(folder, name, days, seed, **keys):
    """A panel of one simulated perpetual with a filled store."""
    specs = tuple(spec for spec in DEFAULT_SPECS if spec.name == "BTCUSDT")
    write_simulated_market(MarketConfig(specs=specs, n_bars=24 * days), seed, folder / name)
    raw = yaml.safe_load((ROOT / "conf/panels/demo.yaml").read_text())
    raw |= {"symbols": ["BTCUSDT"], "name": name, **keys}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(raw))
    job = MarketJob(
        panel=folder / f"{name}.yaml", data=folder / name, store=folder / f"{name}_store"
    )
    bring_up_to_date(job, now=NOW)
    return MarketJob(panel=job.panel, store=job.store)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("views")


@pytest.fixture(scope="module")
def job(folder):
    return made(folder, "one", DAYS, 4)


@pytest.fixture(scope="module")
def other(folder):
    """Another venue, whose history is longer."""
    return made(folder, "two", DAYS + 1, 5, venue="bybit")


@pytest.fixture(scope="module")
def view(job):
    return look("BTCUSDT", [job], AT, now=NOW)


@pytest.fixture(scope="module")
def both(job, other):
    return look("BTCUSDT", [job, other], AT, now=NOW)


def moment_of(view):
    return view.profile.as_of.astype(datetime).replace(tzinfo=UTC)


def test_it_shows_the_last_bar_that_has_closed(job, view):
    assert moment_of(view) == AT
    between = look("BTCUSDT", [job], AT + timedelta(minutes=59), now=NOW)
    assert moment_of(between) == AT
    elsewhere = AT.astimezone(timezone(timedelta(hours=-5)))
    assert moment_of(look("BTCUSDT", [job], elsewhere, now=NOW)) == AT
    last = look("BTCUSDT", [job], None, now=NOW)
    assert moment_of(last) == START + timedelta(days=DAYS)


def test_the_price_is_the_bars(job, view):
    frame = open_market(job, now=NOW).frame
    column = int(np.searchsorted(frame.times, view.profile.as_of))

    assert view.profile.price == frame.field("mark")[0, column]
    assert view.profile.open_interest == frame.field("open_interest")[0, column]


def test_it_is_the_view_of_that_moment_had_nothing_followed(folder, view):
    """A store that holds the first twenty days only gives the same bits."""
    table = pd.read_parquet(folder / "one" / "market" / "BTCUSDT.parquet")
    early = folder / "early" / "market"
    early.mkdir(parents=True)
    table.iloc[: 24 * 20].to_parquet(early / "BTCUSDT.parquet", index=False)
    job = MarketJob(panel=folder / "one.yaml", data=folder / "early", store=folder / "early_store")
    then = look("BTCUSDT", [job], None, now=NOW)

    assert then.profile.as_of == view.profile.as_of
    for name in ("prices", "long", "short", "long_band", "short_band"):
        assert getattr(then.profile, name).tobytes() == getattr(view.profile, name).tobytes()


@pytest.mark.parametrize(
    "at",
    [
        START,
        START - timedelta(days=4),
        START + timedelta(days=DAYS, hours=1),
        START + timedelta(days=900),
    ],
)
def test_a_moment_outside_is_refused(job, at):
    with pytest.raises(FrameError, match="panel 'one' has bars from 2022-01-01T01:00:00 to 2022-"):
        look("BTCUSDT", [job], at, now=NOW)


def test_the_last_bar_is_current_until_the_next_would_close(job):
    late = START + timedelta(days=DAYS, minutes=59)
    assert moment_of(look("BTCUSDT", [job], late, now=NOW)) == START + timedelta(days=DAYS)


def test_a_symbol_that_is_not_in_the_panel_is_refused(job):
    told = []
    with pytest.raises(FrameError, match=r"symbols \['ETHUSDT'\] are not in the frame"):
        look("ETHUSDT", [job], AT, now=NOW, on_progress=lambda *step: told.append(step[0]))
    assert "map: evidence" not in told  # said before the work, not after


# venues


def test_venues_add_up(both, view):
    one, two = both.profiles
    assert both.panels == ("one", "two")
    assert one.long.tobytes() == view.profile.long.tobytes()
    assert both.profile.long.sum() == pytest.approx(one.long.sum() + two.long.sum())
    assert both.profile.price == pytest.approx((one.price + two.price) / 2)
    assert both.profile.symbol == "BTCUSDT"


def test_a_simulated_market_is_called_one(view):
    assert view.title == "BTCUSDT, simulated market"
    assert replace(view, simulated=False).title == "BTCUSDT"
    assert replace(view, simulated=False).to_dict()["market"] == "real"


def test_the_document_lists_the_venues(both, view):
    told = both.to_dict()
    assert told["schema"] == "liqwarn.map_profile/1"
    assert told["panels"] == ["one", "two"]
    assert list(told["venues"]) == ["one", "two"]
    assert told["venues"]["one"] == profile_dict(view.profile)
    assert told["venues"]["one"]["ledger"]["bars"] == 24 * 20
    assert "venues" not in view.to_dict()
    assert view.to_dict() == {
        **profile_dict(view.profile),
        "panels": ["one"],
        "market": "simulated",
    }
    assert orjson.loads(orjson.dumps(told)) == told


def test_venues_whose_histories_end_apart_are_shown_where_both_have_a_bar(job, other):
    found = look("BTCUSDT", [job, other], None, now=NOW)

    assert len({str(one.as_of) for one in found.profiles}) == 1
    assert found.profile.as_of == look("BTCUSDT", [job], None, now=NOW).profile.as_of


def test_the_first_panel_with_the_moment_is_taken(job, other):
    last = look("BTCUSDT", [other], None, now=NOW).profile.as_of
    late = last.astype(datetime).replace(tzinfo=UTC)

    found = look_first("BTCUSDT", [job, other], late, now=NOW)
    assert (found.panels, found.profile.as_of) == (("two",), last)
    assert look_first("BTCUSDT", [job, other], AT, now=NOW).panels == ("one",)
    with pytest.raises(FrameError, match="panel 'two' has bars from"):
        look_first("BTCUSDT", [job, other], datetime(2030, 1, 1, tzinfo=UTC), now=NOW)


def test_each_venue_has_its_own_tiers(both):
    assert [job.venue.venue for job in both.jobs] == ["binance", "bybit"]


# over time


@pytest.mark.parametrize(("days", "rows"), [(2.0, 48), (0.01, 1), (900.0, 96)])
def test_the_heat_map_goes_back_as_far_as_asked(job, days, rows):
    view = look("BTCUSDT", [job], START + timedelta(days=4), now=NOW)
    found = view.heat_map(timedelta(days=days))

    assert len(found.times) == rows
    assert found.times[-1] == view.profile.as_of
    np.testing.assert_array_equal(np.diff(found.times), np.timedelta64(1, "h"))


def test_a_long_heat_map_is_thinned_to_what_can_be_seen(view, monkeypatch):
    monkeypatch.setattr("liqwarn.pipelines.map_view._SHOWN_BARS", 20)
    found = view.heat_map(timedelta(days=3))

    assert len(found.times) == 18
    assert found.times[-1] == view.profile.as_of
    np.testing.assert_array_equal(np.diff(found.times), np.timedelta64(4, "h"))


def test_the_last_row_is_the_profile(view):
    found = view.heat_map(timedelta(hours=6))
    first = int(
        np.argmin(np.abs(np.sqrt(found.edges[1:] * found.edges[:-1]) - view.profile.prices[0]))
    )

    mine = found.long[-1, first : first + len(view.profile.prices)]
    np.testing.assert_array_equal(mine, view.profile.long)


def test_the_heat_map_of_several_venues_is_the_firsts(both, view):
    found, expected = (one.heat_map(timedelta(hours=5)) for one in (both, view))
    assert found.long.tobytes() == expected.long.tobytes()


# files


PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def heat_map(view):
    return view.heat_map(timedelta(days=1))


@pytest.mark.parametrize(("suffix", "start"), [(".png", PNG), (".svg", b"<?xml")])
def test_pictures(view, heat_map, tmp_path, suffix, start):
    write_profile(view, tmp_path / f"profile{suffix}")
    write_heat_map(view, heat_map, tmp_path / f"heat{suffix}")
    for name in ("profile", "heat"):
        assert (tmp_path / f"{name}{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize(("suffix", "read"), [(".csv", pd.read_csv), (".parquet", pd.read_parquet)])
def test_tables(view, heat_map, tmp_path, suffix, read):
    write_profile(view, tmp_path / f"profile{suffix}")
    write_heat_map(view, heat_map, tmp_path / f"heat{suffix}")

    profile, heat = read(tmp_path / f"profile{suffix}"), read(tmp_path / f"heat{suffix}")
    assert profile["long_coins"].sum() == pytest.approx(view.profile.long.sum())
    assert heat["short_coins"].sum() == pytest.approx(heat_map.short.sum())
    assert heat["time"].nunique() == 24


def test_json(view, heat_map, tmp_path):
    write_profile(view, tmp_path / "profile.json")
    write_heat_map(view, heat_map, tmp_path / "heat.json")

    assert orjson.loads((tmp_path / "profile.json").read_bytes()) == view.to_dict()
    canvas = orjson.loads((tmp_path / "heat.json").read_bytes())
    assert canvas["symbol"] == "BTCUSDT"


@pytest.mark.parametrize("name", ["map.gif", "map", "map.xlsx"])
def test_another_kind_of_file_is_refused(view, heat_map, tmp_path, name):
    with pytest.raises(
        ConfigError,
        match=rf"{name} ends with .*, expected one of .png, .svg, .csv, .parquet, .json",
    ):
        write_profile(view, tmp_path / name)
    with pytest.raises(
        ConfigError,
        match=rf"{name} ends with .*, expected one of .png, .svg, .csv, .parquet, .json",
    ):
        write_heat_map(view, heat_map, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


# panels


def test_the_panels_that_have_a_symbol_and_a_store(tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="no panel below conf/panels has BTCUSDT and a store"):
        known_panels("BTCUSDT")
    for name in ("majors_4h", "btc_core", "unknown"):
        (tmp_path / "store" / name).mkdir(parents=True)

    assert [path.stem for path in known_panels("BTCUSDT")] == ["btc_core", "majors_4h"]
    assert [path.stem for path in known_panels("ETHUSDT")] == ["majors_4h"]
    with pytest.raises(ConfigError, match=r"has NONEUSDT and a store below .*, expected --panel"):
        known_panels("NONEUSDT")
