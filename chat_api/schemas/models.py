"""What the model routes answer."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields


class ModelNamesSchema(Schema):
    """The names that may be asked for."""

    EXAMPLE = {
        "models": ["gpt-4o", "gpt-4o-mini", "o1-mini"],
        "default": "gpt-4o-mini",
        "aliases": {"o1-mini": "gpt-5.4-mini"},
        "retires": {"gpt-4o": "2027-01-14", "gpt-4o-mini": "2027-01-14"},
    }

    models = fields.List(fields.String(), required=True, metadata={"description": "Model names."})
    default = fields.String(
        required=True, metadata={"description": "What a request without `model` gets."}
    )
    aliases = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Names that another model answers for, and that model."},
    )
    retires = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Names that OpenAI shuts down, and the day, as in `2027-01-14`."},
    )


class ModelSchema(Schema):
    """OpenAI's model object; an upstream may add to it."""

    class Meta:
        unknown = INCLUDE

    EXAMPLE = {
        "id": "gpt-4o-mini",
        "object": "model",
        "created": 1_721_172_741,
        "owned_by": "system",
    }

    id = fields.String(required=True, metadata={"description": "The name to ask for."})
    object = fields.Constant("model", required=True, metadata={"description": "Always `model`."})
    created = fields.Integer(
        required=True, metadata={"description": "UTC epoch seconds, 0 where it is not known."}
    )
    owned_by = fields.String(required=True, metadata={"description": "Who offers it."})


class ModelListSchema(Schema):
    """OpenAI's list of models."""

    EXAMPLE = {"object": "list", "data": [ModelSchema.EXAMPLE]}

    object = fields.Constant("list", required=True, metadata={"description": "Always `list`."})
    data = fields.List(
        fields.Nested(ModelSchema), required=True, metadata={"description": "The models."}
    )
