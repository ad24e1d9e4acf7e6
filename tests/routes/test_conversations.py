"""`/v1/conversations`."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from openai.types.conversations import Conversation, ConversationItemList

from tests.fakes import FakeUpstream, completion

URL = "/v1/conversations"
ITEM = {"role": "user", "content": "Hi"}


def begin(client: FlaskClient, **body: Any) -> str:
    reply = client.post(URL, json=body)
    assert reply.status_code == 200
    return str(reply.json["id"])


def test_it_begins_with_nothing_or_with_items(client: FlaskClient) -> None:
    bare = client.post(URL)
    assert Conversation.model_validate(bare.json).metadata == {}
    conversation_id = begin(client, items=[ITEM, ITEM], metadata={"a": "b"})
    assert client.get(f"{URL}/{conversation_id}").json["metadata"] == {"a": "b"}
    listed = client.get(f"{URL}/{conversation_id}/items?order=asc").json
    ConversationItemList.model_validate(listed)
    assert [item["content"][0]["text"] for item in listed["data"]] == ["Hi", "Hi"]
    assert (listed["first_id"], listed["last_id"]) == tuple(item["id"] for item in listed["data"])


def test_an_item_that_is_referred_to_is_taken_over(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    first = begin(client, items=[ITEM])
    (item,) = client.get(f"{URL}/{first}/items").json["data"]
    reference = {"type": "item_reference", "id": item["id"]}
    second = begin(client, items=[reference])
    added = client.post(f"{URL}/{second}/items", json={"items": [{"id": item["id"]}]})
    assert added.json["data"] == [item]
    assert client.get(f"{URL}/{second}/items").json["data"] == [item, item]
    upstream.enqueue(completion())
    asked = {"input": "And?", "conversation": second, "store": False}
    assert client.post("/v1/responses", json=asked).status_code == 200
    said = [message["content"] for message in upstream.calls[0].body["messages"]]
    assert said == ["Hi", "Hi", "And?"]


def test_an_item_that_is_gone_cannot_be_taken_over(client: FlaskClient) -> None:
    items = [ITEM, {"type": "item_reference", "id": "msg_none"}]
    for path in ("", f"/{begin(client)}/items"):
        reply = client.post(URL + path, json={"items": items})
        assert (reply.status_code, reply.json["error"]["param"]) == (404, "items[1].id")


def test_an_empty_list_has_no_first_and_no_last(client: FlaskClient) -> None:
    listed = client.get(f"{URL}/{begin(client)}/items").json
    assert listed == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("", {"items": "x"}, "items"),
        ("", {"items": [ITEM] * 21}, "items"),
        ("", {"items": [1]}, "items[0]"),
        ("", {"items": [{"type": "web_search_call"}]}, "items[0].type"),
        ("", {"metadata": {"a": 1}}, "metadata.a"),
        ("", {"metadata": []}, "metadata"),
        ("/{id}", {}, "metadata"),
        ("/{id}", {"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ("/{id}/items", {}, "items"),
        ("/{id}/items", {"items": []}, "items"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(client: FlaskClient, path: str, body: Any, param: str) -> None:
    reply = client.post(URL + path.format(id=begin(client)), json=body)
    assert (reply.status_code, reply.json["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("order=up", "order"), ("after=x", "after")],
)
def test_a_wrong_page_is_named(client: FlaskClient, query: str, param: str) -> None:
    reply = client.get(f"{URL}/{begin(client)}/items?{query}")
    assert (reply.status_code, reply.json["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "conv_x"),
        ("DELETE", "conv_x"),
        ("GET", "conv_x/items"),
        ("GET", "conv_x/items/msg_x"),
        ("DELETE", "conv_x/items/msg_x"),
    ],
)
def test_what_is_not_there_is_a_404(client: FlaskClient, method: str, path: str) -> None:
    reply = client.open(f"{URL}/{path}", method=method)
    assert reply.status_code == 404
    assert set(reply.json["error"]) == {"message", "type", "param", "code"}
