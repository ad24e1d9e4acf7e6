"""What the store of chat completions promises.

`owner` stands for the key that made one ("" where the server is open to all): with another owner it
is as good as not there. What a method returned has been committed. Every method raises
`StoreUnavailable` when the store cannot be used, and has then changed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chat_api.stores.pages import Page
from chat_api.stores.response_base import JsonObject

NO_PAIRS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class StoredCompletion:
    """A chat completion, as it is told later."""

    id: str
    model: str
    """Who answered."""
    asked_model: str
    """Who was asked for; "" for the default."""
    metadata: Mapping[str, str]
    completion: JsonObject
    """OpenAI's object, but for its metadata."""
    messages: Sequence[JsonObject]
    """The conversation that it answers."""


class CompletionStore(Protocol):
    """Chat completions."""

    def put(self, owner: str, stored: StoredCompletion) -> None:
        """Store one. Makes room first. An older one of that owner with the same id is replaced."""

    def get(self, owner: str, completion_id: str) -> StoredCompletion | None:
        """One of them; None when there is none."""

    def update(
        self, owner: str, completion_id: str, metadata: Mapping[str, str]
    ) -> StoredCompletion | None:
        """Replace its metadata; None when there is none."""

    def delete(self, owner: str, completion_id: str) -> bool:
        """Remove one. False when there is none."""

    def page(
        self,
        owner: str,
        wanted: Page,
        model: str | None = None,
        metadata: Mapping[str, str] = NO_PAIRS,
    ) -> list[StoredCompletion]:
        """Some of them, by the time they were stored.

        Args:
            model: one that answered or was asked for.
            metadata: pairs that they all have.

        Raises:
            InvalidRequest: there is no completion whose id is `after`.
        """
