"""What lists on `/v1` are asked for, in the query."""

from __future__ import annotations

from chat_api.schemas.fields import RequestSchema, Text
from chat_api.schemas.query_fields import Count, Order

MOST_AT_ONCE = 100


class PageSchema(RequestSchema):
    """A part of a list."""

    after = Text(description="The id of the last one seen; what comes behind it is told.")
    limit = Count(1, MOST_AT_ONCE, whole=True, load_default=20, description="How many, 1 to 100.")
    order = Order(load_default="asc", description="`asc`, oldest first, or `desc`.")


class NewestFirstSchema(PageSchema):
    """A part of a list whose newest objects come first."""

    order = Order(load_default="desc", description="`desc`, newest first, or `asc`.")
