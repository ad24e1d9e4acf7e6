"""The chat that always has a session, and may have a key of the caller's own."""

from __future__ import annotations

from chat_api.services.caller_keys import CallerKeys
from chat_api.services.chat import RecordedStream
from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.services.sessions import Sessions, check_length, developer_message_of, prompt
from chat_api.stores.base import Session
from chat_api.upstreams.base import JsonObject


class SessionChat:
    """One message in, its answer in pieces, and both of them in a session."""

    def __init__(self, gateway: Gateway, sessions: Sessions, keys: CallerKeys) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._keys = keys

    def stream(self, request: JsonObject, client: Client) -> RecordedStream:
        """Answer one message. The exchange is stored when the answer is whole.

        The session is made, or its developer message replaced, when the upstream has begun to
        answer (or the grace for that is over) and before a header leaves. So a call that is
        refused, by the upstream too, leaves everything as it was; a store that fails is a status;
        and from the headers on, whatever becomes of the answer, the session is what was asked for.

        Args:
            request: a loaded `SessionChatRequestSchema`.

        Raises:
            InvalidRequest: the key has not the right form, or a text is too long.
            SessionNotFound: no such session, or it was deleted meanwhile.
            StoreUnavailable
            As `Gateway.stream`.
        """
        client = self._keys.with_key(client, request.get("api_key"))
        asked = request["user_message"]
        check_length("user_message", asked)
        session_id = request.get("session_id")
        session = None if session_id is None else self._sessions.get(session_id, client)
        if session and request.get("developer_message") is None:
            told = session.developer_message
        else:
            told = developer_message_of(request)
        stream = self._gateway.stream(self._body(request, session, told, client), client)
        try:
            if session is None:
                session = self._sessions.begin(told, client)
            elif told != session.developer_message:
                self._sessions.set_developer_message(session, client, told)
        except BaseException:
            stream.close()
            raise
        return RecordedStream(stream, self._sessions, session, client, asked)

    def _body(
        self, request: JsonObject, session: Session | None, told: str | None, client: Client
    ) -> JsonObject:
        model = request.get("model")
        room = self._gateway.context_tokens(model, client)
        exchanges = session.exchanges if session else []
        messages = prompt(told, exchanges, request["user_message"], room)
        return {"messages": messages, **({"model": model} if model else {})}
