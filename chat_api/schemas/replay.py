"""How a stored response is asked for, in the query."""

from __future__ import annotations

from chat_api.schemas.fields import RequestSchema
from chat_api.schemas.query_fields import Count, WrittenFlag

MOST_EVENTS = 999_999_999


class ReplaySchema(RequestSchema):
    """How a stored response is wanted."""

    stream = WrittenFlag(load_default=False, description="As events, where it ran in background.")
    include_obfuscation = WrittenFlag(
        load_default=True, description="With `stream`: `false` leaves the padding of events out."
    )
    starting_after = Count(
        0,
        MOST_EVENTS,
        whole=True,
        description="With `stream`: the `sequence_number` of the last event that you have.",
    )
