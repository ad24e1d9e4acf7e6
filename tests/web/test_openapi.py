"""The description is valid, and names what the server serves and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chat_api import __version__, create_app
from chat_api.errors import ChatApiError, UpstreamError, UpstreamKeyRefused
from chat_api.routes.info import THEME
from chat_api.schemas.shapes import ROLES
from chat_api.settings import Settings
from chat_api.web.errors import TOLD, family
from chat_api.web.failures import A_MODEL_CALL, error_responses
from chat_api.wiring import Services

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").get_json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def as_openapi(rule: str) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule)


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


def test_the_description_is_valid(document: dict[str, Any]) -> None:
    # Its import builds grammars for a second or two: no other test shall wait for that.
    from openapi_spec_validator import OpenAPIV31SpecValidator

    OpenAPIV31SpecValidator(document).validate()


def test_it_describes_the_routes_that_are_served_and_no_others(
    document: dict[str, Any], app: Flask
) -> None:
    served = {
        f"{method} {as_openapi(rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(operations(document)) == served


def test_its_head_says_what_this_is(document: dict[str, Any]) -> None:
    info = document["info"]
    assert (info["title"], info["version"]) == ("OpenAI Chat API", __version__)
    assert info["x-theme"] == THEME and info["license"]["name"] == "MIT" and info["description"]


def test_every_operation_is_told_of_in_words(document: dict[str, Any]) -> None:
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    for name, operation in operations(document).items():
        assert operation["summary"] and len(operation["summary"]) <= 60, name
        assert all(tags[tag] for tag in operation["tags"]), name
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))


def test_every_field_is_described(document: dict[str, Any]) -> None:
    for name, shape in document["components"]["schemas"].items():
        assert shape.get("description"), name
        if name not in ("MessagePart", "InputPart", "ChatEvent", "ChatCompletionChunk"):
            for field, inside in shape.get("properties", {}).items():
                assert inside.get("description") or "$ref" in inside, (name, field)


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for body in bodies for media in body.get("content", {}).values()):
            assert media.keys() & {"example", "examples"}, name


def test_fields_have_their_bounds(document: dict[str, Any]) -> None:
    fields = schema(document, "ChatCompletionRequest")["properties"]
    assert (fields["n"]["type"], fields["n"]["minimum"], fields["n"]["maximum"]) == (
        ["integer", "null"],
        1,
        16,
    )
    assert fields["temperature"]["maximum"] == 2 and fields["stream"]["type"] == ["boolean", "null"]
    assert fields["messages"]["minItems"] == 1
    assert schema(document, "Message")["properties"]["role"]["enum"] == list(ROLES)
    assert schema(document, "ChatRequest")["properties"]["message"]["minLength"] == 1


def test_unknown_fields_pass_on_v1_and_do_no_harm_elsewhere(document: dict[str, Any]) -> None:
    assert schema(document, "ChatCompletionRequest")["additionalProperties"] is True
    assert "additionalProperties" not in schema(document, "ChatRequest")


def test_a_key_is_asked_for_where_the_guards_ask(services: Services) -> None:
    for keys, chat in (
        ((), [{}, {"key": []}, {"bearer": []}]),
        (("k",), [{"key": []}, {"bearer": []}]),
    ):
        client = create_app(Settings(api_keys=keys), services).test_client()
        found = operations(client.get("/openapi.json").get_json())
        assert found["POST /chat"]["security"] == chat
        assert found["GET /openapi.json"]["security"] == []


def test_streams_are_bodies_of_their_own_kind(document: dict[str, Any]) -> None:
    def kinds(name: str) -> set[str]:
        return set(operations(document)[name]["responses"]["200"]["content"])

    assert kinds("POST /chat/stream") == {"text/event-stream"}
    assert kinds("POST /ask") == {"text/plain", "text/event-stream"}
    assert kinds("POST /v1/chat/completions") == {"application/json", "text/event-stream"}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/ask", "/chat", "/api/sessions"])
def test_every_error_that_can_be_told_is_described_with_its_status(path: str) -> None:
    ours = family(path)
    for error, told in TOLD.items():
        status = told.relayed_status if ours.keeps_statuses else told.plain_status
        assert str(status) in error_responses((error,), ours), error


def test_what_a_model_call_may_raise_includes_every_failure_of_an_upstream() -> None:
    def kinds(error: type[ChatApiError]) -> set[type[ChatApiError]]:
        return {error}.union(*(kinds(kind) for kind in error.__subclasses__()))

    described = error_responses(A_MODEL_CALL, family("/v1/x"))
    texts = " ".join(reply["description"] for reply in described.values())
    for error in kinds(UpstreamError) & TOLD.keys():
        assert str(TOLD[error].relayed_status) in described
        if error is UpstreamKeyRefused:
            continue  # told by whose key it is
        assert " ".join((error.__doc__ or "").split()).split(". ")[0].rstrip(".") in texts
    assert described["401"]["description"] == "The upstream refused your own key."
    assert "refused the server's key." in described["502"]["description"]
