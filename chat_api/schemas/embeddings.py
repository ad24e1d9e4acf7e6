"""`POST /v1/embeddings`: what is taken, and what is answered."""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields

from chat_api.schemas.fields import Number, PassThroughSchema, StrictField, Text
from chat_api.schemas.words import OneOf

MOST_INPUTS = 2048
LARGEST_TOKEN_ID = 2**31 - 1
MOST_DIMENSIONS = 16_384
ENCODINGS = ("float", "base64")
_TOKEN_IDS = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "integer", "minimum": 0, "maximum": LARGEST_TOKEN_ID},
}
_TEXT = {"type": "string", "minLength": 1}


class EmbeddingInput(StrictField[Any]):
    """A text, an array of texts, the token ids of a text, or an array of those."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if type(value) is list and not (value and type(value[0]) is int):
            if not 1 <= len(value) <= MOST_INPUTS:
                raise ValidationError(f"must hold 1 to {MOST_INPUTS} inputs.")
            kind = type(value[0])
            for index, item in enumerate(value):
                if type(item) is not kind or kind not in (str, list):
                    wanted = "must be a text or an array of token ids, as all others."
                    raise ValidationError({index: [wanted]})
                if problem := _problem(item):
                    raise ValidationError({index: [problem]})
        elif problem := _problem(value):
            raise ValidationError(problem)
        return value

    def shape(self) -> dict[str, Any]:
        """See `StrictField.shape`."""
        several = {"type": "array", "minItems": 1, "maxItems": MOST_INPUTS}
        arrays = [{**several, "items": _TEXT}, {**several, "items": _TOKEN_IDS}]
        return {"anyOf": [_TEXT, _TOKEN_IDS, *arrays]}


class EmbeddingRequestSchema(PassThroughSchema):
    """OpenAI's request for embeddings. Fields not named here go upstream untouched."""

    EXAMPLE = {"model": "text-embedding-3-small", "input": "The capital of France is Paris."}

    input = EmbeddingInput(
        required=True,
        description="A text, or up to 2,048 of them; token ids in place of a text. None empty.",
    )
    model = Text(required=True, is_name=True, not_blank=True, description="Model name.")
    encoding_format = OneOf(
        *ENCODINGS,
        allow_none=True,
        description="`float` (the default), or `base64` of 32-bit floats, little endian.",
    )
    dimensions = Number(
        1, MOST_DIMENSIONS, whole=True, allow_none=True, description="Numbers in each vector."
    )
    user = Text(allow_none=True, description="Tells your users apart.")


class EmbeddingSchema(Schema):
    """The vector of one text."""

    class Meta:
        unknown = INCLUDE

    object = fields.String(metadata={"description": "`embedding`."})
    index = fields.Integer(metadata={"description": "The number of its text, from 0."})
    embedding = fields.Raw(
        required=True, metadata={"description": "An array of numbers, or base64 if asked for."}
    )


class EmbeddingListSchema(Schema):
    """OpenAI's list of embeddings, as the upstream wrote it."""

    class Meta:
        unknown = INCLUDE

    EXAMPLE = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.0023, -0.0093, 0.0158]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }

    object = fields.String(metadata={"description": "`list`."})
    data = fields.List(
        fields.Nested(EmbeddingSchema),
        required=True,
        metadata={"description": "The vectors, in the order of the texts."},
    )
    model = fields.String(metadata={"description": "The model that made them."})
    usage = fields.Dict(allow_none=True, metadata={"description": "Tokens used."})


def _problem(value: Any) -> str | None:
    """What is wrong with one input."""
    if type(value) is str:
        return None if value else "must not be empty."
    if type(value) is not list:
        return "must be a text, an array of texts, or an array of token ids."
    if not value:
        return "must not be empty."
    # By the set of its types: of the ways to look at a million numbers the fast one.
    if set(map(type, value)) != {int} or not 0 <= min(value) <= max(value) <= LARGEST_TOKEN_ID:
        return f"must hold token ids: whole numbers from 0 to {LARGEST_TOKEN_ID}."
    return None
