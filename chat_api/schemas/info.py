"""What the server says of itself."""

from __future__ import annotations

from marshmallow import Schema, fields


class IndexSchema(Schema):
    """Name, version and routes."""

    EXAMPLE = {
        "name": "OpenAI Chat API",
        "version": "0.1.0",
        "description": "Chat completions for front ends.",
        "status": "healthy",
        "endpoints": {"GET /health": "Check API health status"},
        "documentation": "/docs",
    }

    name = fields.String(required=True, metadata={"description": "The service's name."})
    version = fields.String(required=True, metadata={"description": "Its version."})
    description = fields.String(required=True, metadata={"description": "What it does."})
    status = fields.Constant("healthy", required=True, metadata={"description": "It answers."})
    endpoints = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Every route, and what it does."},
    )
    documentation = fields.String(required=True, metadata={"description": "Where to read on."})


class ConnectionSchema(Schema):
    """What the server sees of a request's way: a proxy's doing, where there is one."""

    http_version = fields.String(
        required=True, metadata={"description": "What is spoken to the server, as `HTTP/1.1`."}
    )
    forwarded_for = fields.Integer(
        required=True, metadata={"description": "Entries in `X-Forwarded-For`, one a proxy."}
    )
    trusted_proxies = fields.Integer(
        required=True, metadata={"description": "How many of them are believed."}
    )


class InfoSchema(Schema):
    """Provider, default model, features and limits."""

    EXAMPLE = {
        "name": "OpenAI Chat API",
        "version": "0.1.0",
        "description": "Chat completions for front ends.",
        "provider": "OpenAI",
        "default_model": "gpt-4o-mini",
        "features": ["chat", "streaming"],
        "limits": {"max_body_bytes": 20_971_520, "max_choices": 16, "requests_per_minute": None},
        "connection": {"http_version": "HTTP/1.1", "forwarded_for": 0, "trusted_proxies": 0},
        "theme": {"name": "Ocean Professional", "primary": "#2563EB"},
    }

    name = fields.String(required=True, metadata={"description": "The service's name."})
    version = fields.String(required=True, metadata={"description": "Its version."})
    description = fields.String(required=True, metadata={"description": "What it does."})
    provider = fields.String(required=True, metadata={"description": "Who answers by default."})
    default_model = fields.String(
        required=True, metadata={"description": "What a request without `model` gets."}
    )
    features = fields.List(
        fields.String(), required=True, metadata={"description": "What it can do."}
    )
    limits = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Float(allow_none=True),
        metadata={"description": "Bounds, units in their names; null: none."},
    )
    connection = fields.Nested(
        ConnectionSchema, required=True, metadata={"description": "How this request came here."}
    )
    theme = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "The pages' colours."},
    )
