"""The door of `POST /v1/embeddings`."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from chat_api import errors
from tests.fakes import FakeUpstream, vectors

URL = "/v1/embeddings"
MODEL = {"model": "vectors-1"}


def test_the_upstreams_bytes_are_the_reply(client: FlaskClient, upstream: FakeUpstream) -> None:
    answer = vectors([0.5, 0.25], extra="kept")
    upstream.enqueue(answer)
    body = {**MODEL, "input": "Hi", "user": "u", "task": "search", "encoding_format": None}
    reply = client.post(URL, json=body)
    assert (reply.status_code, reply.mimetype) == (200, "application/json")
    assert reply.get_data() == orjson.dumps(answer)
    assert upstream.calls[0].body == body
    assert reply.headers["x-upstream"] == "fake"


@pytest.mark.parametrize(
    "given", ["Hi", ["Hi", "there"], [1, 0, 3], [[1, 2], [3]], [" "], ["x"] * 2048], ids=len
)
def test_texts_and_token_ids_are_taken(
    client: FlaskClient, upstream: FakeUpstream, given: Any
) -> None:
    count = len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1
    upstream.enqueue(vectors(*[[0.5]] * count))
    reply = client.post(URL, json={**MODEL, "input": given})
    assert reply.status_code == 200
    assert upstream.calls[0].body["input"] == given


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "input", "missing_required_parameter"),
        ({"input": None}, "input", "invalid_value"),
        ({"input": ""}, "input", "invalid_value"),
        ({"input": []}, "input", "invalid_value"),
        ({"input": {}}, "input", "invalid_value"),
        ({"input": 1}, "input", "invalid_value"),
        ({"input": ["x"] * 2049}, "input", "invalid_value"),
        ({"input": ["x", ""]}, "input[1]", "invalid_value"),
        ({"input": ["x", 1]}, "input[1]", "invalid_value"),
        ({"input": ["x", [1]]}, "input[1]", "invalid_value"),
        ({"input": [None]}, "input[0]", "invalid_value"),
        ({"input": [True]}, "input[0]", "invalid_value"),
        ({"input": [1.5]}, "input[0]", "invalid_value"),
        ({"input": [1, "x"]}, "input", "invalid_value"),
        ({"input": [1, -1]}, "input", "invalid_value"),
        ({"input": [1, 2**31]}, "input", "invalid_value"),
        ({"input": [[1], []]}, "input[1]", "invalid_value"),
        ({"input": [[1], [True]]}, "input[1]", "invalid_value"),
        ({"input": "x", "model": ""}, "model", "invalid_value"),
        ({"input": "x", "model": None}, "model", "invalid_value"),
        ({"input": "x", "encoding_format": "int8"}, "encoding_format", "invalid_value"),
        ({"input": "x", "encoding_format": ["float"]}, "encoding_format", "invalid_value"),
        ({"input": "x", "dimensions": 0}, "dimensions", "invalid_value"),
        ({"input": "x", "dimensions": 2.0}, "dimensions", "invalid_value"),
        ({"input": "x", "user": 1}, "user", "invalid_value"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_bad_fields_are_named(
    client: FlaskClient, body: dict[str, Any], param: str, code: str
) -> None:
    reply = client.post(URL, json={**MODEL, **body})
    error = reply.get_json()["error"]
    assert reply.status_code == 400
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


def test_a_model_must_be_named(client: FlaskClient) -> None:
    error = client.post(URL, json={"input": "Hi"}).get_json()["error"]
    assert (error["param"], error["code"]) == ("model", "missing_required_parameter")


def test_an_upstream_that_has_none_is_named(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(errors.InvalidRequest("It has no embeddings.", "model", "unsupported_value"))
    reply = client.post(URL, json={**MODEL, "input": "Hi"})
    assert reply.status_code == 400 and reply.get_json()["error"]["param"] == "model"
