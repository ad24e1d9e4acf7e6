"""The events of a background response, for whoever comes to see."""

from __future__ import annotations

from typing import Any

from chat_api.services.clients import Client
from chat_api.services.response_replay import MOST_EVENTS, EventReplay
from chat_api.stores.response_base import StoredResponse


def test_an_end_of_many_events_reaches_who_was_far_behind() -> None:
    """All that is missing is stored at once, between a follower's read and its look at the
    response."""
    stored: list[dict[str, Any]] = []
    count = 2 * MOST_EVENTS + 1

    def read(after: int, most: int) -> list[dict[str, Any]]:
        return [event for event in stored if event["sequence_number"] > after][:most]

    def look() -> StoredResponse:
        kinds = ["response.output_text.delta"] * (count - 1) + ["response.completed"]
        stored.extend({"type": kind, "sequence_number": n} for n, kind in enumerate(kinds))
        return StoredResponse("resp_1", {"status": "completed"}, True, None, None)

    replay = EventReplay(read, look, Client(), -1, 0, is_padded=True)
    events = [event for batch in replay for event in batch]
    assert [event["sequence_number"] for event in events] == list(range(count))
    assert events[-1]["type"] == "response.completed"
