"""What the health routes answer."""

from __future__ import annotations

from typing import ClassVar

from marshmallow import Schema, fields, validate


class HealthSchema(Schema):
    """The process answers."""

    EXAMPLE: ClassVar[dict[str, object]] = {
        "status": "healthy",
        "service": "OpenAI Chat API",
        "provider": "OpenAI",
    }

    status = fields.Constant("healthy", required=True, metadata={"description": "It answers."})
    service = fields.String(required=True, metadata={"description": "The service's name."})
    provider = fields.String(
        required=True, metadata={"description": "Who answers chats by default."}
    )


class SessionHealthSchema(HealthSchema):
    """The store answers too."""

    EXAMPLE = HealthSchema.EXAMPLE | {"active_sessions": 12}

    active_sessions = fields.Integer(
        required=True, metadata={"description": "How many sessions there are."}
    )


class CheckSchema(Schema):
    """One thing that can be down."""

    status = fields.String(
        required=True,
        validate=validate.OneOf(["ok", "down", "cooling"]),
        metadata={
            "description": "Whether it can be used; an upstream that cools off is passed by "
            "where another can be asked."
        },
    )
    detail = fields.String(required=True, metadata={"description": "Which one, or what is wrong."})
    seconds = fields.Float(metadata={"description": "How much longer it cools off, seconds."})


class ReadinessSchema(Schema):
    """Whether a call would be answered."""

    EXAMPLE = {
        "status": "ready",
        "checks": {
            "upstream": {"status": "ok", "detail": "openai"},
            "store": {"status": "ok", "detail": "sqlite"},
            "limiter": {"status": "ok", "detail": "sqlite"},
        },
        "upstreams": {"openai": {"status": "ok", "detail": "openai"}},
    }

    status = fields.String(
        required=True,
        validate=validate.OneOf(["ready", "not ready"]),
        metadata={"description": "All checks in one word."},
    )
    checks = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Nested(CheckSchema),
        metadata={"description": "Each thing that can be down; of upstreams the default one."},
    )
    upstreams = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Nested(CheckSchema),
        metadata={"description": "Every upstream, by what its last calls showed."},
    )
