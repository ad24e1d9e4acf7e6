"""How the figures are shown."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from chat_api import create_app, errors
from chat_api.settings import Settings
from chat_api.version import __version__
from chat_api.wiring import Services
from tests.fakes import FakeUpstream, chunks, completion
from tests.figures import Figures, scrape

PROMETHEUS = (  # what Prometheus 3 sends
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
)


def test_the_text_says_what_it_is(client: FlaskClient) -> None:
    reply = client.get("/metrics")
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert Figures(reply.text).values("chat_api_info", "version") == {__version__}


@pytest.mark.parametrize("version", ["1.0.0", "9.9\x7f", "nonsense", "1.0.0\u00e4"])
def test_who_asks_for_openmetrics_gets_it(client: FlaskClient, version: str) -> None:
    accept = PROMETHEUS.replace("1.0.0", version)
    reply = client.get("/metrics", headers={"Accept": accept})
    wanted = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert reply.headers["Content-Type"] == wanted
    assert [family.name for family in parse_openmetrics(reply.text)]


def test_names_and_texts_are_as_prometheus_wants_them(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(completion(), chunks("x"))
    client.post("/chat", json={"message": "Hi"})
    client.post("/chat/stream", json={"message": "Hi"})
    families = scrape(client).families
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", family.name)
        assert family.documentation.endswith("."), family.name
        assert family.type in ("counter", "gauge", "histogram")
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")
            assert all(re.fullmatch("[a-z]+", label) for label in sample.labels)
    for abbreviated in ("ms", "milliseconds", "kb", "count"):
        assert not any(abbreviated in family.name.split("_") for family in families)


def test_buckets_add_up_to_the_count(client: FlaskClient) -> None:
    for _ in range(3):
        client.get("/health")
    found = scrape(client)
    name = "http_request_duration_seconds"
    buckets = [s.value for s in found.samples if s.name == f"{name}_bucket"]
    assert buckets == sorted(buckets) and buckets[-1] == found.total(f"{name}_count") == 3
    assert 0 < found.total(f"{name}_sum") < 30


def test_nothing_of_a_request_or_an_answer_is_shown(services: Services) -> None:
    upstream = services.upstream
    assert isinstance(upstream, FakeUpstream)
    client = create_app(Settings(api_keys=("planted-key",)), services).test_client()
    keys = {"x-api-key": "planted-key", "Authorization": "Bearer sk-planted-own"}
    headers = {**keys, "X-Request-ID": "planted-id", "User-Agent": "planted"}
    upstream.enqueue(completion("planted-answer", model="planted-model", id="planted"))
    upstream.enqueue(errors.UpstreamRefused("planted", 400, "planted", "planted", "planted"))
    for path in ("/chat", "/chat", "/chat/planted", "/planted", "/chat?planted=planted"):
        client.post(path, json={"message": "planted", "model": "planted"}, headers=headers)
    client.open("/models", method="PLANTED", headers=headers)
    text = client.get("/metrics", headers=keys).text
    assert "planted" not in text.lower()
    assert Figures(text).total("chat_outcomes_total") >= 2


def test_it_wants_a_key_where_there_is_one(services: Services) -> None:
    client = create_app(Settings(api_keys=("a-key",)), services).test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"x-api-key": "a-key"}).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer a-key"}).status_code == 200
