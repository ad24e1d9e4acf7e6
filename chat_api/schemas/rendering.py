"""`POST /ui/render`."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields

from chat_api.schemas.fields import TEXT, RequestSchema, StrictField

MOST_TEXTS = 1000


class Texts(StrictField[list[str]]):
    """A list of strings."""

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        return {"type": "array", "maxItems": MOST_TEXTS, "items": {"type": "string"}}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> list[str]:
        if type(value) is not list or len(value) > MOST_TEXTS:
            raise ValidationError(f"must be an array of at most {MOST_TEXTS} strings.")
        for index, text in enumerate(value):
            if type(text) is not str:
                raise ValidationError({index: [TEXT]})
        return value


class RenderRequestSchema(RequestSchema):
    """Texts to be shown on a page."""

    EXAMPLE = {"texts": ["**Paris** is the capital of France."]}

    texts = Texts(
        required=True,
        description=f"Markdown, at most {MOST_TEXTS} texts and 100,000 characters in all.",
    )


class RenderedSchema(Schema):
    """The same as HTML."""

    EXAMPLE = {"html": ['<p dir="auto"><strong>Paris</strong> is the capital of France.</p>\n']}

    html = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "HTML without anything that can run, in order."},
    )
