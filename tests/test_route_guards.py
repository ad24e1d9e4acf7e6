"""Who may call what: denied by default, and said where a blueprint is registered."""

from __future__ import annotations

import pytest
from flask import Flask

from chat_api import create_app, routes
from chat_api.settings import Settings
from chat_api.web.auth import Keys, allow_anyone, require_key
from chat_api.wiring import Services

PUBLIC = {
    "info.index",
    "info.retrieve",
    "docs.openapi",
    "docs.swagger",
    "docs.redoc",
    "docs.retrieve",
    "docs.websocket",
    "page.retrieve",
    "page.static",
    "health.retrieve",
    "health.live",
    "health.ready",
    "api_health.retrieve",
}
KEYS = ("first-key", "zweiter-schlüssel")
WRONG = [
    {},
    {"x-api-key": ""},
    {"x-api-key": "first"},
    {"x-api-key": "first-key "},
    {"x-api-key": "FIRST-KEY"},
    {"x-api-key": "first-key,zweiter-schlüssel"},
    {"x-api-key": "ключ"},
    {"Authorization": "first-key"},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer first-keyx"},
    {"Authorization": "Basic first-key"},
    {"Authorization": "Bearer sk-of-the-callers"},
]


@pytest.fixture
def guarded(services: Services) -> Flask:
    return create_app(Settings(api_keys=KEYS), services)


def endpoints(app: Flask) -> list[tuple[str, str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<path:model>", "some/model")
        path = path.replace("<path:session_id>", "some-session").replace("<int:index>", "0")
        path = path.replace("<path:name>", "some/file.css")
        found += [(rule.endpoint, method, path) for method in rule.methods or ()]
    return found


def test_every_endpoint_is_in_the_guard_table(app: Flask) -> None:
    bare = Flask("bare")
    guards = routes.init_app(bare, require_key=require_key(Keys(())))
    assert set(guards) == set(app.view_functions)
    assert {name for name, guard in guards.items() if guard is allow_anyone} == PUBLIC


def test_a_route_that_no_table_names_wants_a_key(guarded: Flask) -> None:
    guarded.add_url_rule("/new", "new", lambda: "secret")
    assert guarded.test_client().get("/new").status_code == 401


@pytest.mark.parametrize("headers", WRONG, ids=str)
def test_no_endpoint_but_the_public_ones_opens_to_a_wrong_key(
    guarded: Flask, headers: dict[str, str]
) -> None:
    client = guarded.test_client()
    encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    for endpoint, method, path in endpoints(guarded):
        reply = client.open(path, method=method, headers=encoded)
        expected = endpoint in PUBLIC or method == "OPTIONS"
        assert (reply.status_code != 401) == expected, (endpoint, method)
        assert "Access-Control-Allow-Origin" in reply.headers


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("header", ["x-api-key", "Authorization"])
def test_each_key_opens_by_either_header(guarded: Flask, key: str, header: str) -> None:
    value = key.encode().decode("latin-1")
    value = f"Bearer {value}" if header == "Authorization" else value
    assert guarded.test_client().get("/models", headers={header: value}).status_code == 200


def test_a_401_has_the_shape_of_its_family(guarded: Flask) -> None:
    client = guarded.test_client()
    assert set(client.post("/chat").get_json()) == {"error"}
    error = client.post("/v1/chat/completions").get_json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")


def test_each_key_stands_for_an_owner_of_its_own() -> None:
    keys = Keys(KEYS)
    owners = [keys.match(key.encode().decode("latin-1")) for key in KEYS]
    assert len({*owners, keys.match("wrong")}) == 3 and "" not in owners
    assert not any(key in owner for key in KEYS for owner in owners)
    assert owners[0] == Keys(KEYS[:1]).match(KEYS[0])  # after a restart with other keys too


def test_keys_are_compared_in_constant_time(mocker: object, guarded: Flask) -> None:
    spy = mocker.patch("chat_api.web.auth.hmac.compare_digest", return_value=False)  # type: ignore[attr-defined]
    assert not Keys(KEYS).match("x")
    assert [type(argument) for call in spy.call_args_list for argument in call.args] == [bytes] * 4
