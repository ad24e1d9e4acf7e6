"""What one key made does not exist for any other: each route that takes an id answers as it does to
an id that nobody ever had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chat_api.settings import Settings
from tests.fakes import FakeUpstream, chunks, completion
from tests.integration.wire import wait_for

MINE, THEIRS = {"x-api-key": "canary-mine"}, {"Authorization": "Bearer canary-theirs"}
MESSAGE = {"type": "message", "role": "user", "content": "Hi"}
BODIES: dict[str, Any] = {
    "conversations.update": {"metadata": {"a": "b"}},
    "conversations.add_items": {"items": [MESSAGE]},
    "chat_completions.update": {"metadata": {"a": "b"}},
}
"""Of the routes with an id in their path that want one."""

Ids = dict[str, str]


class Ask(NamedTuple):
    """A request that names something by its id."""

    name: str
    method: str
    path: str
    body: Any = None


@pytest.fixture
def settings() -> Settings:
    return Settings(stream_heartbeat_seconds=0, api_keys=("canary-mine", "canary-theirs"))


@pytest.fixture
def ids(client: FlaskClient, upstream: FakeUpstream) -> Ids:
    """One of everything, made with the first key."""
    upstream.enqueue(completion(), chunks("Hello!"), completion())

    def made(path: str, body: Any) -> Any:
        return client.post(path, json=body, headers=MINE).get_json()

    response = made("/v1/responses", {"input": "Hi", "store": True, "metadata": {}})
    background = made("/v1/responses", {"input": "Hi", "background": True})
    ended = f"/v1/responses/{background['id']}"
    wait_for(lambda: client.get(ended, headers=MINE).get_json()["status"] == "completed")
    conversation = made("/v1/conversations", {"items": [MESSAGE]})
    url = f"/v1/conversations/{conversation['id']}/items"
    return {
        "session_id": made("/api/sessions", {})["session_id"],
        "response_id": response["id"],
        "background_id": background["id"],
        "conversation_id": conversation["id"],
        "item_id": client.get(url, headers=MINE).get_json()["data"][0]["id"],
        "completion_id": made("/v1/chat/completions", {"messages": [MESSAGE], "store": True})["id"],
    }


def in_paths(client: FlaskClient, ids: Ids) -> Iterator[Ask]:
    """Every route with an id in its path, by every method of its own."""
    urls = client.application.url_map.bind("")
    for rule in client.application.url_map.iter_rules():
        if not rule.arguments & ids.keys():
            continue
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            for chosen in (ids, {**ids, "response_id": ids["background_id"]}):
                arguments = {name: chosen.get(name, 0) for name in rule.arguments}
                path = urls.build(rule.endpoint, arguments)
                yield Ask(rule.endpoint, method, path, BODIES.get(rule.endpoint))


def elsewhere(ids: Ids) -> Iterator[Ask]:
    """Every route that takes an id in its body, and the one whose query makes another of it."""
    session, response, conversation = ids["session_id"], ids["response_id"], ids["conversation_id"]
    for path, field in (
        ("/chat", "message"),
        ("/chat/stream", "message"),
        ("/api/chat", "user_message"),
    ):
        yield Ask("session", "POST", path, {field: "Hi", "session_id": session})
    for name in ("response_id", "background_id"):
        yield Ask("replay", "GET", f"/v1/responses/{ids[name]}?stream=true")
    reference = {"type": "item_reference", "id": ids["item_id"]}
    for stream in (False, True):
        for named in (
            {"previous_response_id": response},
            {"previous_response_id": ids["background_id"]},
            {"conversation": conversation},
            {"conversation": {"id": conversation}},
            {"conversation": session},
            {"input": [reference]},
        ):
            body = {"input": "Hi", "stream": stream, **named}
            yield Ask("response", "POST", "/v1/responses", body)


def everything(client: FlaskClient, ids: Ids) -> list[Ask]:
    return [*in_paths(client, ids), *elsewhere(ids)]


def send(client: FlaskClient, ask: Ask, headers: dict[str, str]) -> TestResponse:
    same = {"X-Request-ID": "same", **headers}
    return client.open(ask.path, method=ask.method, json=ask.body, headers=same)


def told(reply: TestResponse, ids: Ids) -> tuple[int, str, list[tuple[str, str]]]:
    """All of a reply but the ids."""
    text = reply.get_data(as_text=True)
    for name, value in ids.items():
        text = text.replace(value, name)
    changing = ("Content-Length", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    return reply.status_code, text, [h for h in reply.headers if h[0] not in changing]


def unknown(ids: Ids) -> Ids:
    """Ids of the same form that nobody has."""
    return {name: value[:-6] + "000000" for name, value in ids.items()}


def test_to_another_key_it_is_as_if_it_had_never_been(
    client: FlaskClient, upstream: FakeUpstream, ids: Ids
) -> None:
    calls = len(upstream.calls)
    asks = zip(everything(client, ids), everything(client, unknown(ids)), strict=True)
    for real, made_up in asks:
        seen = told(send(client, real, THEIRS), ids)
        assert seen == told(send(client, made_up, THEIRS), unknown(ids)), real
        assert seen[0] == (400 if "previous_response_id" in (real.body or ()) else 404), real
    assert len(upstream.calls) == calls
    assert_untouched(client, ids)


def test_without_a_key_nothing_is_told_of_it(client: FlaskClient, ids: Ids) -> None:
    asks = zip(everything(client, ids), everything(client, unknown(ids)), strict=True)
    for real, made_up in asks:
        seen = told(send(client, real, {}), ids)
        assert seen == told(send(client, made_up, {}), unknown(ids)), real
        assert seen[0] == 401, real
    assert_untouched(client, ids)


def assert_untouched(client: FlaskClient, ids: Ids) -> None:
    """Its maker still finds all of it."""
    reads = [ask for ask in in_paths(client, ids) if ask.method == "GET"]
    assert {send(client, ask, MINE).status_code for ask in reads} == {200}
    assert len({ask.name for ask in reads}) == 8


def test_an_item_is_not_found_by_way_of_a_conversation_of_ones_own(
    client: FlaskClient, ids: Ids
) -> None:
    made = client.post("/v1/conversations", json={}, headers=THEIRS).get_json()
    own = f"/v1/conversations/{made['id']}/items"
    for method in ("GET", "DELETE"):
        told_of = [
            told(send(client, Ask("", method, f"{own}/{known['item_id']}"), THEIRS), known)
            for known in (ids, unknown(ids))
        ]
        assert told_of[0] == told_of[1] and MESSAGE["content"] not in told_of[0][1]
    assert_untouched(client, ids)


def test_lists_have_nothing_of_another_keys(client: FlaskClient, ids: Ids) -> None:
    def listed(headers: dict[str, str]) -> list[str]:
        found = client.get("/v1/chat/completions", headers=headers).get_json()["data"]
        return [each["id"] for each in found]

    assert (listed(MINE), listed(THEIRS)) == ([ids["completion_id"]], [])
    after = "/v1/chat/completions?after="
    behind = [
        told(send(client, Ask("", "GET", after + known["completion_id"]), THEIRS), known)
        for known in (ids, unknown(ids))
    ]
    assert behind[0] == behind[1]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/conversations"])
def test_a_kept_reply_is_not_told_to_another_key(
    client: FlaskClient, upstream: FakeUpstream, path: str
) -> None:
    upstream.enqueue(completion("for the first"), completion("for the second"))
    body = {"/v1/chat/completions": {"messages": [MESSAGE]}, "/v1/responses": {"input": "Hi"}}

    def call(headers: dict[str, str]) -> TestResponse:
        return client.post(
            path, json=body.get(path, {}), headers={"Idempotency-Key": "k", **headers}
        )

    mine, theirs, again = call(MINE), call(THEIRS), call(MINE)
    assert mine.text == again.text != theirs.text
    assert "Idempotent-Replayed" not in theirs.headers
    assert call({}).status_code == 401
