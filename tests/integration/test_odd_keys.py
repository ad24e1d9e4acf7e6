"""Every route of a closed server, by every method, with every odd key; and paths that might lead
around the guard. As bytes, to two real workers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from chat_api import create_app
from chat_api.settings import Settings
from tests.integration.detours import CLOSED, HEADERS, NOWHERE
from tests.integration.pipelining import Answer, pipeline, request
from tests.integration.wire import get
from tests.odd_keys import (
    CALLERS_KEY,
    CONTROLS,
    KEY,
    ODD_KEYS,
    OTHER_KEY,
    RIGHT,
    UNDERSCORED,
    UPSTREAM_KEY,
    Odd,
)
from tests.scripted import ScriptedUpstream
from tests.servers import Server, gunicorn

PUBLIC = {
    "/",
    "/info",
    "/ui",
    "/static/x",
    "/openapi.json",
    "/docs",
    "/redoc",
    "/docs/assets/x",
    "/docs/websocket",
    "/health",
    "/health/live",
    "/health/ready",
    "/api/health",
}
KEYS = [key.encode() for key in (KEY, OTHER_KEY, UPSTREAM_KEY, CALLERS_KEY)]
ODD_METHODS = ("PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "BREW", "GETS")
Route = tuple[str, str]


@pytest.fixture(scope="module")
def closed(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with gunicorn(
        tmp_path_factory.mktemp("closed"),
        OPENAI_BASE_URL=upstream.url,
        OPENAI_API_KEY=UPSTREAM_KEY,
        API_KEY=f"{KEY},{OTHER_KEY}",
        WEB_CONCURRENCY="2",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def routes(closed: Server) -> list[Route]:
    """Method and path of all that is served, described or not."""
    described = [
        (method.upper(), path)
        for path, methods in get(closed, "/openapi.json").json["paths"].items()
        for method in methods
        if method != "parameters"
    ]
    rules = create_app(Settings(upstream="mock")).url_map.iter_rules()
    mounted = [(method, rule.rule) for rule in rules for method in rule.methods or ()]
    found = {(method, re.sub(r"<int:\w+>", "0", path)) for method, path in described + mounted}
    return sorted({(method, re.sub(r"[<{][^>}]+[>}]", "x", path)) for method, path in found})


def ask(closed: Server, routes: list[Route], odd: Odd) -> list[Answer]:
    headers = [f"{name}: ".encode() + value for name, value in odd.headers]
    query = f"?{odd.query}" if odd.query else ""
    requests = [
        (method, request(method, path + query, *headers, body=odd.body)) for method, path in routes
    ]
    answers = pipeline(closed, requests)
    assert len(answers) == len(routes)
    return answers


def assert_refused(path: str, method: str, answer: Answer) -> None:
    """A 401 in its family's shape."""
    assert answer.status == 401, (method, path, answer)
    if method == "HEAD":
        return
    body = json.loads(answer.body)
    if path.startswith("/v1/"):
        assert set(body["error"]) == {"message", "type", "param", "code"}
    elif path == "/ask":
        assert set(body) == {"role", "content", "error", "details"}
    else:
        assert set(body) == {"detail" if path.startswith("/api/") else "error"}


def is_unready(path: str, answer: Answer) -> bool:
    """The disk of a busy machine may take longer than readiness waits for it."""
    return path == "/health/ready" and answer.status == 503


@pytest.mark.parametrize("odd", [*ODD_KEYS.values(), UNDERSCORED], ids=[*ODD_KEYS, "underscored"])
def test_no_route_opens_to_an_odd_key(
    closed: Server, upstream: ScriptedUpstream, routes: list[Route], odd: Odd
) -> None:
    before = len(upstream.exchanges)
    for (method, path), answer in zip(routes, ask(closed, routes, odd), strict=True):
        if method == "OPTIONS":
            assert (answer.status, answer.body) == (200, b"")
        elif path in PUBLIC:
            assert answer.status in (200, 404) or is_unready(path, answer), (path, answer)
        else:
            assert_refused(path, method, answer)
            assert not any(key in answer.raw for key in KEYS)
    assert len(upstream.exchanges) == before


def test_with_a_right_key_the_same_routes_open(closed: Server, routes: list[Route]) -> None:
    answers = ask(closed, routes, Odd((("x-api-key", RIGHT),)))
    told = zip(routes, answers, strict=True)
    found = {answer.status for (_, path), answer in told if not is_unready(path, answer)}
    assert found == {200, 201, 404, 415}
    assert len(answers) > 100


@pytest.mark.parametrize("method", ODD_METHODS)
def test_no_route_runs_by_a_method_that_it_has_not(
    closed: Server, routes: list[Route], method: str
) -> None:
    override = [b"X-HTTP-Method-Override: GET", b"X-Method-Override: GET", b"X-HTTP-Method: GET"]
    for path in sorted({path for _, path in routes}):
        (answer,) = pipeline(closed, [(method, request(method, path, *override))])
        assert answer.status == 405, (path, answer)


@pytest.mark.parametrize("header", ["x-api-key: ", "Authorization: Bearer "])
@pytest.mark.parametrize("name", CONTROLS)
def test_what_no_header_can_hold_is_no_http(closed: Server, name: str, header: str) -> None:
    for path in ("/models", "/v1/models", "/health"):
        raw = request("GET", path, header.encode() + CONTROLS[name])
        (answer,) = pipeline(closed, [("GET", raw)])
        assert answer.status == 400
        assert not any(key in answer.raw for key in KEYS)


@pytest.mark.parametrize("target", CLOSED + NOWHERE)
def test_no_other_way_to_write_a_path_leads_around_the_guard(closed: Server, target: str) -> None:
    (answer,) = pipeline(closed, [("GET", request("GET", target))])
    assert answer.status in ((401,) if target in CLOSED else (400, 404)), answer
    assert b'"object"' not in answer.body and "location" not in answer.headers


@pytest.mark.parametrize("header", HEADERS)
def test_no_header_leads_around_the_guard(closed: Server, header: str) -> None:
    raw = request("GET", "/v1/models", header.encode())
    if header.startswith("Host"):
        raw = raw.replace(b"Host: x\r\n", b"")
    (answer,) = pipeline(closed, [("GET", raw)])
    assert answer.status == 401
    assert json.loads(answer.body)["error"]["code"] == "invalid_api_key"
