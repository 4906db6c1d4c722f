"""Families that are asked for: told as they are now, in Prometheus' own format."""

from prometheus_client import CollectorRegistry, generate_latest

from liqwarn.serving.metric_families import MetricFamily, tell_families


def test_they_are_asked_each_time_and_nothing_stays():
    registry, told = CollectorRegistry(), {}
    tell_families(
        registry,
        lambda: [
            MetricFamily(name="psi", what="PSI.", labels=("f",), samples=list(told.items())),
            MetricFamily(name="faults", what="N.", samples=[((), 3.0)], kind="counter"),
        ],
    )
    told[("a",)] = 0.5
    first = generate_latest(registry).decode()
    told.clear()
    told[('b "\n\\',)] = 0.1
    then = generate_latest(registry).decode()

    assert 'liqwarn_psi{f="a"} 0.5' in first
    assert "liqwarn_faults_total 3.0" in first
    assert "# TYPE liqwarn_psi gauge" in first
    assert 'f="a"' not in then
    assert 'liqwarn_psi{f="b \\"\\n\\\\"} 0.1' in then
