"""Sessions: whose they are, what goes upstream, what is stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat_api.errors import InvalidRequest, SessionNotFound, UpstreamBroken
from chat_api.services.clients import Client
from chat_api.services.sessions import MOST_SESSION_BYTES, exchange_of, prompt
from chat_api.wiring import Services
from tests.fakes import FakeUpstream, chunk, chunks, completion

ME = Client(owner="me")


@pytest.fixture
def session_id(services: Services) -> str:
    made: str = services.sessions.create({"developer_message": "Be brief."}, ME)["session_id"]
    return made


def texts(services: Services, session_id: str) -> list[str]:
    return [m["content"] for m in services.sessions.retrieve(session_id, ME)["messages"]]


def test_the_history_goes_upstream_and_the_exchange_is_stored(
    services: Services, upstream: FakeUpstream, session_id: str
) -> None:
    upstream.enqueue(completion("one"), chunks("t", "wo"))
    first = services.chat.complete({"message": "1", "session_id": session_id}, ME)
    assert first.conversation == exchange_of("1", "one")
    for _ in services.chat.stream({"message": "2", "session_id": session_id}, ME):
        pass
    assert upstream.calls[1].body["messages"] == [
        {"role": "developer", "content": "Be brief."},
        *exchange_of("1", "one"),
        {"role": "user", "content": "2"},
    ]
    assert texts(services, session_id) == ["1", "one", "2", "two"]
    upstream.enqueue(completion("three"))
    third = services.chat.complete({"message": "3", "session_id": session_id}, ME)
    assert [m["content"] for m in third.conversation] == ["1", "one", "2", "two", "3", "three"]


def test_an_exchange_is_there_before_the_end_of_its_stream_is_told(
    services: Services, upstream: FakeUpstream, session_id: str
) -> None:
    upstream.enqueue(chunks("two"))
    stream = services.chat.stream({"message": "1", "session_id": session_id}, ME)
    events = iter(stream)
    assert [len(texts(services, session_id)) for _ in events] == [0, 0, 0]
    assert len(texts(services, session_id)) == 2
    assert stream.usage and stream.model


@pytest.mark.parametrize(
    "steps",
    [[chunk({"content": "Hel"})], [chunk({"content": "Hel"}), UpstreamBroken("It broke off.")]],
    ids=["no finish_reason", "an error"],
)
def test_an_answer_that_broke_off_is_not_stored(
    services: Services, upstream: FakeUpstream, session_id: str, steps: list[object]
) -> None:
    upstream.enqueue(steps)
    with pytest.raises(UpstreamBroken):
        list(services.chat.stream({"message": "1", "session_id": session_id}, ME))
    assert texts(services, session_id) == []


def test_an_answer_that_nobody_heard_to_its_end_is_not_stored(
    services: Services, upstream: FakeUpstream, session_id: str
) -> None:
    upstream.enqueue(chunks("a", "b"))
    stream = services.chat.stream({"message": "1", "session_id": session_id}, ME)
    next(iter(stream))
    stream.close()
    assert texts(services, session_id) == []


def test_a_whole_reply_without_finish_reason_is_not_stored(
    services: Services, upstream: FakeUpstream, session_id: str
) -> None:
    upstream.enqueue(completion(choices=[{"index": 0, "message": {"content": "Hel"}}]))
    with pytest.raises(UpstreamBroken):
        services.chat.complete({"message": "1", "session_id": session_id}, ME)
    assert texts(services, session_id) == []


def test_a_session_deleted_midway_stores_nothing_and_says_so(
    services: Services, upstream: FakeUpstream, session_id: str
) -> None:
    upstream.enqueue(chunks("a"))
    client = Client(owner="me")
    stream = services.chat.stream({"message": "1", "session_id": session_id}, client)
    services.sessions.delete(session_id, ME)
    with pytest.raises(SessionNotFound):
        list(stream)
    assert client.record.outcome == "SessionNotFound"
    assert services.sessions.count() == 0


@pytest.mark.parametrize("owner", ["", "you"])
def test_another_key_does_not_find_it(services: Services, session_id: str, owner: str) -> None:
    other = Client(owner=owner, upstream_key="sk-own")
    calls: list[Callable[[], object]] = [
        lambda: services.sessions.retrieve(session_id, other),
        lambda: services.sessions.delete(session_id, other),
        lambda: services.chat.complete({"message": "1", "session_id": session_id}, other),
        lambda: services.chat.stream({"message": "1", "session_id": session_id}, other),
    ]
    for call in calls:
        with pytest.raises(SessionNotFound):
            call()
    assert texts(services, session_id) == []


def test_no_message_is_longer_than_a_session(services: Services, session_id: str) -> None:
    long = "ä" * (MOST_SESSION_BYTES // 2 + 1)
    with pytest.raises(InvalidRequest, match="`message` must not be longer"):
        services.chat.complete({"message": long, "session_id": session_id}, ME)
    with pytest.raises(InvalidRequest, match="`developer_message` must not be longer"):
        services.sessions.create({"developer_message": long}, ME)


def test_a_history_is_cut_by_whole_exchanges_and_keeps_the_developer_message() -> None:
    exchanges = [exchange_of(str(number), "x" * 1000) for number in range(10)]
    sent = prompt(
        "Be brief.", exchanges, "now", context_tokens=2048
    )  # of its 8,192 bytes three quarters
    assert sent[0] == {"role": "developer", "content": "Be brief."}
    assert sent[1:-1] == [message for exchange in exchanges[-5:] for message in exchange]
    assert sent[-1] == {"role": "user", "content": "now"}


def test_what_does_not_fit_at_all_still_goes_with_its_developer_message() -> None:
    sent = prompt("x" * 5000, [exchange_of("1", "one")], "y" * 5000, 100)
    assert [m["role"] for m in sent] == ["developer", "user"]


def test_one_exchange_too_long_hides_those_before_it() -> None:
    exchanges = [exchange_of("1", "one"), exchange_of("2", "x" * 9000), exchange_of("3", "c")]
    assert [m["content"] for m in prompt(None, exchanges, "now", 2048)] == ["3", "c", "now"]
