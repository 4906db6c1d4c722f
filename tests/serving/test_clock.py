from datetime import UTC, datetime

from liqwarn.serving.clock import SystemClock


def test_the_system_clock_tells_the_time():
    clock = SystemClock()
    assert abs((clock.wall() - datetime.now(UTC)).total_seconds()) < 5
    assert clock.wall().tzinfo is UTC
    first = clock.monotonic()
    assert clock.monotonic() >= first > 0
