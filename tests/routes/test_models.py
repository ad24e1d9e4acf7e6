"""Names as the model routes and the doors tell of them."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from chat_api import create_app
from chat_api.settings import Settings
from chat_api.wiring import build_services
from tests.fakes import FakeUpstream, completion, listed


def client_of(upstream: FakeUpstream, **told: object) -> FlaskClient:
    settings = Settings(**told)  # type: ignore[arg-type]
    return create_app(settings, build_services(settings, upstream)).test_client()


def test_the_setting_is_the_list_and_the_default_is_always_in_it(upstream: FakeUpstream) -> None:
    body = client_of(upstream, models=("a", "b")).get("/models").get_json()
    assert (body["models"], body["default"]) == (["a", "b", "gpt-4o-mini"], "gpt-4o-mini")


def test_a_retired_name_that_the_upstream_lists_is_its_own(upstream: FakeUpstream) -> None:
    upstream.listing = listed("gpt-4")
    upstream.enqueue(completion(), completion())
    client = client_of(upstream)
    reply = client.post("/chat", json={"message": "Hi", "model": "gpt-4"})
    assert "x-model-alias" not in reply.headers
    reply = client.post("/chat", json={"message": "Hi", "model": "gpt-3.5-turbo"})
    assert reply.headers["x-model-alias"] == "gpt-3.5-turbo"
    assert [call.body["model"] for call in upstream.calls] == ["gpt-4", "gpt-4o-mini"]


@pytest.mark.parametrize("name", ["no-such-model", "org/model:tag", "ünïcode"])
def test_an_unknown_name_is_the_upstreams_to_judge(upstream: FakeUpstream, name: str) -> None:
    upstream.enqueue(completion())
    reply = client_of(upstream).post("/chat", json={"message": "Hi", "model": name})
    assert reply.status_code == 200 and upstream.calls[0].body["model"] == name
