"""A chat that always has a session: when it is made, what it is told, what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chat_api import errors
from chat_api.services.chat import RecordedStream
from chat_api.services.clients import Client
from chat_api.services.session_chat import SessionChat
from chat_api.services.sessions import MOST_SESSION_BYTES, exchange_of
from chat_api.settings import Settings
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream, WatchedUpstream, chunk, chunks
from tests.services.gateways import gateway_to

ME = Client(owner="me")
DEVELOPER = {"role": "developer", "content": "Be brief."}


def begin(services: Services, client: Client = ME, **request: Any) -> RecordedStream:
    return services.session_chat.stream({"user_message": "Hi", **request}, client)


def finish(services: Services, **request: Any) -> str:
    """The session's id, behind a whole answer."""
    stream = begin(services, **request)
    for _ in stream:
        pass
    return stream.session_id


def retrieve(services: Services, session_id: str) -> dict[str, Any]:
    return services.sessions.retrieve(session_id, ME)


def test_a_session_is_made_where_none_was_given(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(chunks("Hel", "lo"))
    session_id = finish(services, developer_message="Be brief.", model="m", api_key=None)
    found = retrieve(services, session_id)
    assert found["messages"] == exchange_of("Hi", "Hello")
    assert found["developer_message"] == "Be brief."
    body = upstream.calls[0].body
    assert set(body) == {"messages", "model", "stream", "stream_options"}
    assert body["messages"] == [DEVELOPER, {"role": "user", "content": "Hi"}]


def test_a_session_goes_on_with_its_history_and_developer_message(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("one"), chunks("two"))
    session_id = finish(services, developer_message="Be brief.")
    again = finish(services, session_id=session_id, user_message="More", developer_message=None)
    assert again == session_id and services.sessions.count() == 1
    history = [DEVELOPER, *exchange_of("Hi", "one")]
    assert upstream.calls[1].body["messages"] == [*history, {"role": "user", "content": "More"}]


def test_a_long_history_is_cut(services: Services, upstream: FakeUpstream) -> None:
    upstream.context_tokens = 1000  # 3,000 bytes for the prompt
    upstream.enqueue(chunks("x" * 2000), chunks("y" * 2000), chunks("z"))
    session_id = finish(services, developer_message="Be brief.")
    finish(services, session_id=session_id)
    finish(services, session_id=session_id)
    texts = [message["content"] for message in upstream.calls[2].body["messages"]]
    assert texts == ["Be brief.", "Hi", "y" * 2000, "Hi"]


@pytest.mark.parametrize("text", ["Be long.", "", " \n"])
@pytest.mark.parametrize("before", ["Be brief.", None])
def test_a_developer_message_replaces_the_sessions_from_now_on(
    services: Services, upstream: FakeUpstream, before: str | None, text: str
) -> None:
    upstream.enqueue(chunks("one"), chunks("two"), chunks("three"))
    session_id = finish(services, developer_message=before)
    finish(services, session_id=session_id, developer_message=text)
    finish(services, session_id=session_id)
    told = "Be long." if text == "Be long." else None
    assert retrieve(services, session_id)["developer_message"] == told
    for call in upstream.calls[1:]:
        developers = [m["content"] for m in call.body["messages"] if m["role"] == "developer"]
        assert developers == ([told] if told else [])


def test_the_change_is_there_when_the_headers_leave_and_stays_whatever_becomes_of_the_answer(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("one"), [chunk({"content": "Hel"})])
    session_id = finish(services, developer_message="Be brief.")
    stream = begin(services, session_id=session_id, developer_message="Be long.")
    assert retrieve(services, session_id)["developer_message"] == "Be long."
    with pytest.raises(errors.UpstreamBroken):
        list(stream)
    found = retrieve(services, session_id)
    assert (found["developer_message"], found["message_count"]) == ("Be long.", 2)


def test_a_call_that_is_refused_leaves_everything_as_it_was(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("one"), *[[errors.UpstreamRefused("No.", 400)]] * 2)
    session_id = finish(services, developer_message="Be brief.")
    for request in ({"session_id": session_id, "developer_message": "Be long."}, {}):
        with pytest.raises(errors.UpstreamRefused):
            begin(services, **request)
    assert retrieve(services, session_id)["developer_message"] == "Be brief."
    assert services.sessions.count() == 1


def test_a_session_is_not_made_before_the_first_piece(
    settings: Settings,
) -> None:
    counts: list[int] = []
    upstream = WatchedUpstream(lambda: counts.append(services.sessions.count()))
    services = build_services(settings, upstream)
    upstream.enqueue(chunks("one"))
    begin(services).close()
    assert (counts, services.sessions.count()) == ([0], 1)
    services.database.close()


def test_a_session_is_there_when_the_headers_leave_without_a_first_piece(
    services: Services, upstream: FakeUpstream
) -> None:
    gateway = gateway_to(upstream, grace_seconds=0.01)
    chat = SessionChat(gateway, services.sessions, services.caller_keys)
    upstream.enqueue([0.1, *chunks("late")])
    stream = chat.stream({"user_message": "Hi"}, ME)
    assert retrieve(services, stream.session_id)["messages"] == []
    assert [len(events) for events in stream][0] == 0
    assert retrieve(services, stream.session_id)["messages"] == exchange_of("Hi", "late")


def test_a_stream_whose_session_cannot_be_made_is_closed(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    services = build_services(Settings(data_dir=str(tmp_path / "file" / "data")), upstream)
    upstream.enqueue(chunks("one"))
    with pytest.raises(errors.StoreUnavailable):
        begin(services)
    assert upstream.streams[0].closed and services.gateway.admissions.in_flight == 0


def test_a_session_deleted_before_the_answer_begins_is_not_found(
    settings: Settings,
) -> None:
    upstream = WatchedUpstream(lambda: services.sessions.delete(session_id, ME))
    services = build_services(settings, upstream)
    session_id = services.sessions.create({}, ME)["session_id"]
    upstream.enqueue(chunks("one"))
    with pytest.raises(errors.SessionNotFound):
        begin(services, session_id=session_id, developer_message="Be long.")
    assert upstream.streams[0].closed and services.sessions.count() == 0
    services.database.close()


@pytest.mark.parametrize("session_id", ["", "x", "A" * 24, "' OR '1'='1", "../x", "x" * 10_000])
def test_an_unknown_session_is_not_found_and_nobody_is_asked(
    services: Services, upstream: FakeUpstream, session_id: str
) -> None:
    with pytest.raises(errors.SessionNotFound):
        begin(services, session_id=session_id)
    assert not upstream.calls and services.sessions.count() == 0


def test_another_keys_session_is_not_found(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(chunks("one"))
    session_id = finish(services)
    with pytest.raises(errors.SessionNotFound):
        begin(services, Client(owner="you"), session_id=session_id)


@pytest.mark.parametrize("name", ["user_message", "developer_message"])
def test_no_text_is_longer_than_a_session(services: Services, name: str) -> None:
    long = "ä" * (MOST_SESSION_BYTES // 2 + 1)
    with pytest.raises(errors.InvalidRequest, match=f"`{name}` must not be longer"):
        begin(services, **{name: long})


def test_a_key_in_the_body_is_used_for_this_call_only(
    services: Services, upstream: FakeUpstream, openai_upstream: FakeUpstream
) -> None:
    key = "sk-proj-" + "k" * 156
    openai_upstream.enqueue(chunks("one"))
    upstream.enqueue(chunks("two"))
    session_id = finish(services, api_key=key)
    finish(services, session_id=session_id)
    assert openai_upstream.calls[0].caller_key == key and upstream.calls[0].caller_key is None
    assert key not in str(upstream.calls[0].body) + str(openai_upstream.calls[0].body)
    assert key not in str(retrieve(services, session_id))


def test_a_key_of_the_wrong_form_ends_it_before_anything_else(
    services: Services, upstream: FakeUpstream, openai_upstream: FakeUpstream
) -> None:
    with pytest.raises(errors.InvalidRequest, match="Invalid API Key format"):
        begin(services, api_key="sk-x", session_id="unknown")
    assert not upstream.calls and not openai_upstream.calls
