"""What the model routes answer."""

from __future__ import annotations

from marshmallow import Schema, fields


class ModelNamesSchema(Schema):
    """The names that may be asked for."""

    models = fields.List(fields.String(), metadata={"description": "Model names."})
    default = fields.String(metadata={"description": "What a request without `model` gets."})
    aliases = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Names that another model answers for, and that model."},
    )


class ModelSchema(Schema):
    """OpenAI's model object."""

    id = fields.String(metadata={"description": "The name to ask for."})
    object = fields.Constant("model", metadata={"description": "Always `model`."})
    created = fields.Integer(
        metadata={"description": "UTC epoch seconds, 0 where it is not known."}
    )
    owned_by = fields.String(metadata={"description": "Who offers it."})


class ModelListSchema(Schema):
    """OpenAI's list of models."""

    object = fields.Constant("list", metadata={"description": "Always `list`."})
    data = fields.List(fields.Nested(ModelSchema), metadata={"description": "The models."})
