"""The text of `/metrics`, read by Prometheus' own parser."""

from __future__ import annotations

from flask.testing import FlaskClient
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families


class Figures:
    """What one scrape brought."""

    def __init__(self, text: str) -> None:
        self.families: list[Metric] = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that have these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def values(self, name: str, label: str) -> set[str]:
        """What a label says in the samples of that name."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}

    def counters(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """All that must never fall while the server lives."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            if family.type in ("counter", "histogram") and not family.name.startswith("process_")
            for sample in family.samples
        }


def scrape(client: FlaskClient) -> Figures:
    """The figures of an application in this process."""
    reply = client.get("/metrics")
    assert reply.status_code == 200
    return Figures(reply.text)
