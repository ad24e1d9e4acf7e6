"""Chat completions that are remembered: whose they are, and how they are told."""

from __future__ import annotations

from chat_api.services.clients import Client
from chat_api.services.finding import there
from chat_api.services.paging import page, part_of
from chat_api.stores.pages import Page
from chat_api.stores.stored_completion_base import CompletionStore, StoredCompletion
from chat_api.upstreams.base import JsonObject

KIND = "Chat completion"
REMEMBERED = (
    *("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "tools"),
    *("tool_choice", "response_format"),
)
"""Fields of the request that OpenAI's stored completion has too."""


class StoredCompletions:
    """The chat completions of this server that were asked for with `store`. A caller who is not a
    completion's owner does not find it."""

    def __init__(self, store: CompletionStore) -> None:
        self._store = store

    def remember(self, request: JsonObject, completion: JsonObject, client: Client) -> None:
        """Store a completion and the conversation that it answers."""
        told = {name: request.get(name) for name in REMEMBERED}
        more = {"request_id": client.record.request_id, "input_user": request.get("user")}
        stored = StoredCompletion(
            id=completion["id"],
            model=str(completion.get("model") or client.record.model),
            asked_model=request.get("model") or "",
            metadata=request.get("metadata") or {},
            completion={**told, **more, **completion},
            messages=request["messages"],
        )
        self._store.put(client.owner, stored)

    def retrieve(self, completion_id: str, client: Client) -> JsonObject:
        """A stored completion.

        Raises:
            ObjectNotFound: none of that id, or none of this caller's.
        """
        return _told(self._get(completion_id, client))

    def update(self, completion_id: str, request: JsonObject, client: Client) -> JsonObject:
        """Replace its metadata. Raises as `retrieve` does."""
        stored = self._store.update(client.owner, completion_id, request["metadata"] or {})
        return _told(there(stored, KIND, completion_id))

    def delete(self, completion_id: str, client: Client) -> JsonObject:
        """Remove it. Raises as `retrieve` does."""
        there(self._store.delete(client.owner, completion_id) or None, KIND, completion_id)
        return {"object": "chat.completion.deleted", "id": completion_id, "deleted": True}

    def page(self, query: JsonObject, client: Client) -> JsonObject:
        """Some of the stored completions, as OpenAI's list.

        Args:
            query: a loaded `CompletionListSchema`.

        Raises:
            InvalidRequest: `after` is none of them.
        """
        model, metadata = query.get("model"), query.get("metadata") or {}

        def read(wanted: Page) -> list[JsonObject]:
            found = self._store.page(client.owner, wanted, model, metadata)
            return [_told(stored) for stored in found]

        return page(query, read)

    def messages(self, completion_id: str, query: JsonObject, client: Client) -> JsonObject:
        """The conversation that a stored completion answers, as OpenAI's list.

        Args:
            query: a loaded `PageSchema`.
        """
        stored = self._get(completion_id, client)
        found = [_message(stored.id, *each) for each in enumerate(stored.messages)]
        return page(query, lambda wanted: part_of(found, wanted))

    def _get(self, completion_id: str, client: Client) -> StoredCompletion:
        return there(self._store.get(client.owner, completion_id), KIND, completion_id)


def _told(stored: StoredCompletion) -> JsonObject:
    return {**stored.completion, "metadata": dict(stored.metadata)}


def _message(completion_id: str, number: int, message: JsonObject) -> JsonObject:
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    text = None if parts is not None else content
    name = message.get("name")
    known = {"content": text, "name": name, "content_parts": parts}
    return {"id": f"{completion_id}-{number}", **message, **known}
