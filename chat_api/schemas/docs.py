"""What the documentation routes answer."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields


class DescriptionSchema(Schema):
    """An OpenAPI document."""

    class Meta:
        unknown = INCLUDE

    EXAMPLE = {"openapi": "3.1.0", "info": {"title": "OpenAI Chat API", "version": "0.1.0"}}

    openapi = fields.String(required=True, metadata={"description": "OpenAPI's version."})
    info = fields.Dict(required=True, metadata={"description": "Title, version, licence, theme."})


class WebsocketNoteSchema(Schema):
    """How to stream."""

    EXAMPLE = {
        "websocket": False,
        "note": "This version has no websockets. Answers stream over plain HTTP.",
        "streaming": {"POST /chat/stream": "Server-sent events."},
    }

    websocket = fields.Constant(False, required=True, metadata={"description": "There are none."})
    note = fields.String(required=True, metadata={"description": "What to do instead."})
    streaming = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "The routes that stream, and how."},
    )
