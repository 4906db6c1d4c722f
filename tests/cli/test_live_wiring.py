"""The live service from its options: put together and not started, one record taken up."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from liqwarn.cli.live_options import ServeOptions
from liqwarn.cli.live_wiring import wire
from liqwarn.config import load_panel
from liqwarn.errors import ConfigError, LiqwarnError
from liqwarn.serving.replay_source import ReplaySource
from liqwarn.signing import generate_key, save_signing_key

ROOT = Path(__file__).parents[2]


@pytest.fixture
def options(given, model, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    return ServeOptions(
        panel=given / "panel.yaml",
        store=given / "store",
        out=tmp_path / "live",
        feed="replay:1e6",
        replay_from=datetime.fromisoformat("2022-03-30"),
        model=model,
        unsigned=True,
    )


def silent(*_):
    """Nobody looks."""


def test_nothing_runs_before_it_is_started(options, given):
    with ExitStack() as stack:
        wired = wire(options, stack, silent)

        assert wired.follow is None
        assert wired.service.loop is None
        assert not wired.service.ended.is_set()
        assert wired.service.shelf.read().fault == "no flags published yet"
        parts = wired.service._parts
        assert isinstance(parts.clock, ReplaySource)
        assert parts.feed is parts.clock
        assert parts.joined
        assert parts.terms.symbols == load_panel(given / "panel.yaml").symbol_names
        assert parts.folder == options.out
        assert parts.engines.begin.isoformat() == "2022-03-29T23:00:00+00:00"
        assert wired.server.config.port == 8000
    assert options.out.is_dir()


@pytest.mark.parametrize("name", ["out", "panel"])
def test_without_a_panel_or_a_folder_there_is_no_loop(options, name):
    with ExitStack() as stack, pytest.raises(ConfigError, match="needs --panel FILE and --out"):
        wire(replace(options, **{name: None}), stack, silent)


def test_a_public_bind_without_keys_is_refused(options):
    bound = replace(options, host="0.0.0.0")
    with ExitStack() as stack, pytest.raises(LiqwarnError, match=r"loopback|keys"):
        wire(bound, stack, silent)


def test_flags_are_signed_by_the_key_that_is_named(options, tmp_path):
    key = generate_key()
    save_signing_key(key, tmp_path / "sign.pem")
    with ExitStack() as stack:
        wired = wire(replace(options, sign=tmp_path / "sign.pem"), stack, silent)

        document = wired.service._parts.record._document
    assert document is not None


def test_what_was_opened_is_closed_when_a_later_piece_is_missing(options, tmp_path):
    """The board is given up although the model is refused after it was made."""
    board = tmp_path / "flags.board"
    live = replace(
        options,
        feed=f"unix:{tmp_path / 's'}",
        replay_from=None,
        board=board,
        model=tmp_path / "no-such-bundle",
    )
    for _ in range(2):  # a board that was not given up would be another writer's
        with ExitStack() as stack, pytest.raises(LiqwarnError, match="no-such-bundle"):
            wire(live, stack, silent)
    assert board.exists()
