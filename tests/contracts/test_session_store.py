"""What every session store promises, on every database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from chat_api.stores import schema
from chat_api.stores.base import Bounds, Exchange, SessionStore
from chat_api.stores.sessions import SqlSessionStore
from chat_api.stores.sql import Database
from tests.contracts.helpers import Clock, together

HOUR = 3600.0
ODD_TEXT = "NUL \x00, quotes '\"; DROP TABLE sessions; --, emoji 🐚, \\u0000, 漢字"


def exchange(number: int, size: int = 1) -> Exchange:
    question = {"role": "user", "content": f"q{number}" + "x" * size}
    return [question, {"role": "assistant", "content": f"a{number}"}]


@pytest.fixture
def make(database: Database, clock: Clock) -> Callable[..., SqlSessionStore]:
    """A store on a database without sessions."""
    database.write(lambda connection: connection.execute(schema.sessions.delete()))

    def make(sessions: int = 100, messages: int = 100, size: int = 100_000) -> SqlSessionStore:
        return SqlSessionStore(database, Bounds(HOUR, sessions, messages, size), clock)

    return make


@pytest.fixture
def store(make: Callable[..., SqlSessionStore]) -> SessionStore:
    return make()


def contents(store: SessionStore, session_id: str) -> list[str]:
    session = store.get(session_id, "me")
    assert session is not None
    return [message["content"] for message in session.messages]


class TestSessionStore:
    def test_a_new_session_is_empty(self, store: SessionStore, clock: Clock) -> None:
        made = store.create("s1", "me", "Be brief.")
        assert (made.id, made.developer_message, made.messages) == ("s1", "Be brief.", [])
        assert made.created_at == made.last_activity == clock.now
        assert store.get("s1", "me") == made

    def test_an_exchange_is_stored_in_order_and_moves_the_activity(
        self, store: SessionStore, clock: Clock
    ) -> None:
        store.create("s1", "me", None)
        clock.now += 5
        assert store.append("s1", "me", exchange(1))
        assert store.append("s1", "me", exchange(2))
        session = store.get("s1", "me")
        assert session is not None and session.exchanges == [exchange(1), exchange(2)]
        assert session.last_activity == session.created_at + 5

    def test_texts_come_back_as_they_went(self, store: SessionStore) -> None:
        store.create("s1", "me", ODD_TEXT)
        message = {"role": "user", "content": ODD_TEXT, "more": [1, 2.5, None]}
        assert store.append("s1", "me", [message])
        session = store.get("s1", "me")
        assert session is not None
        assert (session.messages, session.developer_message) == ([message], ODD_TEXT)

    @pytest.mark.parametrize("session_id", ["s2", "", "S1", "s1' OR '1'='1", "../s1", "x" * 10_000])
    def test_what_was_never_made_is_not_there(self, store: SessionStore, session_id: str) -> None:
        store.create("s1", "me", None)
        assert store.get(session_id, "me") is None
        assert not store.append(session_id, "me", exchange(1))
        assert not store.delete(session_id, "me")
        assert store.count() == 1 and contents(store, "s1") == []

    @pytest.mark.parametrize("owner", ["", "you", "ME", "me "])
    def test_another_owner_finds_nothing(self, store: SessionStore, owner: str) -> None:
        store.create("s1", "me", None)
        assert store.get("s1", owner) is None
        assert not store.append("s1", owner, exchange(1))
        assert not store.delete("s1", owner)
        assert contents(store, "s1") == []

    @pytest.mark.parametrize("text", ["Be long.", ODD_TEXT, None])
    def test_a_developer_message_is_replaced_and_all_else_stays(
        self, store: SessionStore, clock: Clock, text: str | None
    ) -> None:
        made = store.create("s1", "me", "Be brief.")
        store.create("s2", "me", "Be brief.")
        store.append("s1", "me", exchange(1))
        clock.now += 5
        assert store.set_developer_message("s1", "me", text)
        session = store.get("s1", "me")
        assert session is not None
        assert (session.developer_message, session.exchanges) == (text, [exchange(1)])
        assert session.last_activity == made.last_activity
        other = store.get("s2", "me")
        assert other is not None and other.developer_message == "Be brief."

    def test_nobody_replaces_what_is_not_theirs_or_not_there(
        self, store: SessionStore, clock: Clock
    ) -> None:
        store.create("s1", "me", "Be brief.")
        assert not store.set_developer_message("s1", "you", "x")
        assert not store.set_developer_message("s2", "me", "x")
        assert not store.set_developer_message("s1' OR '1'='1", "me", "x")
        session = store.get("s1", "me")
        assert session is not None and session.developer_message == "Be brief."
        clock.now += HOUR
        assert not store.set_developer_message("s1", "me", "x"), "it expired"

    @pytest.mark.parametrize(
        ("index", "left"), [(0, 0), (1, 0), (2, 2), (3, 2), (4, 4), (6, 6), (10**30, 6)]
    )
    def test_exchanges_are_dropped_from_a_message_on(
        self, store: SessionStore, database: Database, clock: Clock, index: int, left: int
    ) -> None:
        store.create("s1", "me", None)
        store.create("s2", "me", None)
        for number in range(3):
            store.append("s1", "me", exchange(number, size=0))
            store.append("s2", "me", exchange(number, size=0))
        clock.now += 5
        assert store.truncate("s1", "me", index) == left
        assert contents(store, "s1") == ["q0", "a0", "q1", "a1", "q2", "a2"][:left]
        session = store.get("s1", "me")
        assert session is not None and session.last_activity == clock.now
        assert len(contents(store, "s2")) == 6 and rows_of_messages(database) == left + 6
        store.append("s1", "me", exchange(9, size=0))
        assert contents(store, "s1")[left:] == ["q9", "a9"]

    def test_what_was_dropped_no_longer_counts_for_the_bounds(
        self, make: Callable[..., SqlSessionStore]
    ) -> None:
        store = make(messages=4)
        store.create("s1", "me", None)
        for number in range(4):  # of which the bound keeps the last two
            store.append("s1", "me", exchange(number, size=0))
        assert store.truncate("s1", "me", 2) == 2
        store.append("s1", "me", exchange(4, size=0))
        assert contents(store, "s1") == ["q2", "a2", "q4", "a4"]

    def test_nobody_drops_from_what_is_not_theirs_or_not_there(
        self, store: SessionStore, clock: Clock
    ) -> None:
        store.create("s1", "me", None)
        store.append("s1", "me", exchange(1))
        assert store.truncate("s1", "you", 0) is None
        assert store.truncate("s2", "me", 0) is None
        assert len(contents(store, "s1")) == 2
        clock.now += HOUR
        assert store.truncate("s1", "me", 0) is None, "it expired"

    def test_what_is_deleted_is_gone_with_its_messages(
        self, store: SessionStore, database: Database
    ) -> None:
        store.create("s1", "me", None)
        store.append("s1", "me", exchange(1))
        assert store.delete("s1", "me") and not store.delete("s1", "me")
        assert store.get("s1", "me") is None
        assert not store.append("s1", "me", exchange(2))
        assert rows_of_messages(database) == 0

    def test_a_session_expires_by_its_last_activity(
        self, store: SessionStore, database: Database, clock: Clock
    ) -> None:
        store.create("old", "me", None)
        store.append("old", "me", exchange(1))
        store.create("kept", "me", None)
        clock.now += HOUR - 1
        assert store.append("kept", "me", exchange(1)) and store.count() == 2
        clock.now += 1
        assert store.get("old", "me") is None and store.count() == 1
        assert not store.append("old", "me", exchange(2)) and not store.delete("old", "me")
        assert len(contents(store, "kept")) == 2
        store.create("new", "me", None)  # clears away what expired
        assert rows_of_messages(database) == 2

    def test_above_the_bound_the_oldest_activity_goes(
        self, make: Callable[..., SqlSessionStore], clock: Clock
    ) -> None:
        store = make(sessions=3)
        for name in ("a", "b", "c"):
            store.create(name, "me", None)
            clock.now += 1
        store.append("a", "me", exchange(1))
        store.create("d", "me", None)
        assert [name for name in "abcd" if store.get(name, "me")] == ["a", "c", "d"]
        assert make(sessions=2).create("e", "me", None) and store.count() == 2

    def test_a_full_session_drops_its_oldest_exchanges(
        self, make: Callable[..., SqlSessionStore], database: Database
    ) -> None:
        store = make(messages=5)
        store.create("s1", "me", None)
        for number in range(4):
            store.append("s1", "me", exchange(number, size=0))
        assert contents(store, "s1") == ["q2", "a2", "q3", "a3"]
        assert rows_of_messages(database) == 4

    def test_a_session_is_bound_in_size_but_keeps_its_newest_exchange(
        self, make: Callable[..., SqlSessionStore]
    ) -> None:
        store = make(size=1_000)
        store.create("s1", "me", None)
        for number in range(10):
            store.append("s1", "me", exchange(number, size=100))
        texts = contents(store, "s1")
        assert (texts[0][:2], texts[-1], len(texts)) == ("q4", "a9", 12)
        store.append("s1", "me", exchange(10, size=2_000))
        assert len(contents(store, "s1")) == 2
        store.append("s1", "me", exchange(11))
        assert contents(store, "s1") == ["q11x", "a11"]

    def test_of_exchanges_appended_at_once_none_is_lost_or_torn(self, store: SessionStore) -> None:
        store.create("s1", "me", None)
        together(8, lambda number: store.append("s1", "me", exchange(number)))
        session = store.get("s1", "me")
        assert session is not None
        assert sorted(session.exchanges, key=str) == sorted(map(exchange, range(8)), key=str)

    def test_sessions_made_at_once_are_all_there(
        self, make: Callable[..., SqlSessionStore]
    ) -> None:
        store = make(sessions=3)
        together(8, lambda number: store.create(f"s{number}", "me", None))
        store.create("last", "me", None)
        assert store.count() <= 3 and store.get("last", "me")


def rows_of_messages(database: Database) -> int:
    statement = select(func.count()).select_from(schema.session_messages)
    return database.read(lambda connection: connection.scalar(statement) or 0)
