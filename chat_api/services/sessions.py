"""Conversations that are remembered: whose they are, what of them goes upstream."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from chat_api.errors import InvalidRequest, SessionNotFound, StoreUnavailable
from chat_api.services.clients import Client
from chat_api.services.context import fitted
from chat_api.stores.base import Exchange, Session, SessionStore
from chat_api.stores.recent import Recent
from chat_api.upstreams.base import JsonObject

COUNT_SECONDS = 0.0
"""A number of sessions is told again only to those who ask while it is counted: anybody may."""
ID_BYTES = 18  # 144 random bits
ID = re.compile(r"[A-Za-z0-9_-]{24}")  # what they look like: nothing else is worth a query

MOST_SESSION_BYTES = 4_194_304
"""What a session holds, about a million tokens; no message of a caller's may be longer."""


class Sessions:
    """The sessions of this server. A caller who is not a session's owner does not find it."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._count = Recent(self._counted, COUNT_SECONDS)

    def create(self, request: JsonObject, client: Client) -> JsonObject:
        """Begin a session.

        Args:
            request: a loaded `SessionRequestSchema`.
        """
        return _described(self.begin(developer_message_of(request), client))

    def begin(self, developer_message: str | None, client: Client) -> Session:
        """A new session with an id of ours."""
        return self._store.create(secrets.token_urlsafe(ID_BYTES), client.owner, developer_message)

    def retrieve(self, session_id: str, client: Client) -> JsonObject:
        """A session and its messages, as `SessionWithMessagesSchema` says."""
        session = self.get(session_id, client)
        return {**_described(session), "messages": session.messages}

    def get(self, session_id: str, client: Client) -> Session:
        """A session.

        Raises:
            SessionNotFound: none of that id, or none of this caller's.
        """
        session = self._store.get(session_id, client.owner) if ID.fullmatch(session_id) else None
        if session is None:
            raise SessionNotFound
        return session

    def delete(self, session_id: str, client: Client) -> None:
        """Remove a session. Raises as `get` does."""
        if not ID.fullmatch(session_id) or not self._store.delete(session_id, client.owner):
            raise SessionNotFound

    def truncate(self, session_id: str, index: int, client: Client) -> int:
        """Drop the exchange of message `index` and all behind it. Raises as `get` does.

        Returns:
            How many messages are left.
        """
        known = ID.fullmatch(session_id)
        left = self._store.truncate(session_id, client.owner, index) if known else None
        if left is None:
            raise SessionNotFound
        return left

    def append(self, session: Session, client: Client, exchange: Exchange) -> None:
        """Store an exchange, whole or not at all.

        Raises:
            SessionNotFound: the session was deleted meanwhile; nothing is stored.
        """
        if not self._store.append(session.id, client.owner, exchange):
            raise SessionNotFound

    def set_developer_message(
        self, session: Session, client: Client, developer_message: str | None
    ) -> None:
        """Replace a session's developer message, from now on.

        Raises:
            SessionNotFound: the session was deleted meanwhile.
        """
        if not self._store.set_developer_message(session.id, client.owner, developer_message):
            raise SessionNotFound

    def count(self) -> int:
        """How many sessions there are, of all owners. They are counted for one caller at a time;
        those who ask beside it are told the number before.

        Raises:
            StoreUnavailable: they could not be counted.
        """
        count = self._count.get()
        if count is None:
            raise StoreUnavailable
        return count

    def _counted(self) -> int | None:
        try:
            return self._store.count()
        except StoreUnavailable:
            return None


def exchange_of(asked: str, said: str) -> Exchange:
    """A question and its answer."""
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]


def developer_message_of(request: JsonObject) -> str | None:
    """The developer message in a request; a blank one is none.

    Raises:
        InvalidRequest: it is longer than a session can hold.
    """
    text = request.get("developer_message") or ""
    check_length("developer_message", text)
    return text if text.strip() else None


def check_length(name: str, text: str) -> None:
    """Raises: InvalidRequest, when the text is longer than a session can hold."""
    if len(text.encode()) > MOST_SESSION_BYTES:
        limit = f"must not be longer than {MOST_SESSION_BYTES} bytes in a session."
        raise InvalidRequest(f"`{name}` {limit}", name, "string_above_max_length")


def prompt(
    developer_message: str | None, exchanges: list[Exchange], asked: str, context_tokens: int
) -> list[JsonObject]:
    """What goes upstream: the developer message, as many of the newest exchanges as fit, and the
    question."""
    first: Exchange = []
    if developer_message is not None:
        first = [{"role": "developer", "content": developer_message}]
    said = [message for exchange in exchanges for message in exchange]
    return fitted([*first, *said, {"role": "user", "content": asked}], context_tokens)


def _described(session: Session) -> JsonObject:
    return {
        "session_id": session.id,
        "developer_message": session.developer_message,
        "created_at": _iso(session.created_at),
        "last_activity": _iso(session.last_activity),
        "message_count": len(session.messages),
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
