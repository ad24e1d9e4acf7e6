"""OpenAI's Conversations: items that responses go on from and add to."""

from __future__ import annotations

import secrets

from chat_api.services.clients import Client
from chat_api.services.finding import there
from chat_api.services.paging import listed, page
from chat_api.services.response_items import input_items
from chat_api.stores.conversation_base import Conversation, ConversationStore
from chat_api.stores.pages import Page
from chat_api.stores.response_base import Item, ResponseStore
from chat_api.upstreams.base import JsonObject

KIND = "Conversation"


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
        return _described(there(found, KIND, conversation_id))

    def update(self, conversation_id: str, request: JsonObject, client: Client) -> JsonObject:
        """Replace its metadata."""
        metadata = request.get("metadata") or {}
        found = self._store.update(conversation_id, client.owner, metadata)
        return _described(there(found, KIND, conversation_id))

    def delete(self, conversation_id: str, client: Client) -> JsonObject:
        """Remove a conversation and its items."""
        there(self._store.delete(conversation_id, client.owner) or None, KIND, conversation_id)
        return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}

    def history(self, conversation_id: str, client: Client) -> list[Item]:
        """All its items, oldest first."""
        found = self._store.history(conversation_id, client.owner)
        return there(found, KIND, conversation_id, "conversation")

    def items(self, conversation_id: str, query: JsonObject, client: Client) -> JsonObject:
        """A page of its items.

        Args:
            query: a loaded `PageSchema`.

        Raises:
            InvalidRequest: `after` is none of them.
        """

        def read(wanted: Page) -> list[Item]:
            found = self._store.items(conversation_id, client.owner, wanted)
            return there(found, KIND, conversation_id)

        return page(query, read)

    def add(self, conversation_id: str, request: JsonObject, client: Client) -> JsonObject:
        """Add items to its end.

        Args:
            request: a loaded `ConversationItemsRequestSchema`.
        """
        items = self.full_items(request["items"], client, "items")
        self.extend(conversation_id, client, items)
        return listed(items, has_more=False)

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
                items[index] = there(found, "Item", item["id"], f"{path}[{index}].id")
        return items

    def extend(
        self, conversation_id: str, client: Client, items: list[Item], param: str | None = None
    ) -> None:
        """Add items as they are. `param` as in `there`."""
        there(
            self._store.add(conversation_id, client.owner, items) or None,
            KIND,
            conversation_id,
            param,
        )

    def item(self, conversation_id: str, item_id: str, client: Client) -> Item:
        """One of its items."""
        found = self._store.item(conversation_id, client.owner, item_id)
        return there(found, "Item", item_id)

    def remove_item(self, conversation_id: str, item_id: str, client: Client) -> JsonObject:
        """Remove one of its items; the conversation."""
        removed = self._store.remove_item(conversation_id, client.owner, item_id)
        there(removed or None, "Item", item_id)
        return self.retrieve(conversation_id, client)


def _described(conversation: Conversation) -> JsonObject:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": int(conversation.created_at),
        "metadata": conversation.metadata,
    }
