"""`Idempotency-Key` at the door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chat_api import create_app, errors
from chat_api.settings import Settings
from chat_api.web.idempotency import is_idempotent
from chat_api.wiring import build_services
from tests.fakes import FakeUpstream, chunks, completion

MESSAGES = [{"role": "user", "content": "Hi"}]
URL = "/v1/chat/completions"


@pytest.fixture
def settings() -> Settings:
    return Settings(stream_heartbeat_seconds=0, api_keys=("one", "two"))


def post(
    client: FlaskClient, key: str | None = "k", owner: str = "one", url: str = URL, **body: Any
) -> TestResponse:
    headers = {"x-api-key": owner, **({} if key is None else {"Idempotency-Key": key})}
    return client.post(url, json=body or {"messages": MESSAGES}, headers=headers)


def test_the_second_call_gets_the_first_ones_reply(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(completion("Hi", x_vendor=1))
    first, second = post(client), post(client)
    assert first.get_data() == second.get_data()
    assert (second.status_code, second.content_type) == (200, first.content_type)
    replayed = [reply.headers.get("Idempotent-Replayed") for reply in (first, second)]
    assert replayed == [None, "true"]
    assert "Idempotent-Replayed" in second.headers["Access-Control-Expose-Headers"]
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert len(upstream.calls) == 1


def test_the_order_of_fields_makes_no_other_request(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(completion())
    post(client, messages=MESSAGES, temperature=1)
    assert post(client, temperature=1, messages=MESSAGES).headers["Idempotent-Replayed"] == "true"


def test_another_request_is_a_422_that_no_client_repeats(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(completion())
    post(client)
    reply = post(client, messages=[{"role": "user", "content": "Ho"}])
    assert reply.status_code == 422
    assert reply.get_json()["error"]["code"] == "idempotency_key_reused"
    assert reply.headers["x-should-retry"] == "false"


def test_keys_belong_to_their_caller_and_route(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion(), completion(), completion(), completion())
    post(client)
    post(client, owner="two")
    post(client, url="/v1/responses", input="Hi")
    post(client, key="K")
    assert len(upstream.calls) == 4


def test_callers_with_keys_of_their_own_are_two_on_an_open_server(upstream: FakeUpstream) -> None:
    client = create_app(Settings(), build_services(Settings(), upstream)).test_client()
    upstream.enqueue(completion("for a"), completion("for b"))
    for key in ("sk-a", "sk-b"):
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
        reply = client.post(URL, json={"messages": MESSAGES}, headers=headers)
        assert key[-1] in reply.get_json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("key", ["", "a b", "a\tb", "é", "k" * 256])
@pytest.mark.parametrize("stream", [False, True])
def test_a_bad_key_is_refused_by_name(client: FlaskClient, key: str, stream: bool) -> None:
    error = post(client, key=key, messages=MESSAGES, stream=stream).get_json()["error"]
    assert (error["param"], error["code"]) == ("Idempotency-Key", "invalid_value")


def test_a_key_may_have_255_characters(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    assert post(client, key="~" * 255).status_code == 200


def test_a_stream_is_made_each_time(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(chunks("a"), chunks("a"))
    for _ in range(2):
        reply = post(client, messages=MESSAGES, stream=True)
        assert reply.mimetype == "text/event-stream"
    assert len(upstream.calls) == 2


@pytest.mark.parametrize(
    "failure",
    [
        errors.UpstreamTimeout("x"),
        errors.UpstreamRefused("No.", 400),
        errors.UpstreamKeyRefused("x", 401, False),
    ],
    ids=str,
)
def test_what_failed_upstream_is_asked_anew(
    client: FlaskClient, upstream: FakeUpstream, failure: Exception
) -> None:
    upstream.enqueue(failure, completion())
    assert post(client).status_code >= 400
    assert post(client).status_code == 200


def test_a_refusal_of_ours_is_told_again() -> None:
    body = {"model": "none/such", "messages": MESSAGES}
    strict = Settings(api_keys=("one",), allowed_models=("m",))
    other = create_app(strict, build_services(strict, FakeUpstream())).test_client()
    first, second = post(other, **body), post(other, **body)
    assert (first.status_code, second.status_code) == (404, 404)
    assert first.get_data() == second.get_data()
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_body_that_is_none_takes_no_key(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    assert post(client, messages=[]).status_code == 400
    assert post(client).status_code == 200


def test_every_post_below_v1_obeys_the_header(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/") and "POST" in (rule.methods or ()):
            assert is_idempotent(app.view_functions[rule.endpoint]), rule.rule


def test_no_key_of_a_callers_is_in_the_store(
    client: FlaskClient, upstream: FakeUpstream, tmp_path: Path
) -> None:
    upstream.enqueue(completion())
    post(client, key="canary-of-the-caller")
    files = [path for path in tmp_path.rglob("*.sqlite3*") if path.is_file()]
    assert files and all(b"canary" not in path.read_bytes() for path in files)
