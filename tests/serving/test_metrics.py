"""Metrics: what was told is shown, with bounded labels, and nothing is global."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from liqwarn.decisions import Tier
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.metrics import ServingMetrics


@pytest.fixture
def metrics(clock, tmp_path):
    return ServingMetrics(clock, disk=tmp_path, max_symbols=3)


@pytest.fixture
def shown(metrics):
    """The value of a metric after rendering."""

    def shown(name, **labels):
        families = text_string_to_metric_families(metrics.render().decode())
        found = [s.value for f in families for s in f.samples if s.name == f"liqwarn_{name}"
                 and s.labels == labels]  # fmt: skip
        return found[0] if found else None

    return shown


def flag_set(noon, *flags):
    return FlagSet(generated_at=noon, market="real", flags={flag.symbol: flag for flag in flags})


def test_bars_by_outcome_and_reason(metrics, shown, clock):
    metrics.bar("taken", closed_at=clock.wall() - timedelta(seconds=2))
    metrics.bar("late")
    metrics.bar("refused", reason="negative open interest")
    clock.run(seconds=60)

    assert shown("bars_total", outcome="taken") == 1
    assert shown("bars_total", outcome="duplicate") == 0
    assert shown("bars_refused_total", reason="negative open interest") == 1
    assert shown("newest_bar_age_seconds") == 62


def test_ages_do_not_jump_with_the_wall_clock_and_the_jump_is_told(metrics, shown, clock):
    metrics.bar("taken", closed_at=clock.wall())
    metrics.heartbeat()
    clock.run(seconds=5)
    clock.set_wall(minutes=10)

    assert shown("newest_bar_age_seconds") == 5
    assert shown("loop_heartbeat_age_seconds") == 5
    assert shown("clock_jump_seconds") == pytest.approx(600)


def test_before_the_first_bar_and_round_there_is_no_age(shown):
    assert str(shown("newest_bar_age_seconds")) == str(shown("loop_heartbeat_age_seconds")) == "nan"


def test_flags_are_told_and_expire_as_they_are_asked_for(metrics, shown, clock, noon, make_flag):
    metrics.publish(flag_set(noon, make_flag("A", "T3"), make_flag("B", quality="degraded")))

    assert shown("tier", symbol="A", side="long") == Tier.T3
    assert shown("score_probability_4h", symbol="B", side="short") == 0.2
    assert [shown("flags", quality=q) for q in ("ok", "degraded", "stale", "unknown")] == [
        1, 1, 0, 0,
    ]  # fmt: skip
    clock.run(minutes=70)
    assert shown("flags", quality="stale") == 2
    assert shown("flags", quality="ok") == 0


def test_a_symbol_that_went_is_told_no_longer(metrics, shown, noon, make_flag):
    metrics.publish(flag_set(noon, make_flag("A"), make_flag("B")))
    shown("tier")
    metrics.publish(flag_set(noon, make_flag("B")))

    assert shown("tier", symbol="A", side="long") is None
    assert shown("tier", symbol="B", side="long") == 0


def test_symbols_are_bounded(metrics, shown, noon, make_flag):
    metrics.publish(flag_set(noon, *(make_flag(f"S{n}") for n in range(10))))

    assert shown("symbols_not_shown") == 7
    assert metrics.render().count(b"liqwarn_tier{") == 6


def test_labels_are_bounded_whatever_is_told(metrics):
    for n in range(1_000):
        metrics.refusal(f"r{n}", "10.0.0.1")
        metrics.bundle_refused(f"r{n}")
        metrics.request(f"/{n}", f"M{n}", 200, 0.001)

    assert len(metrics.render().splitlines()) < 2_000


def test_the_rest_is_told_as_well(metrics, shown):
    metrics.bundle_swapped("3", "ab")
    metrics.bundle_swapped("4", "cd")
    metrics.bundle_refused("signature")
    metrics.audit_written(5)
    metrics.audit_failed()
    metrics.journal(2, 0.002)
    metrics.journal_size(1_000)
    metrics.published("board")
    metrics.published("webhook", ok=False)
    metrics.streams(4, 1)
    metrics.streams(3, 1)
    metrics.key_file_fault("torn")
    metrics.alert("sent")
    metrics.webhook("retried", 7)
    metrics.bar_to_flag(0.003)
    metrics.loop_error()
    metrics.bar_interval(timedelta(minutes=5))
    metrics.log_lines_lost(2)

    assert shown("bundle_info", version="4", sha256="cd") == 1
    assert shown("bundle_info", version="3", sha256="ab") is None
    assert shown("bundle_swaps_total") == 2
    assert shown("bundle_refusals_total", reason="signature") == 1
    assert (shown("audit_lines_total"), shown("audit_fault")) == (5, 1)
    assert shown("journal_bars_total") == 2
    assert (shown("journal_bytes"), shown("journal_fsync_seconds_count")) == (1_000, 1)
    assert shown("publications_total", target="board") == 1
    assert shown("publication_failures_total", target="webhook") == 1
    assert (shown("stream_clients"), shown("stream_drops_total")) == (3, 1)
    assert shown("key_file_fault") == 1
    assert shown("alerts_total", outcome="sent") == 1
    assert (shown("webhook_posts_total", outcome="retried"), shown("webhook_pending")) == (1, 7)
    assert shown("bar_to_flag_seconds_bucket", le="0.005") == 1
    assert shown("bar_interval_seconds") == 300
    assert (shown("loop_errors_total"), shown("log_lines_lost")) == (1, 2)
    assert shown("process_resident_memory_bytes") > 1e6
    assert shown("disk_free_bytes") > 0


def test_nothing_is_global(clock):
    before = {family.name for family in REGISTRY.collect()}
    ServingMetrics(clock)
    ServingMetrics(clock)

    assert {family.name for family in REGISTRY.collect()} == before
