"""OpenAI's Conversations: items that responses go on from and add to."""

from __future__ import annotations

import secrets
from typing import TypeVar

from chat_api.errors import ObjectNotFound
from chat_api.services.clients import Client
from chat_api.services.paging import Page, page
from chat_api.services.response_items import input_items
from chat_api.stores.conversation_base import Conversation, ConversationStore
from chat_api.stores.response_base import Item, ResponseStore
from chat_api.upstreams.base import JsonObject

T = TypeVar("T")


class Conversations:
    """The conversations of this server. A caller who is not a conversation's owner does not find
    it. Unless it says otherwise a method raises `ObjectNotFound` where there is none, and
    `StoreUnavailable`."""

    def __init__(self, store: ConversationStore, responses: ResponseStore) -> None:
        self._store = store
        self._responses = responses

    @staticmethod
    def is_id(text: str) -> bool:
        """Whether it looks like an id of one; ids of sessions do not."""
        return text.startswith("conv_")

    def create(self, request: JsonObject, client: Client) -> JsonObject:
        """Begin a conversation.

        Args:
            request: a loaded `ConversationRequestSchema`.
        """
        conversation_id = f"conv_{secrets.token_hex(24)}"
        items = self.full_items(request.get("items") or [], client, "items")
        metadata = request.get("metadata") or {}
        return _described(self._store.create(conversation_id, client.owner, metadata, items))

    def retrieve(self, conversation_id: str, client: Client) -> JsonObject:
        """A conversation, without its items."""
        found = self._store.get(conversation_id, client.owner)
        return _described(_there(found, conversation_id))

    def update(self, conversation_id: str, request: JsonObject, client: Client) -> JsonObject:
        """Replace its metadata."""
        metadata = request.get("metadata") or {}
        found = self._store.update(conversation_id, client.owner, metadata)
        return _described(_there(found, conversation_id))

    def delete(self, conversation_id: str, client: Client) -> JsonObject:
        """Remove a conversation and its items."""
        _there(self._store.delete(conversation_id, client.owner) or None, conversation_id)
        return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}

    def history(self, conversation_id: str, client: Client) -> list[Item]:
        """All its items, oldest first."""
        found = self._store.history(conversation_id, client.owner)
        return _there(found, conversation_id, "conversation")

    def items(self, conversation_id: str, client: Client, wanted: Page) -> JsonObject:
        """A page of its items.

        Raises:
            InvalidRequest: `after` is none of them.
        """
        found = page(
            wanted,
            lambda limit: self._store.items(
                conversation_id, client.owner, wanted.after, limit, wanted.descending
            ),
        )
        return _there(found, conversation_id)

    def add(self, conversation_id: str, request: JsonObject, client: Client) -> JsonObject:
        """Add items to its end.

        Args:
            request: a loaded `ConversationItemsRequestSchema`.
        """
        items = self.full_items(request["items"], client, "items")
        self.extend(conversation_id, client, items)
        first, last = items[0]["id"], items[-1]["id"]
        ends = {"first_id": first, "last_id": last, "has_more": False}
        return {"object": "list", "data": items, **ends}

    def full_items(self, given: str | list[JsonObject], client: Client, path: str) -> list[Item]:
        """Items as they are stored: full ones, and in place of references what they refer to.

        Args:
            path: where they stand in the request.

        Raises:
            ObjectNotFound: there is no such item, in no response or conversation.
        """
        items = input_items(given)
        for index, item in enumerate(items):
            if item["type"] == "item_reference":
                found = self._responses.item(item["id"], client.owner)
                if found is None:
                    raise ObjectNotFound("Item", item["id"], f"{path}[{index}].id")
                items[index] = found
        return items

    def extend(self, conversation_id: str, client: Client, items: list[Item]) -> None:
        """Add items as they are."""
        _there(self._store.add(conversation_id, client.owner, items) or None, conversation_id)

    def item(self, conversation_id: str, item_id: str, client: Client) -> Item:
        """One of its items."""
        found = self._store.item(conversation_id, client.owner, item_id)
        if found is None:
            raise ObjectNotFound("Item", item_id)
        return found

    def remove_item(self, conversation_id: str, item_id: str, client: Client) -> JsonObject:
        """Remove one of its items; the conversation."""
        if not self._store.remove_item(conversation_id, client.owner, item_id):
            raise ObjectNotFound("Item", item_id)
        return self.retrieve(conversation_id, client)


def _there(found: T | None, conversation_id: str, param: str | None = None) -> T:
    if found is None:
        raise ObjectNotFound("Conversation", conversation_id, param)
    return found


def _described(conversation: Conversation) -> JsonObject:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": int(conversation.created_at),
        "metadata": conversation.metadata,
    }
