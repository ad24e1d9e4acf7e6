"""Every documented field below `/v1`, given every wrong value that can be made up: always OpenAI's
four-key error, and it names the field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from chat_api.web.openapi import describe
from chat_api.wiring import Services
from tests.fakes import FakeUpstream

NASTY: list[Any] = [True, 0, -1, 17, 2**31, 0.5, 1e300, "", " ", "x", "\x00", "x" * 300]
NASTY += [[], [None], [1], ["x"], [[]], [{}], [{"type": "x"}], {}, {"x": 1}, {"type": "x"}]
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20)
JSON = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
VALUES = st.sampled_from(NASTY) | JSON


def documented(app: Flask) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The path of each POST below `/v1`, its body's schema, and a good body."""
    document = describe(app, {"title": "x"})
    for path, operations in document["paths"].items():
        body = operations.get("post", {}).get("requestBody")
        if path.startswith("/v1/") and body:
            content = body["content"]["application/json"]
            schema = {**content["schema"], "components": document["components"]}
            yield path, schema, next(iter(content["examples"].values()))["value"]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference leads to."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schema["components"]["schemas"][name] if name else schema
    return found


@pytest.fixture
def fields(app: Flask) -> list[tuple[str, str, Draft202012Validator, dict[str, Any]]]:
    """Path, field, what the field takes, and a good body."""
    found = []
    for path, schema, example in documented(app):
        for name, shape in resolved(schema)["properties"].items():
            whole = {**shape, "components": schema["components"]}
            found.append((path, name, Draft202012Validator(whole), example))
    assert len({path for path, *_ in found}) >= 6 and len(found) >= 50
    return found


def test_a_wrong_value_of_any_field_is_openais_error(
    fields: list[Any], client: FlaskClient, upstream: FakeUpstream, services: Services
) -> None:
    """A hundred and more values for each field; what the description takes is left out."""
    checked: dict[tuple[str, str], int] = {}

    @settings(
        max_examples=120,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
    )
    @given(value=VALUES)
    def check(value: Any) -> None:
        for path, name, takes, example in fields:
            if takes.is_valid(value):
                continue
            body = json.dumps({**example, name: value}).encode()
            reply = client.post(
                path.replace("{", "x").replace("}", "x"),
                data=body,
                content_type="application/json",
            )
            assert reply.status_code == 400, (path, name, value, reply.get_json())
            error = reply.get_json()["error"]
            assert set(error) == {"message", "type", "param", "code"}
            assert error["type"] == "invalid_request_error" and error["message"]
            assert str(error["param"]).startswith(name), (path, name, value, error)
            checked[path, name] = checked.get((path, name), 0) + 1

    check()
    assert not upstream.calls
    assert checked.keys() == {(path, name) for path, name, *_ in fields}
