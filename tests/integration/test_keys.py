"""`API_KEY` and `ALLOW_ORIGINS` on a real server: who may call what, and whose key goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.doors import CHAT, DOORS, V1, Door
from tests.integration.wire import Reply, get, send
from tests.scripted import ScriptedUpstream
from tests.servers import Server, gunicorn

FIRST, SECOND = "sk-canary-first", "canary-schlüssel"
ORIGIN = "http://localhost:3000"
PUBLIC = ["/", "/info", "/health", "/health/live", "/health/ready", "/api/health"]
GUARDED = ["/models", "/v1/models", "/v1/models/gpt-4o", "/api/sessions/x"]


def header(key: str) -> str:
    """A key as `http.client` sends it: UTF-8, whatever it is read as."""
    return key.encode().decode("latin-1")


@pytest.fixture(scope="module")
def closed(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with gunicorn(
        tmp_path_factory.mktemp("closed"),
        OPENAI_BASE_URL=upstream.url,
        OPENAI_API_KEY="sk-canary-of-the-server",
        API_KEY=f"{FIRST}, {SECOND}",
        ALLOW_ORIGINS=f"{ORIGIN},https://other.example",
        WEB_CONCURRENCY="1",
    ) as server:
        yield server


def assert_turned_away(reply: Reply) -> None:
    assert reply.status == 401, reply.body
    assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Request-ID" in reply.headers["Access-Control-Expose-Headers"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_public_routes_want_no_key(closed: Server) -> None:
    for path in PUBLIC:
        # The disk of a busy machine may take longer than readiness waits for it.
        told = (200, 503) if path == "/health/ready" else (200,)
        assert get(closed, path).status in told, path


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"x-api-key": FIRST[:-1]},
        {"x-api-key": f"{FIRST}, {header(SECOND)}"},
        {"x-api-key": "\xff\xfe"},
        {"Authorization": "Bearer sk-canary-of-the-caller"},
        {"Authorization": f"Basic {FIRST}"},
    ],
    ids=str,
)
def test_all_others_want_one_and_say_so_to_browsers_too(
    closed: Server, upstream: ScriptedUpstream, given: dict[str, str]
) -> None:
    before = len(upstream.exchanges)
    headers = {"Origin": ORIGIN, **given}
    for path in GUARDED:
        assert_turned_away(send(closed, path, method="GET", headers=headers))
    for door in DOORS:
        reply = send(closed, door.path, door.body(), headers=headers)
        assert_turned_away(reply)
        assert "key" in door.error_text(reply.body)
    reply = send(closed, "/api/sessions", {}, headers=headers)
    assert_turned_away(reply)
    assert list(reply.json) == ["detail"]
    assert len(upstream.exchanges) == before


@pytest.mark.parametrize("key", [FIRST, SECOND])
@pytest.mark.parametrize("name", ["x-api-key", "Authorization"])
def test_each_key_opens_every_door_and_goes_no_further(
    closed: Server, upstream: ScriptedUpstream, key: str, name: str
) -> None:
    value = f"Bearer {header(key)}" if name == "Authorization" else header(key)
    for door in DOORS:
        assert send(closed, door.path, door.body(), headers={name: value}).status == 200
        assert upstream.exchanges[-1].headers["authorization"] == "Bearer sk-canary-of-the-server"
    assert send(closed, "/models", method="GET", headers={name: value}).status == 200


@pytest.mark.parametrize(
    ("bearer", "goes_on"),
    [
        ("sk-canary-of-the-caller", "sk-canary-of-the-caller"),
        ("any-other-form", "sk-canary-of-the-server"),
        (FIRST, "sk-canary-of-the-server"),
    ],
)
def test_a_key_beside_ours_is_the_callers_own_for_the_upstream(
    closed: Server, upstream: ScriptedUpstream, bearer: str, goes_on: str
) -> None:
    headers = {"x-api-key": header(SECOND), "Authorization": f"Bearer {bearer}"}
    for door in DOORS:
        assert send(closed, door.path, door.body(), headers=headers).status == 200
        assert upstream.exchanges[-1].headers["authorization"] == f"Bearer {goes_on}"


def test_a_session_is_unknown_to_every_other_key(closed: Server) -> None:
    mine, theirs = {"x-api-key": FIRST}, {"x-api-key": header(SECOND)}
    session_id = send(closed, "/api/sessions", {}, headers=mine).json["session_id"]
    path = f"/api/sessions/{session_id}"
    for method in ("GET", "DELETE"):
        reply = send(closed, path, method=method, headers=theirs)
        assert (reply.status, reply.json) == (404, {"detail": "Session not found"})
    body = {"message": "Hi", "session_id": session_id}
    for door in ("/chat", "/chat/stream"):
        reply = send(closed, door, body, headers=theirs)
        assert (reply.status, reply.json) == (404, {"error": "Session not found"})
    # The caller's upstream key beside it owns nothing.
    both = {**mine, "Authorization": "Bearer sk-canary-of-the-caller"}
    assert send(closed, "/chat", body, headers=both).status == 200
    assert send(closed, path, method="GET", headers=mine).json["message_count"] == 2


@pytest.mark.parametrize("door", [CHAT, V1], ids=["plain", "v1"])
def test_preflights_need_no_key_and_only_listed_origins_may_call(
    closed: Server, door: Door
) -> None:
    path = door.path
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-any"}
    reply = send(closed, path, method="OPTIONS", headers={"Origin": ORIGIN, **asked})
    assert reply.status in (200, 204)
    assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert reply.headers["Access-Control-Allow-Headers"] == "x-any"
    assert reply.headers["Access-Control-Allow-Credentials"] is None
    for method in ("OPTIONS", "POST"):
        headers = {"Origin": "https://stranger.example", "x-api-key": FIRST, **asked}
        body = door.body() if method == "POST" else None
        reply = send(closed, path, body, method=method, headers=headers)
        assert reply.headers["Access-Control-Allow-Origin"] is None
