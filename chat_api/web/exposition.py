"""The figures as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from chat_api.version import __version__
from chat_api.web.metrics import FAMILIES, Family, Metrics
from chat_api.web.tallies import Name, Tallies

OPENMETRICS = "application/openmetrics-text"


def render(metrics: Metrics, accept: str) -> tuple[bytes, str]:
    """The text, and its content type: OpenMetrics where the `Accept` header names it, else
    Prometheus' own.

    The header itself is not for the encoder: that one repeats the version it finds there.
    """
    metrics.publish()
    encode, content_type = choose_encoder(OPENMETRICS if OPENMETRICS in accept else "")
    return encode(_Figures(metrics.tallies)), content_type


class _Figures(Collector):
    """All figures, as the library's objects."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies

    def collect(self) -> Iterator[Metric]:
        """One object for each name."""
        yield InfoMetricFamily("chat_api", "What is running.", {"version": __version__})
        yield GaugeMetricFamily(
            "chat_completions_in_flight",
            "Answers on their way; a request for n of them counts n. Up to a second old.",
            self._tallies.in_flight(),
        )
        sums = self._tallies.sums()
        for family in FAMILIES:
            found = {name: cells for name, cells in sums.items() if name[0] == family.name}
            yield _histogram(family, found) if family.bounds else _counter(family, found)
        yield from _processes(self._tallies.owners())


def _counter(family: Family, found: dict[Name, list[float]]) -> Metric:
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    if not family.labels:
        found = found or {(family.name,): [0.0]}  # an alert wants to see it before it counts
    for (_, *values), (count,) in sorted(found.items()):
        metric.add_metric([str(value) for value in values], count)
    return metric


def _histogram(family: Family, found: dict[Name, list[float]]) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*map(str, family.bounds), "+Inf"]
    for (_, *values), (*counts, total) in sorted(found.items()):
        reached, buckets = 0.0, []
        for bound, count in zip(bounds, counts, strict=True):
            reached += count
            buckets.append((bound, reached))
        metric.add_metric([str(value) for value in values], buckets, total)
    return metric


def _processes(owners: dict[str, int]) -> Iterable[Metric]:
    """The library's `process_*` figures of every worker; none where there is no /proc."""
    found: dict[str, Metric] = {}
    for worker, pid in owners.items():
        for metric in _process(pid):
            all_workers = Metric(metric.name, metric.documentation, metric.type)
            for sample in metric.samples:
                labelled = Sample(sample.name, {"worker": worker}, sample.value)
                found.setdefault(metric.name, all_workers).samples.append(labelled)
    return found.values()


def _process(pid: int) -> Iterable[Metric]:
    return ProcessCollector(pid=lambda: pid, registry=None).collect()
