"""What this server does in OpenAPI's words, made of the mounted blueprints and their schemas.

Routes say by their decorators what they take, answer and may raise. What all have in common is
added here: keys, headers, errors in their family's shape, examples.
"""

from __future__ import annotations

import inspect
from typing import Any

import flask_smorest
from apispec import APISpec, BasePlugin
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from flask_smorest.spec.plugins import FlaskPlugin
from flask_smorest.utils import deepupdate
from marshmallow import Schema
from marshmallow.fields import Field
from werkzeug.routing import PathConverter, Rule

from chat_api import errors
from chat_api.schemas.fields import StrictField
from chat_api.schemas.response_shapes import RESPONSE_SHAPES
from chat_api.schemas.shapes import SHAPES
from chat_api.version import __version__
from chat_api.web.auth import is_public
from chat_api.web.bodies import needs_body
from chat_api.web.errors import family
from chat_api.web.failures import A_BODY, A_KEYED_CALL, Failure, error_responses, raised_by
from chat_api.web.idempotency import HEADER, KEY, REPLAYED, is_idempotent
from chat_api.web.limits import HEADERS as LIMITS
from chat_api.web.limits import OPENAI_HEADERS as OPENAI_LIMITS
from chat_api.web.limits import header_names, is_limited

VERSION = "3.1.0"
JSON = "application/json"

SECURITY_SCHEMES = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "One of the server's `API_KEY`s.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "One of the server's `API_KEY`s. `sk-…` that is none of them is your own "
        "OpenAI key, used for this one call.",
    },
}
HEADERS = {
    "X-Request-ID": "The request's id, yours if you sent one; it is in the log too.",
    "Retry-After": "Whole seconds after which to try again.",
    "retry-after-ms": "Milliseconds after which to try again, where the upstream said them.",
    "x-should-retry": "`false`: the same request will fare no better soon. OpenAI's clients obey.",
    "Idempotent-Replayed": "`true`: the reply is that of an earlier call under the same key.",
    "x-upstream": "The upstream that answered.",
    "x-upstream-attempts": "How often upstreams were asked, retries and fallbacks included.",
    "x-dropped-params": "Parameters that were left out for the model that answers, or renamed "
    "(`max_tokens=max_completion_tokens`).",
    "x-model-alias": "The model name asked for, where another model answered for it.",
}
LIMIT_TEXTS = (
    "How many calls you may make in any minute.",
    "How many of them are left.",
    "When there is room for one more.",
)
for names in (LIMITS, OPENAI_LIMITS):
    HEADERS |= dict(zip(names, LIMIT_TEXTS, strict=True))
IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "description": "A call that is made again under its key within a day gets the first one's "
    "reply. Not for streams.",
    "schema": {"type": "string", "pattern": f"^{KEY}$"},
}
OF_ALL = ("X-Request-ID",)
OF_MODEL_CALLS = (*OF_ALL, "x-upstream", "x-upstream-attempts", "x-dropped-params", "x-model-alias")


def describe(app: Flask, info: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document of an application. Takes a few dozen milliseconds.

    Args:
        info: OpenAPI's `info`, but for the version.
    """
    schemas = SchemaPlugin()
    rules = FlaskPlugin()
    # In this order: what all routes have in common may be said in schemas, too.
    plugins = [rules, CommonPlugin(app), schemas]
    spec = APISpec(info["title"], __version__, VERSION, plugins, info=info, servers=[{"url": "/"}])
    rules.register_converter(PathConverter, lambda _: {"type": "string", "minLength": 1})
    for name, shape in (SHAPES | RESPONSE_SHAPES).items():
        spec.components.schema(name, shape)
    for name, scheme in SECURITY_SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    for name, text in HEADERS.items():
        kind = "integer" if name == "Retry-After" else "string"
        spec.components.header(name, {"description": text, "schema": {"type": kind}})

    for blueprint in app.blueprints.values():
        if isinstance(blueprint, flask_smorest.Blueprint):
            blueprint.register_views_in_doc(Api(), app, spec, name=blueprint.name, parameters=None)
            spec.tag({"name": blueprint.name, "description": blueprint.description})
    return spec.to_dict()


class Api(flask_smorest.Api):  # type: ignore[misc]
    """What blueprints ask for defaults. Never set up: its error handlers are not ours."""

    DEFAULT_ERROR_RESPONSE_NAME = None


class Converter(OpenAPIConverter):
    """Knows our own fields; adds to a schema its text, and what it says under `ALSO`."""

    def init_attribute_functions(self) -> None:
        """See `FieldConverterMixin.init_attribute_functions`."""
        super().init_attribute_functions()  # type: ignore[no-untyped-call]
        self.add_attribute_function(_strict_field2properties)  # type: ignore[no-untyped-call]

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        """See `OpenAPIConverter.schema2jsonschema`."""
        shape: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        shape["description"] = inspect.cleandoc(type(schema).__doc__ or "").replace("\n", " ")
        return deepupdate(shape, getattr(schema, "ALSO", {}))  # type: ignore[no-any-return]


class SchemaPlugin(MarshmallowPlugin):
    """Schemas as components."""

    Converter = Converter


class CommonPlugin(BasePlugin):
    """Completes every operation by what its view, its guard and its family say."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def operation_helper(
        self, path: str | None = None, operations: dict[str, Any] | None = None, **options: Any
    ) -> None:
        """See `BasePlugin.operation_helper`."""
        rule: Rule = options["rule"]
        for operation in (operations or {}).values():
            self._complete(operation, rule)

    def _complete(self, operation: dict[str, Any], rule: Rule) -> None:
        public = is_public(self._app, rule.endpoint)
        failures: list[Failure] = []
        if "requestBody" in operation:
            failures += A_BODY
            body = operation["requestBody"]
            body["required"] = needs_body(body["content"][JSON]["schema"])
        if not public:
            failures.append(errors.KeyMissing)
        limited = is_limited(self._app, rule.endpoint)
        if limited:
            failures += [errors.RateLimited, errors.Overloaded]
        view = self._app.view_functions[rule.endpoint]
        failures += raised_by(view)
        obeys_key = is_idempotent(view)
        if obeys_key:
            failures += A_KEYED_CALL
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        failures.append(errors.InternalError)
        asks_model = errors.UpstreamError in failures

        operation["operationId"] = rule.endpoint
        operation["security"] = self._security(public)
        replies = error_responses(tuple(failures), family(rule.rule))
        for status, said in operation.get("responses", {}).items():
            # A route's own word counts for more; flask-smorest's is a mere name of the status.
            if isinstance(said, dict):
                replies[str(status)] = said
        operation["responses"] = dict(sorted(replies.items()))
        for reply in replies.values():
            names = [*(OF_MODEL_CALLS if asks_model else OF_ALL), *reply.get("headers", ())]
            names += header_names(rule.rule) if limited else ()
            names += (REPLAYED,) if obeys_key else ()
            reply["headers"] = {name: name for name in names} | reply.get("headers", {})
            _add_examples(reply)
        _add_examples(operation.get("requestBody", {}))

    def _security(self, public: bool) -> list[dict[str, list[str]]]:
        if public:
            return []
        wanted: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]
        open_to_all = not self._app.config["SETTINGS"].api_keys
        return [{}, *wanted] if open_to_all else wanted


def _add_examples(body: dict[str, Any]) -> None:
    """The examples of the schemas that a body may have."""
    for media in body.get("content", {}).values():
        schema = media["schema"]
        kinds = schema.get("anyOf", ()) if isinstance(schema, dict) else (schema,)
        examples = {
            kind.__name__.removesuffix("Schema"): {"value": kind.EXAMPLE}
            for kind in (kind if isinstance(kind, type) else type(kind) for kind in kinds)
            if hasattr(kind, "EXAMPLE")
        }
        if examples and not {"example", "examples"} & media.keys():
            media["examples"] = examples


def _strict_field2properties(self: OpenAPIConverter, field: Field[Any], **_: Any) -> dict[str, Any]:
    """What our own fields say of themselves."""
    return field.json_schema() if isinstance(field, StrictField) else {}
