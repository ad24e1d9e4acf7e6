"""`POST /api/chat`."""

from __future__ import annotations

from chat_api.schemas.fields import RequestSchema, Text


class SessionChatRequestSchema(RequestSchema):
    """One message of a session; what is null counts as left out."""

    EXAMPLE = {
        "user_message": "What is the capital of France?",
        "developer_message": "Answer in one word.",
    }

    user_message = Text(required=True, not_blank=True, description="What the user says now.")
    developer_message = Text(
        allow_none=True,
        description="What the model is told before all else, from now on; blank: nothing. Left "
        "out: what the session has.",
    )
    model = Text(
        is_name=True, allow_none=True, description="Model name; the server's default when left out."
    )
    api_key = Text(
        allow_none=True,
        description="An OpenAI key of the caller's own for this one call, which OpenAI then "
        "answers. It is not kept.",
    )
    session_id = Text(
        allow_none=True, description="The session to go on with; a new one when left out."
    )
