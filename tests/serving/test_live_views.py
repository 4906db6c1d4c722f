"""The maps of the loop can be asked for, and nobody waits for a loop that is busy for minutes."""

import threading
from types import SimpleNamespace

import pytest

from liqwarn.errors import StoreError
from liqwarn.serving import live_views
from liqwarn.serving.live_views import LiveMapSource


def served(**engine):
    loop = SimpleNamespace(lock=threading.Lock(), engine=SimpleNamespace(**engine))
    return LiveMapSource(SimpleNamespace(loop=loop)), loop


def test_a_symbol_of_another_panel_has_no_map():
    source, loop = served(symbols=("BTCUSDT",))

    assert source.profile("ETHUSDT") is None
    assert not loop.lock.locked()


def test_without_a_loop_there_are_no_maps_yet():
    with pytest.raises(StoreError, match="is being begun"):
        LiveMapSource(SimpleNamespace(loop=None)).profile("BTCUSDT")


def test_a_loop_that_fits_new_maps_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(live_views, "_WAIT_S", 0.01)
    source, loop = served(symbols=("BTCUSDT",))

    with loop.lock, pytest.raises(StoreError, match="fitting the maps of a new quarter"):
        source.profile("BTCUSDT")
