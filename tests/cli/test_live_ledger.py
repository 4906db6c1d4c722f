"""The live server looks at the ledger of its panel, below LIQWARN_HOME, until it is closed."""

import runpy
from contextlib import ExitStack
from pathlib import Path

from liqwarn.cli.live_ledger import follow_ledger
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.metrics import ServingMetrics

GIVEN = runpy.run_path(str(Path(__file__).parents[1] / "serving" / "ledger_given.py"))


def test_it_is_followed_where_the_settings_keep_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path))
    home = GIVEN["GivenHome"](tmp_path)
    metrics = ServingMetrics(SystemClock())
    with ExitStack() as stack:
        watch = follow_ledger(home.panel, tmp_path / "live", metrics, None, stack)
        home.settle()
        assert b'liqwarn_ledger_flags{state="issued"} 61234.0' in metrics.render()
        assert watch._thread.is_alive()
    assert not watch._thread.is_alive()
