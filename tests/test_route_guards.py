"""Who may call what: denied by default, and said where a blueprint is registered."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from chat_api import create_app, routes
from chat_api.settings import Settings
from chat_api.web.auth import Keys, allow_anyone, require_key
from chat_api.wiring import Services
from tests.odd_keys import CALLERS_KEY, KEY, ODD_KEYS, OTHER_KEY, UPSTREAM_KEY, Odd

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
KEYS = (KEY, OTHER_KEY)


@pytest.fixture
def guarded(services: Services) -> Flask:
    return create_app(Settings(api_keys=KEYS, openai_api_key=UPSTREAM_KEY), services)


def endpoints(app: Flask) -> list[tuple[str, str, str]]:
    """Endpoint, method and a path of each route."""
    values = {"index": 0, "model": "some/model", "name": "docs.css"}
    urls = app.url_map.bind("")
    found = []
    for rule in app.url_map.iter_rules():
        arguments = {name: values.get(name, "some") for name in rule.arguments}
        path = urls.build(rule.endpoint, arguments)
        found += [(rule.endpoint, method, path) for method in sorted(rule.methods or ())]
    return found


def ask(app: Flask, path: str, method: str, odd: Odd) -> TestResponse:
    headers = Headers([(name, value.decode("latin-1")) for name, value in odd.headers])
    kind = "application/json" if odd.body else None
    return app.test_client().open(
        path,
        method=method,
        headers=headers,
        query_string=odd.query,
        data=odd.body,
        content_type=kind,
    )


def test_every_endpoint_is_in_the_guard_table(app: Flask) -> None:
    bare = Flask("bare")
    guards = routes.init_app(bare, require_key=require_key(Keys(())))
    assert set(guards) == set(app.view_functions)
    assert {name for name, guard in guards.items() if guard is allow_anyone} == PUBLIC


def test_a_route_that_no_table_names_wants_a_key(guarded: Flask) -> None:
    guarded.add_url_rule("/new", "new", lambda: "secret")
    assert guarded.test_client().get("/new").status_code == 401


@pytest.mark.parametrize("name", ["none", "a suffix"])
def test_no_endpoint_but_the_public_ones_opens_to_a_wrong_key(guarded: Flask, name: str) -> None:
    """OPTIONS asks for the methods of a route and runs nothing; HEAD runs what GET does. (All odd
    keys at all endpoints: `tests/integration/test_odd_keys.py`.)"""
    for endpoint, method, path in endpoints(guarded):
        reply = ask(guarded, path, method, ODD_KEYS[name])
        case = (endpoint, method, reply.status)
        assert (reply.status_code != 401) == (endpoint in PUBLIC or method == "OPTIONS"), case
        assert reply.status_code < 500, case
        assert "Access-Control-Allow-Origin" in reply.headers, case


@pytest.mark.parametrize("path", ["/ask", "/api/chat", "/v1/chat/completions", "/chat"])
def test_an_odd_key_is_refused_in_the_familys_shape_and_not_repeated(
    guarded: Flask, path: str
) -> None:
    for name, odd in ODD_KEYS.items():
        reply = ask(guarded, path, "POST", odd)
        assert reply.status_code == 401, name
        told = f"{reply.text} {reply.headers}"
        assert not any(key in told for key in (*KEYS, UPSTREAM_KEY, CALLERS_KEY)), name
        assert_refused_in_its_shape(path, reply)


def assert_refused_in_its_shape(path: str, reply: TestResponse) -> None:
    body = reply.get_json()
    if path.startswith("/v1/"):
        error = body["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
    elif path.startswith("/api/"):
        assert set(body) == {"detail"}
    elif path == "/ask":
        assert set(body) == {"role", "content", "error", "details"}
    else:
        assert set(body) == {"error"}


def test_the_same_requests_pass_with_a_key(guarded: Flask) -> None:
    """Else the test above would hold for a server that is shut to everybody."""
    for endpoint, method, path in endpoints(guarded):
        reply = ask(guarded, path, method, Odd((("x-api-key", KEY.encode()),)))
        assert reply.status_code != 401, (endpoint, method)


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}", "BEARER   {} ", "Bearer {}\t"])
def test_each_key_opens_by_either_header(guarded: Flask, key: str, form: str) -> None:
    header = "x-api-key" if form == "{}" else "Authorization"
    value = form.format(key).encode().decode("latin-1")
    assert guarded.test_client().get("/models", headers={header: value}).status_code == 200


def test_a_key_may_end_in_any_letter(services: Services) -> None:
    keys = tuple(f"canary-key-{chr(code)}" for code in range(0xC0, 0x180))
    client = create_app(Settings(api_keys=keys), services).test_client()
    for key in keys:
        value = f"Bearer {key}".encode().decode("latin-1")
        assert client.get("/models", headers={"Authorization": value}).status_code == 200, key


def test_each_key_stands_for_an_owner_of_its_own() -> None:
    keys = Keys(KEYS)
    owners = [keys.match(key.encode().decode("latin-1")) for key in KEYS]
    assert len({*owners, keys.match("wrong")}) == 3 and "" not in owners
    assert not any(key in owner for key in KEYS for owner in owners)
    assert owners[0] == Keys(KEYS[:1]).match(KEYS[0].encode().decode("latin-1"))


def test_keys_are_compared_in_constant_time(mocker: object, guarded: Flask) -> None:
    spy = mocker.patch("chat_api.web.auth.hmac.compare_digest", return_value=False)  # type: ignore[attr-defined]
    assert not Keys(KEYS).match("x")
    assert [type(argument) for call in spy.call_args_list for argument in call.args] == [bytes] * 4
