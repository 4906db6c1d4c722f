"""Families of samples that are worked out when Prometheus asks, from what lies elsewhere."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["MetricFamily", "tell_families"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFamily:
    """One metric with all its samples; whoever makes it bounds how many.

    Attributes
    ----------
    name : str
        Without the prefix; a counter's without ``_total``.
    what : str
    labels : sequence of str
    samples : sequence of (label values, value)
    kind : {"gauge", "counter"}
    """

    name: str
    what: str
    labels: Sequence[str] = ()
    samples: Sequence[tuple[Sequence[str], float]] = ()
    kind: Literal["gauge", "counter"] = "gauge"


def tell_families(
    registry: CollectorRegistry, families: Callable[[], Iterable[MetricFamily]]
) -> None:
    """Have `families` asked whenever the registry is; nothing of them is kept between."""
    registry.register(_Asked(families))


class _Asked(Collector):
    """Asks again each time."""

    def __init__(self, families: Callable[[], Iterable[MetricFamily]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """The families as prometheus_client knows them."""
        for family in self._families():
            make = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            made = make(f"liqwarn_{family.name}", family.what, labels=list(family.labels))
            for labels, value in family.samples:
                made.add_metric(list(labels), value)
            yield made
