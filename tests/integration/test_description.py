"""What a running server answers, good and bad, is what its `/openapi.json` says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPMessage
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from tests.fakes import chunk, frame
from tests.integration.doors import DOORS, V1_STREAM, Door, data_of, door_name, frames_of
from tests.integration.stage import Stage, refuse
from tests.integration.wire import Reply, ask, get, send
from tests.scripted import Exchange
from tests.servers import Server

PUBLIC_GETS = ["/", "/info", "/health", "/health/live", "/health/ready", "/api/health"]
OTHER_GETS = ["/models", "/v1/models", "/openapi.json", "/docs", "/redoc", "/docs/websocket"]
REFUSALS = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503, 504, 529]
BAD_BODIES = [b"{", b"[]", b"{}", b'{"message": 1, "messages": 1, "input": 1}', b'{"a": NaN}']


class Description:
    """A server's description, to hold its replies against."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def check(self, method: str, path: str, reply: Reply) -> None:
        """Fails where the reply is of a status, kind or form that is not described."""
        replies = self._document["paths"][path][method.lower()]["responses"]
        assert str(reply.status) in replies, (path, reply.status, reply.body)
        said = replies[str(reply.status)]
        kind = reply.headers["Content-Type"].partition(";")[0]
        assert kind in said["content"], (path, kind)
        assert_headers(said, reply.headers)
        schema = said["content"][kind]["schema"]
        if kind == "application/json":
            self.validate(schema, reply.json)
        elif kind == "text/event-stream":
            for frame in frames_of(reply.body):
                fields = dict(line.split(": ", 1) for line in frame.decode().splitlines() if line)
                self.validate(schema, fields)
            event = {"$ref": embedded(schema)}
            for data in data_of(frames_of(reply.body)):
                assert data == "[DONE]" or self.validate(event, data) is None

    def validate(self, schema: dict[str, Any], value: Any) -> None:
        """Fails where the value is not of that schema."""
        root = {**schema, "components": self._document["components"]}
        Draft202012Validator(root).validate(value)


def embedded(schema: dict[str, Any]) -> str:
    """Where the schema of the events' data is."""
    (found,) = {part["$ref"] for part in walk(schema) if "$ref" in part}
    return str(found)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from walk(child)


def assert_headers(said: dict[str, Any], headers: HTTPMessage) -> None:
    assert headers["X-Request-ID"] and "X-Request-ID" in said["headers"]
    for name in ("Retry-After", "x-upstream", "x-model-alias"):
        assert name not in headers or name in said["headers"], name


def break_off(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(frame(chunk({"content": "Hel"})))
    exchange.send(b"0\r\n\r\n")


@pytest.fixture(scope="module")
def description(relay: Server) -> Description:
    return Description(get(relay, "/openapi.json").json)


@pytest.mark.parametrize("path", PUBLIC_GETS + OTHER_GETS)
def test_what_is_read(relay: Server, description: Description, path: str) -> None:
    description.check("GET", path, get(relay, path))


@pytest.mark.parametrize("name", ["docs.css", "redoc.js", "redoc.svg", "favicon.png"])
def test_files_of_the_pages(relay: Server, description: Description, name: str) -> None:
    description.check("GET", "/docs/assets/{name}", get(relay, f"/docs/assets/{name}"))


def test_one_model_and_none(relay: Server, description: Description) -> None:
    for name in ("gpt-4o-mini", "no/such"):
        description.check("GET", "/v1/models/{model}", get(relay, f"/v1/models/{name}"))


@pytest.mark.parametrize("door", DOORS, ids=door_name)
def test_answers(relay: Server, description: Description, stage: Stage, door: Door) -> None:
    reply = ask(relay, door)
    assert reply.status == 200
    description.check("POST", door.path, reply)


def test_the_long_form_of_a_response(relay: Server, description: Description, stage: Stage) -> None:
    whole = {"Prefer": "return=representation"}
    reply = send(relay, "/v1/responses", {"input": "Hi"}, headers=whole)
    assert reply.json["object"] == "response"
    description.check("POST", "/v1/responses", reply)


def test_events_where_they_are_preferred(
    relay: Server, description: Description, stage: Stage
) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    reply = send(relay, "/ask", body, headers={"Accept": "text/event-stream"})
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    description.check("POST", "/ask", reply)


@pytest.mark.parametrize("status", REFUSALS)
def test_what_an_upstreams_refusal_becomes(
    relay: Server, description: Description, stage: Stage, status: int
) -> None:
    stage.play(refuse(status, headers="x-should-retry: false\r\n"))
    for door in DOORS:
        reply = ask(relay, door)
        assert reply.status >= 400
        description.check("POST", door.path, reply)


def test_an_event_that_tells_of_a_failure(
    relay: Server, description: Description, stage: Stage
) -> None:
    stage.play(break_off)
    for door in (V1_STREAM, Door("/chat/stream", streamed=True)):
        reply = ask(relay, door)
        assert b'"error"' in reply.body
        description.check("POST", door.path, reply)


@pytest.mark.parametrize("body", BAD_BODIES, ids=repr)
def test_bad_bodies(relay: Server, description: Description, body: bytes) -> None:
    for path in {door.path for door in DOORS}:
        reply = send(relay, path, body)
        assert reply.status == 400
        description.check("POST", path, reply)


def test_bodies_that_are_no_json_or_too_large(relay: Server, description: Description) -> None:
    for path in ("/chat", "/ask", "/api/sessions", "/v1/responses"):
        form = send(relay, path, b"a=b", headers={"Content-Type": "text/plain"})
        large = send(relay, path, b"{}", headers={"Content-Length": "99999999999"})
        assert (form.status, large.status) == (415, 413)
        description.check("POST", path, form)
        description.check("POST", path, large)


def test_the_life_of_a_session(relay: Server, description: Description, stage: Stage) -> None:
    made = send(relay, "/api/sessions", {"developer_message": "Be brief."})
    description.check("POST", "/api/sessions", made)
    path, template = f"/api/sessions/{made.json['session_id']}", "/api/sessions/{session_id}"
    chat = send(relay, "/chat", {"message": "Hi", "session_id": made.json["session_id"]})
    description.check("POST", "/chat", chat)
    description.check("GET", template, get(relay, path))
    for status in (200, 404):
        reply = send(relay, path, method="DELETE")
        assert reply.status == status
        description.check("DELETE", template, reply)


def test_a_server_without_a_store_or_an_upstream(small: Server) -> None:
    description = Description(json.loads(get(small, "/openapi.json").body))
    for path in ("/api/health", "/health/ready"):
        reply = get(small, path)
        assert reply.status == 503
        description.check("GET", path, reply)
    for door in DOORS:
        description.check("POST", door.path, ask(small, door))
