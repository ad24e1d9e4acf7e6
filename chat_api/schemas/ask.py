"""`POST /ask`."""

from __future__ import annotations

from chat_api.schemas.fields import Messages, RequestSchema, Text


class AskRequestSchema(RequestSchema):
    """A conversation whose next message is wanted."""

    EXAMPLE = {"messages": [{"role": "user", "content": "What is the capital of France?"}]}

    messages = Messages(required=True, description="The conversation, oldest message first.")
    model = Text(
        is_name=True, allow_none=True, description="Model name; the server's default when left out."
    )
