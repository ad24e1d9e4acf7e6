"""`/api/sessions`, `/api/health`, and `session_id` at the other doors, as a front end uses them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from chat_api import create_app
from chat_api.settings import Settings
from chat_api.wiring import build_services
from tests.fakes import FakeUpstream, chunks, completion

FIELDS = {"session_id", "developer_message", "created_at", "last_activity", "message_count"}
NOT_FOUND = (404, {"detail": "Session not found"})
ODD_IDS = [
    "x",
    "A" * 24,
    "A" * 10_000,
    "' OR '1'='1",
    "x'; DROP TABLE sessions; --",
    "../../etc/passwd",
    "..%2F..%2Fetc%2Fpasswd",
    "%00",
    "%F0%9F%90%9A",
    "%FF",
    "a/b/",
    "null",
]


def make(client: FlaskClient, **body: object) -> str:
    session_id: str = client.post("/api/sessions", json=body).get_json()["session_id"]
    return session_id


def test_a_session_from_its_beginning_to_its_end(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    reply = client.post("/api/sessions", json={"developer_message": "Be brief."})
    made = reply.get_json()
    assert reply.status_code == 201 and set(made) == FIELDS
    assert re.fullmatch(r"[\w-]{24}", made["session_id"])
    assert (made["developer_message"], made["message_count"]) == ("Be brief.", 0)
    began = datetime.fromisoformat(made["created_at"])
    assert began.utcoffset() == timedelta(0) and datetime.now(UTC) - began < timedelta(minutes=1)

    upstream.enqueue(completion("Paris."), chunks("Ro", "me."))
    body = {"message": "France?", "session_id": made["session_id"], "messages": []}
    answer = client.post("/chat", json=body).get_json()
    assert [message["content"] for message in answer["conversation"]] == ["France?", "Paris."]
    stream = client.post("/chat/stream", json={**body, "message": "Italy?"})
    assert '"done": true' in stream.get_data(as_text=True)

    path = f"/api/sessions/{made['session_id']}"
    found = client.get(path).get_json()
    assert set(found) == {*FIELDS, "messages"}
    assert [message["content"] for message in found["messages"]] == [
        "France?",
        "Paris.",
        "Italy?",
        "Rome.",
    ]
    assert found["message_count"] == 4 and found["last_activity"] > found["created_at"]
    assert client.get("/api/health").get_json() == {
        "status": "healthy",
        "service": "OpenAI Chat API",
        "provider": "Fake",
        "active_sessions": 1,
    }
    reply = client.delete(path)
    assert (reply.status_code, reply.get_json()) == (200, {"message": "Session deleted"})
    for gone in (client.get(path), client.delete(path)):
        assert (gone.status_code, gone.get_json()) == NOT_FOUND
    assert client.get("/api/health").get_json()["active_sessions"] == 0


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_developer_message_is_none(
    client: FlaskClient, upstream: FakeUpstream, text: str | None
) -> None:
    session_id = make(client, developer_message=text)
    assert client.get(f"/api/sessions/{session_id}").get_json()["developer_message"] is None
    upstream.enqueue(completion())
    client.post("/chat", json={"message": "Hi", "session_id": session_id})
    assert upstream.calls[0].body["messages"] == [{"role": "user", "content": "Hi"}]


def test_the_end_of_a_session_is_dropped_and_it_goes_on(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    session_id = make(client)
    path = f"/api/sessions/{session_id}"
    upstream.enqueue(*map(completion, "abc"))
    for text in ("1", "2", "3"):
        client.post("/chat", json={"message": text, "session_id": session_id})
    reply = client.delete(f"{path}/messages/3")
    assert reply.get_json() == {"message": "Messages deleted", "message_count": 2}
    assert client.delete(f"{path}/messages/2").get_json()["message_count"] == 2
    upstream.enqueue(completion("d"))
    client.post("/chat", json={"message": "4", "session_id": session_id})
    said = [message["content"] for message in client.get(path).get_json()["messages"]]
    assert said == ["1", "a", "4", "d"]
    assert [m["content"] for m in upstream.calls[-1].body["messages"]] == ["1", "a", "4"]


@pytest.mark.parametrize("index", ["-1", "x", "1.5", ""])
def test_a_message_has_a_number(client: FlaskClient, index: str) -> None:
    path = f"/api/sessions/{make(client)}"
    reply = client.delete(f"{path}/messages/{index}")
    assert (reply.status_code, list(reply.get_json())) == (404, ["detail"])
    assert client.get(path).status_code == 200, "it is still there"
    assert client.delete(f"{path}/messages/{10**30}").get_json()["message_count"] == 0


@pytest.mark.parametrize("odd", ODD_IDS, ids=lambda odd: odd[:30])
def test_odd_ids_are_not_found_nor_adopted(client: FlaskClient, odd: str) -> None:
    make(client)
    path = f"/api/sessions/{odd}"
    for reply in (client.get(path), client.delete(path), client.delete(f"{path}/messages/0")):
        assert (reply.status_code, reply.get_json()) == NOT_FOUND
    for path in ("/chat", "/chat/stream"):
        reply = client.post(path, json={"message": "Hi", "session_id": odd})
        assert (reply.status_code, reply.get_json()) == (404, {"error": "Session not found"})
    body = {"session_id": odd, "developer_message": "x"}
    assert client.post("/api/sessions", json=body).get_json()["session_id"] != odd
    assert client.get("/api/health").get_json()["active_sessions"] == 2


@pytest.mark.parametrize("path", ["/chat", "/chat/stream"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"session_id": "x", "messages": [{"role": "user", "content": "a"}]},
            "`session_id` must not be sent together with `messages`.",
        ),
        ({"session_id": 5}, "`session_id` must be a string."),
    ],
    ids=["both", "number"],
)
def test_a_history_comes_from_one_place(
    client: FlaskClient, path: str, body: dict[str, object], text: str
) -> None:
    reply = client.post(path, json={"message": "Hi", **body})
    assert (reply.status_code, reply.get_json()) == (400, {"error": text})


def test_a_developer_message_is_a_text(client: FlaskClient) -> None:
    reply = client.post("/api/sessions", json={"developer_message": 5})
    assert reply.status_code == 400
    assert reply.get_json() == {"detail": "`developer_message` must be a string."}


def test_a_stream_whose_session_was_deleted_ends_with_an_error(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    session_id = make(client)
    upstream.enqueue(chunks("Hel", "lo"))
    body = {"message": "Hi", "session_id": session_id}
    reply = client.post("/chat/stream", json=body, buffered=False)
    client.delete(f"/api/sessions/{session_id}")
    text = reply.get_data(as_text=True)
    reply.close()
    assert text.endswith('data: {"error":"Session not found"}\n\n') and "done" not in text


def test_a_session_belongs_to_the_key_it_was_begun_with(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    def client(*keys: str) -> FlaskClient:
        settings = Settings(api_keys=keys, data_dir=str(tmp_path / "data"))
        return create_app(settings, build_services(settings, upstream)).test_client()

    mine, theirs = {"x-api-key": "mine"}, {"Authorization": "Bearer theirs"}
    closed = client("mine", "theirs")
    body = closed.post("/api/sessions", json={}, headers=mine).get_json()
    path = f"/api/sessions/{body['session_id']}"
    assert closed.get(path, headers=theirs).status_code == 404
    assert closed.delete(path, headers=theirs).status_code == 404
    assert closed.delete(f"{path}/messages/0", headers=theirs).status_code == 404
    assert closed.get(path, headers={**mine, **theirs}).status_code == 200  # x-api-key opened it
    assert closed.get(path, headers={"Authorization": "Bearer mine"}).status_code == 200
    assert closed.get(path).status_code == 401
    assert closed.get("/api/health").status_code == 200
    # The upstream key of a caller owns nothing: open servers know one owner.
    opened = client()
    bearer = {"Authorization": "Bearer sk-own"}
    assert opened.get(path).status_code == opened.get(path, headers=bearer).status_code == 404
    made = opened.post("/api/sessions", json={}, headers=bearer).get_json()
    assert opened.get(f"/api/sessions/{made['session_id']}").status_code == 200
    for app in (closed.application, opened.application):
        app.extensions["chat_api"].database.close()
    stored = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir())
    assert body["session_id"].encode() in stored
    assert b"mine" not in stored and b"sk-own" not in stored


def test_readiness_has_an_entry_for_the_store(client: FlaskClient, tmp_path: Path) -> None:
    checks = client.get("/health/ready").get_json()["checks"]
    assert checks["store"] == {"status": "ok", "detail": "sqlite"}
    (tmp_path / "file").touch()
    settings = Settings(data_dir=str(tmp_path / "file" / "data"))
    reply = (
        create_app(settings, build_services(settings, FakeUpstream()))
        .test_client()
        .get("/health/ready")
    )
    assert reply.status_code == 503
    checks = reply.get_json()["checks"]
    assert (checks["upstream"]["status"], checks["store"]["status"]) == ("ok", "down")
    assert str(tmp_path) not in json.dumps(checks)
