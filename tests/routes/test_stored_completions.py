"""Chat completions that are kept: `store`, and the routes that tell them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from chat_api import create_app, errors
from chat_api.settings import Settings
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream, chunk, chunks, completion

URL = "/v1/chat/completions"
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "me"},
]
STORED = {"messages": MESSAGES, "store": True}


def store(client: FlaskClient, upstream: FakeUpstream, number: int = 1, **more: Any) -> str:
    upstream.enqueue(completion(id=f"chatcmpl-{number}"))
    found: str = client.post(URL, json={**STORED, **more}).get_json()["id"]
    return found


def ids(client: FlaskClient, query: str = "") -> list[str]:
    return [each["id"] for each in client.get(f"{URL}?{query}").get_json()["data"]]


def test_a_stored_completion_is_told_again(client: FlaskClient, upstream: FakeUpstream) -> None:
    store(client, upstream, temperature=0.5, seed=7, metadata={"a": "b"})
    sent = upstream.calls[0].body
    assert "store" not in sent and "metadata" not in sent and sent["seed"] == 7
    told = client.get(f"{URL}/chatcmpl-1").get_json()
    assert completion().items() <= told.items()
    assert (told["metadata"], told["temperature"], told["seed"]) == ({"a": "b"}, 0.5, 7)
    assert told["request_id"] and told["tools"] is None


def test_a_streamed_one_is_stored_before_its_last_event(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("Hel", "lo!"))
    reply = client.post(URL, json={**STORED, "stream": True}, buffered=False)
    for piece in reply.response:
        if b"[DONE]" in piece:
            break
    told = client.get(f"{URL}/chatcmpl-1").get_json()
    reply.close()
    assert told["choices"] == completion()["choices"]
    assert (told["object"], told["usage"]) == ("chat.completion", completion()["usage"])


def test_one_that_broke_off_is_not_stored(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), errors.UpstreamBroken("x")])
    assert b"[DONE]" not in client.post(URL, json={**STORED, "stream": True}).get_data()
    assert ids(client) == []


@pytest.mark.parametrize("store_it", [None, False])
def test_nothing_is_stored_unasked(
    client: FlaskClient, upstream: FakeUpstream, store_it: bool | None
) -> None:
    upstream.enqueue(completion())
    client.post(URL, json={"messages": MESSAGES, "store": store_it, "metadata": {"a": "b"}})
    assert upstream.calls[0].body["metadata"] == {"a": "b"}
    assert ids(client) == []


@pytest.mark.parametrize("given", [None, 5, "", "a/b", "a b", "x" * 129])
def test_one_without_a_usable_id_gets_one(
    client: FlaskClient, upstream: FakeUpstream, given: Any
) -> None:
    upstream.enqueue(completion(id=given), [{**each, "id": given} for each in chunks("Hi")])
    whole = client.post(URL, json=STORED).get_json()["id"]
    streamed = client.post(URL, json={**STORED, "stream": True}).get_data(as_text=True)
    found = ids(client)
    assert found[0] == whole and whole.startswith("chatcmpl-")
    assert streamed.count(f'"id":"{found[1]}"') == len(chunks("Hi")) - 1
    assert client.get(f"{URL}/{found[1]}").status_code == 200


def test_the_list_is_paged_and_filtered(client: FlaskClient, upstream: FakeUpstream) -> None:
    for number in range(1, 5):
        more = {"metadata": {"odd": str(number % 2), "all": "yes"}}
        store(client, upstream, number, model="gpt-4o" if number < 3 else "gpt-4.1", **more)
    first = client.get(f"{URL}?limit=3").get_json()
    assert [each["id"] for each in first["data"]] == ["chatcmpl-1", "chatcmpl-2", "chatcmpl-3"]
    assert (first["object"], first["has_more"]) == ("list", True)
    assert (first["first_id"], first["last_id"]) == ("chatcmpl-1", "chatcmpl-3")
    assert ids(client, "after=chatcmpl-3") == ["chatcmpl-4"]
    assert ids(client, "order=desc&limit=1") == ["chatcmpl-4"]
    assert ids(client, "metadata[odd]=1&metadata[all]=yes") == ["chatcmpl-1", "chatcmpl-3"]
    assert ids(client, "metadata[odd]=1&model=gpt-4.1") == ["chatcmpl-3"]
    assert client.get(f"{URL}?model=none").get_json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_its_messages_are_those_that_were_asked(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    store(client, upstream)
    told = client.get(f"{URL}/chatcmpl-1/messages").get_json()
    first, second = told["data"]
    assert first == {
        "id": "chatcmpl-1-0",
        "role": "system",
        "content": "Be brief.",
        "name": None,
        "content_parts": None,
    }
    assert (second["content"], second["content_parts"]) == (None, MESSAGES[1]["content"])
    assert (told["first_id"], told["last_id"], told["has_more"]) == (
        "chatcmpl-1-0",
        "chatcmpl-1-1",
        False,
    )
    last = client.get(f"{URL}/chatcmpl-1/messages?order=desc&limit=1").get_json()
    assert (last["data"], last["has_more"]) == ([second], True)
    rest = client.get(f"{URL}/chatcmpl-1/messages?after=chatcmpl-1-0").get_json()
    assert rest["data"] == [second]


def test_metadata_is_replaced_as_a_whole(client: FlaskClient, upstream: FakeUpstream) -> None:
    store(client, upstream, metadata={"a": "b"})
    for metadata, told in (({"c": "d"}, {"c": "d"}), (None, {})):
        reply = client.post(f"{URL}/chatcmpl-1", json={"metadata": metadata})
        assert reply.get_json()["metadata"] == told
        assert client.get(f"{URL}/chatcmpl-1").get_json()["metadata"] == told


def test_what_is_deleted_is_gone(client: FlaskClient, upstream: FakeUpstream) -> None:
    store(client, upstream)
    told = {"object": "chat.completion.deleted", "id": "chatcmpl-1", "deleted": True}
    assert client.delete(f"{URL}/chatcmpl-1").get_json() == told
    assert client.delete(f"{URL}/chatcmpl-1").status_code == 404


@pytest.mark.parametrize("unknown", ["chatcmpl-2", "%00", "a%20b", "x" * 500])
def test_one_that_is_not_there_is_not_found(client: FlaskClient, unknown: str) -> None:
    path = f"{URL}/{unknown}"
    replies = [client.get(path), client.delete(path), client.get(f"{path}/messages")]
    replies.append(client.post(path, json={"metadata": {}}))
    for reply in replies:
        assert reply.status_code == 404
        assert reply.get_json()["error"]["code"] is None


def test_one_is_found_by_its_own_key_alone(services: Services, upstream: FakeUpstream) -> None:
    client = create_app(Settings(api_keys=("one", "two")), services).test_client()
    one, two = {"x-api-key": "one"}, {"x-api-key": "two"}
    upstream.enqueue(completion())
    client.post(URL, json=STORED, headers=one)
    assert client.get(f"{URL}/chatcmpl-1", headers=one).status_code == 200
    path = f"{URL}/chatcmpl-1"
    assert client.get(path, headers=two).status_code == 404
    assert client.delete(path, headers=two).status_code == 404
    assert client.post(path, json={"metadata": {}}, headers=two).status_code == 404
    assert client.get(f"{path}/messages", headers=two).status_code == 404
    assert client.get(URL, headers=two).get_json()["data"] == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=1.5", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=", "limit"),
        ("order=up", "order"),
        ("after=chatcmpl-9", "after"),
        ("after=%00", "after"),
        ("metadata=x", "metadata"),
        (f"metadata[{'x' * 65}]=x", "metadata"),
        ("limit[a]=1", "limit"),
        ("model[a]=1", "model"),
    ],
)
def test_bad_queries_are_refused_by_name(client: FlaskClient, query: str, param: str) -> None:
    reply = client.get(f"{URL}?{query}")
    assert reply.status_code == 400
    assert reply.get_json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("extra", "param", "code"),
    [
        ({"store": "yes"}, "store", "invalid_value"),
        ({"store": 1}, "store", "invalid_value"),
        ({"metadata": []}, "metadata", "invalid_value"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_value"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a", "invalid_value"),
        ({"metadata": {"x" * 65: "a"}}, "metadata", "invalid_value"),
        ({"metadata": {str(n): "a" for n in range(17)}}, "metadata", "invalid_value"),
        ({"tools": {}}, "tools", "invalid_value"),
        ({"tools": [{}, 1]}, "tools[1]", "invalid_value"),
        ({"tools": [{}] * 129}, "tools", "array_above_max_length"),
        (
            {"messages": [{"role": "user", "content": "x" * 4_194_304}]},
            "messages",
            "string_above_max_length",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_fields_are_refused_by_name(
    client: FlaskClient, upstream: FakeUpstream, extra: dict[str, Any], param: str, code: str
) -> None:
    reply = client.post(URL, json={**STORED, **extra})
    error = reply.get_json()["error"]
    assert (reply.status_code, error["param"], error["code"]) == (400, param, code)
    assert upstream.calls == []


def test_an_answer_that_the_store_does_not_take_is_a_failure(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings = Settings(data_dir=str(tmp_path / "file"))
    client = create_app(settings, build_services(settings, upstream)).test_client()
    upstream.enqueue(completion(), chunks("Hi"))
    reply = client.post(URL, json=STORED)
    assert (reply.status_code, reply.get_json()["error"]["code"]) == (503, "store_unavailable")
    text = client.post(URL, json={**STORED, "stream": True}).get_data(as_text=True)
    assert "store_unavailable" in text and "[DONE]" not in text
