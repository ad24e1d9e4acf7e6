"""What the store of responses promises, and that of conversations (`conversation_base.py`) too.

`owner` stands for the key that made something ("" where the server is open to all): with another
owner it is as good as not there. What a method returned has been committed. Every method raises
`StoreUnavailable` when the store cannot be used, and has then changed nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chat_api.stores.pages import Page

JsonObject = dict[str, Any]
Item = dict[str, Any]
"""One item as OpenAI writes it. It has an `id`, which may repeat: an answer replayed as input."""


@dataclass(frozen=True, slots=True)
class ResponseBounds:
    """How much is kept of responses, and as much of conversations.

    One is gone after `ttl_seconds` without activity: being stored, changed or gone on from. Above
    `most` those with the oldest activity go. A running response never goes.

    A history of more than `most_items` or `most_bytes` cannot be gone on from. That is refused
    before a model is asked, so that what it answered can always be stored.
    """

    ttl_seconds: float
    most: int
    most_items: int = 10_000
    most_bytes: int = 33_554_432

    @property
    def renewal_seconds(self) -> float:
        """Activity is noted when the last one is so old: a history may be thousands of rows."""
        return min(60.0, self.ttl_seconds / 100)


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """A response that is to be stored."""

    id: str
    owner: str
    body: JsonObject
    """The response object as it is told."""
    input_items: Sequence[Item]
    previous_id: str | None = None
    """The response that this one goes on from."""
    conversation_id: str | None = None
    """The conversation that gets its input and output, once it is `completed` or `incomplete`."""
    is_background: bool = False


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as it was stored."""

    id: str
    body: JsonObject
    is_background: bool
    conversation_id: str | None
    previous_id: str | None


class ResponseStore(Protocol):
    """Responses. One that has begun runs until it is finished, cancelled or given up."""

    def put(self, row: ResponseRow) -> bool:
        """Store a response that has ended with its input and output, whole or not at all, and in
        its conversation too. Makes room first.

        Returns:
            False when the conversation is gone: then nothing is stored.
        """

    def begin(self, row: ResponseRow, events: Sequence[JsonObject] = ()) -> None:
        """Store a response that runs from now on, its input and first events. Makes room first."""

    def finish(self, response_id: str, body: JsonObject, events: Sequence[JsonObject] = ()) -> bool:
        """End a running response: its body, its output, its last events, and input and output in
        its conversation, if there still is one.

        Returns:
            False when it does not run (any more): then nothing is changed.
        """

    def append_events(self, response_id: str, events: Sequence[JsonObject]) -> bool:
        """Add events to a running response. Each has a `sequence_number` of its own; one that is
        there already stays as it is.

        Returns:
            False when it does not run (any more): then none is stored.
        """

    def events(
        self, response_id: str, owner: str, after: int, most: int
    ) -> list[JsonObject] | None:
        """The first `most` events whose `sequence_number` is above `after`, ascending; None when
        there is no such response."""

    def beat(self, response_ids: Sequence[str]) -> set[str]:
        """Say that the worker of these responses lives.

        Returns:
            Those that still run.
        """

    def cancel(self, response_id: str, owner: str) -> JsonObject | None:
        """Make a running response `cancelled`, with a last event `response.incomplete`; one that
        has ended stays as it is. The protocol has no event for it: its object says which end it is.

        Returns:
            The body as it then stands; None when there is no such response.
        """

    def fail_abandoned(self, silent_seconds: float, error: JsonObject) -> int:
        """Make running responses without a beat for so long `failed`, with that `error` and a last
        event `response.failed`. Machines that share a database go by their own clocks: give them
        more time than those differ by.

        Returns:
            How many. There may be more when it is a hundred.
        """

    def get(self, response_id: str, owner: str) -> StoredResponse | None:
        """The response, running or not; None when there is none."""

    def input_items(self, response_id: str, owner: str, wanted: Page) -> list[Item] | None:
        """A part of its input; None when there is no such response.

        Raises:
            InvalidRequest: it has no item `after`.
        """

    def history(self, response_id: str, owner: str) -> list[Item] | None:
        """Input and output of the response and of all that it went on from, oldest first; None
        when one of them is not there or still runs. Keeps them all from expiring.

        Raises:
            InvalidRequest: they are more than can be gone on from.
        """

    def item(self, item_id: str, owner: str) -> Item | None:
        """The newest item of that id, of any response or conversation; None when there is none."""

    def delete(self, response_id: str, owner: str) -> bool:
        """Remove a response, its items and events. What went on from it has no history any more;
        what its conversation got of it stays.

        Returns:
            False when there is none.
        """
