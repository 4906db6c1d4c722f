import time
from datetime import UTC, datetime, timedelta

from liqwarn.board import clocks
from liqwarn.board.clocks import SYSTEM_CLOCKS, boot_identity, epoch_ns


def test_the_wall_clock_is_the_wall_clock_and_the_other_one_runs():
    assert abs(SYSTEM_CLOCKS.wall_ns() - time.time_ns()) < 10**9
    before = SYSTEM_CLOCKS.boot_ns()
    assert before <= SYSTEM_CLOCKS.boot_ns() < before + 60 * 10**9


def test_a_boot_has_one_name():
    assert boot_identity() == boot_identity()
    assert len(boot_identity()) == 16


def test_a_host_that_does_not_name_its_boots_has_zeros(monkeypatch, tmp_path):
    monkeypatch.setattr(clocks, "_BOOT_ID", tmp_path / "none")
    assert boot_identity() == bytes(16)
    (tmp_path / "none").write_text("what is this")
    assert boot_identity() == bytes(16)


def test_nanoseconds_are_exact_where_a_float_is_not():
    moment = datetime(2026, 11, 22, 10, 50, 32, 123457, tzinfo=UTC)
    assert epoch_ns(moment) % 10**9 == 123457000
    assert epoch_ns(moment + timedelta(microseconds=1)) - epoch_ns(moment) == 1000
