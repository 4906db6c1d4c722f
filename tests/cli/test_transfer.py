"""How far a fetch is, for people at a terminal and for logs."""

import io

from rich.console import Console

from liqwarn.cli import transfer as module
from liqwarn.cli.transfer import Pace, transfer
from liqwarn.sources.tally import FetchState


def state(done, total, size):
    return FetchState(done=done, total=total, size=size)


def test_speed_and_the_time_left_follow_the_files_that_are_settled():
    seconds = iter([0.0, 10.0, 20.0, 20.0])
    pace = Pace(lambda: next(seconds))

    assert pace.text(state(1, 721, 2_000_000)) == "2.0 MB, 200.0 kB/s, 2:00:00 left"
    assert pace.text(state(0, 10, 0)) == "0.0 kB, 0.0 kB/s"
    assert pace.text(state(10, 10, 40_000_000)) == "40.0 MB, 2.0 MB/s, 0:00:00 left"


def test_away_from_a_terminal_it_is_a_line_now_and_then_and_one_at_the_end(capsys, monkeypatch):
    with transfer("fetch binance") as tell:
        tell(state(1, 3, 10))
        monkeypatch.setattr(module, "_LINE_EVERY_S", 0.0)
        tell(state(2, 3, 20))
        monkeypatch.setattr(module, "_LINE_EVERY_S", 99.0)
        tell(state(3, 3, 30))

    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0].startswith("fetch binance: 2 of 3 files, 0.0 kB, ")
    assert lines[0].endswith(" left")
    assert lines[1:] == ["fetch binance: 3 of 3"]


def test_nothing_to_fetch_is_no_line(capsys):
    with transfer("fetch binance"):
        pass

    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_it_is_a_bar_with_files_bytes_and_time(monkeypatch):
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120)
    monkeypatch.setattr(module, "_ERR", console)

    with transfer("fetch binance") as tell:
        tell(state(1, 2, 1_500_000))
        tell(state(2, 2, 3_000_000))

    assert "2/2" in shown.getvalue()
    assert "3.0 MB" in shown.getvalue()
    assert "0:00:00 left" in shown.getvalue()
