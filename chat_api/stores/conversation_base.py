"""What the store of conversations promises. Owners and failures: see `response_base.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chat_api.stores.pages import Page
from chat_api.stores.response_base import Item, JsonObject


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is told of a conversation. `created_at` is in UTC epoch seconds."""

    id: str
    created_at: float
    metadata: JsonObject


class ConversationStore(Protocol):
    """Conversations: items that responses and callers add to."""

    def create(
        self, conversation_id: str, owner: str, metadata: JsonObject, items: Sequence[Item]
    ) -> Conversation:
        """Make a conversation that begins with these items. Makes room first."""

    def get(self, conversation_id: str, owner: str) -> Conversation | None:
        """The conversation without its items; None when there is none."""

    def update(self, conversation_id: str, owner: str, metadata: JsonObject) -> Conversation | None:
        """Replace the metadata. None when there is no such conversation."""

    def delete(self, conversation_id: str, owner: str) -> bool:
        """Remove a conversation and its items; responses that were made in it stay.

        Returns:
            False when there is none.
        """

    def history(self, conversation_id: str, owner: str) -> list[Item] | None:
        """All items, oldest first; None when there is no such conversation. Keeps it from
        expiring.

        Raises:
            InvalidRequest: they are more than can be gone on from.
        """

    def items(self, conversation_id: str, owner: str, wanted: Page) -> list[Item] | None:
        """As `ResponseStore.input_items`."""

    def add(self, conversation_id: str, owner: str, items: Sequence[Item]) -> bool:
        """Add items at the end, all or none. What is added at the same time all stays.

        Returns:
            False when there is no such conversation.

        Raises:
            InvalidRequest: it would be more than can be gone on from.
        """

    def item(self, conversation_id: str, owner: str, item_id: str) -> Item | None:
        """The item of that id, the newest of several; None when there is none."""

    def remove_item(self, conversation_id: str, owner: str, item_id: str) -> bool:
        """Remove what has that id.

        Returns:
            False when there is no such conversation, or no such item in it.
        """
