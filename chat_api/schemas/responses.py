"""`POST /v1/responses`: OpenAI's request, as far as it is ours to judge."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, pre_load, validates_schema

from chat_api.errors import InvalidRequest
from chat_api.schemas.checks import unsupported
from chat_api.schemas.fields import Flag, Number, PassThroughSchema, Text
from chat_api.schemas.metadata import Metadata
from chat_api.schemas.response_fields import Conversation, Include, Members, OneOf
from chat_api.schemas.response_items import Input
from chat_api.schemas.response_shapes import NOT_TOGETHER
from chat_api.schemas.response_tools import TextFormat, ToolChoice, Tools, check_tool_choice

MOST_TOKENS = 2**31 - 1
MOST_LOGPROBS = 20

NOT_YET: dict[str, tuple[Any, ...]] = {
    "access_programs": (),
    "context_management": ([],),
    "image": (),
    "moderation": (),
    "prompt": (),
    # These belong to chat completions, and would change what is asked there, or answered:
    "audio": (),
    "function_call": (),
    "functions": (),
    "messages": (),
    "modalities": (),
    "n": (1,),
    "response_format": (),
}
"""Parameters that are refused, but for values that mean the same as leaving them out."""


class ResponseRequestSchema(PassThroughSchema):
    """OpenAI's request for a response. What is neither described here nor refused goes upstream
    untouched."""

    EXAMPLE = {"input": "What is the capital of France?"}
    ALSO = {
        "properties": {
            name: {"enum": [None, *values], "description": "Not supported."}
            for name, values in NOT_YET.items()
        },
        "allOf": NOT_TOGETHER,
    }

    input = Input(required=True, description="A text, or items, oldest first.")
    model = Text(
        is_name=True, allow_none=True, description="Model name; the server's default when left out."
    )
    instructions = Text(allow_none=True, description="A system message before the input.")
    previous_response_id = Text(
        allow_none=True, description="A stored response; the conversation goes on from there."
    )
    conversation = Conversation(
        allow_none=True, description="A conversation's id; its items come before the input."
    )
    temperature = Number(0, 2, allow_none=True, description="Sampling temperature, 0 to 2.")
    top_p = Number(0, 1, allow_none=True, description="Nucleus sampling, 0 to 1.")
    max_output_tokens = Number(
        1, MOST_TOKENS, whole=True, allow_none=True, description="Most tokens of the answer."
    )
    max_tool_calls = Number(
        1,
        MOST_TOKENS,
        whole=True,
        allow_none=True,
        description="Most calls of hosted tools. There are none here: it is only given back.",
    )
    metadata = Metadata(allow_none=True, description="Up to 16 pairs of strings, given back.")
    tools = Tools(allow_none=True, description="Functions that the model may call.")
    tool_choice = ToolChoice(
        allow_none=True,
        description="`auto`, `none`, `required`, a function of `tools`, or some of them.",
    )
    parallel_tool_calls = Flag(
        allow_none=True, description="Whether several functions may be called at once."
    )
    reasoning = Members(
        dict.fromkeys(("effort", "summary", "generate_summary", "mode", "context"), str),
        allow_none=True,
        description="`effort`: how long to think. Summaries are not made.",
    )
    text = TextFormat(
        allow_none=True, description="`format`: text, JSON, or JSON of a schema; `verbosity`."
    )
    include = Include(allow_none=True, description="What else the response shall hold.")
    top_logprobs = Number(
        0,
        MOST_LOGPROBS,
        whole=True,
        allow_none=True,
        description="How many likely tokens to tell at each place, 0 to 20.",
    )
    truncation = OneOf(
        "auto",
        "disabled",
        allow_none=True,
        description="`auto` drops the beginning of a conversation that is too long.",
    )
    stream = Flag(allow_none=True, description="Stream the response as server-sent events.")
    stream_options = Members(
        {"include_obfuscation": bool},
        allow_none=True,
        description="With `stream` only; `include_obfuscation`: false leaves the padding out.",
    )
    background = Flag(
        allow_none=True, description="Answer at once, and work on; `store` must not be false."
    )
    store = Flag(allow_none=True, description="Whether to store the response; true if left out.")
    service_tier = Text(allow_none=True, description="How fast and dear; the upstream's to judge.")
    safety_identifier = Text(allow_none=True, description="Tells your users apart.")
    prompt_cache_key = Text(allow_none=True, description="Tells similar requests apart.")
    prompt_cache_retention = Text(allow_none=True, description="How long prompts are cached.")
    prompt_cache_options = Members(
        dict.fromkeys(("mode", "ttl", "comparison_response_id"), str),
        allow_none=True,
        description="`mode` and `ttl` of the prompt cache.",
    )
    user = Text(allow_none=True, description="Tells your users apart; older name.")

    @pre_load
    def fill_input(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A conversation may go on without a word."""
        if data.get("input") is None and _goes_on(data):
            return {**data, "input": []}
        return data

    @validates_schema
    def check_input(self, data: dict[str, Any], **_: Any) -> None:
        """A conversation begins with something, and goes on from one place."""
        if not data["input"] and type(data["input"]) is list and not _goes_on(data):
            raise ValidationError({"input": ["must hold at least one item."]})
        if data.get("previous_response_id") is not None and data.get("conversation") is not None:
            text = "Mutually exclusive parameters: 'previous_response_id'. Ensure you are only "
            text += "providing one of: 'previous_response_id' or 'conversation'."
            raise InvalidRequest(text, "previous_response_id", "mutually_exclusive_parameters")

    @validates_schema
    def check_stream(self, data: dict[str, Any], **_: Any) -> None:
        """Options say something about a stream, and what runs on must be kept somewhere."""
        if data.get("stream_options") is not None and not data.get("stream"):
            raise ValidationError({"stream_options": ["is allowed only with `stream`: true."]})
        if data.get("background") and data.get("store") is False:
            raise ValidationError({"background": ["is allowed only where `store` is not false."]})

    @validates_schema
    def check_tools(self, data: dict[str, Any], **_: Any) -> None:
        """The choice is one of the tools."""
        check_tool_choice(data.get("tools") or [], data.get("tool_choice"))

    @validates_schema
    def check_support(self, data: dict[str, Any], **_: Any) -> None:
        """What is not there is refused, never dropped."""
        for name, value in data.items():
            if name in NOT_YET and value is not None and not _is_one_of(value, NOT_YET[name]):
                raise unsupported(name)


def _goes_on(data: dict[str, Any]) -> bool:
    return any(data.get(name) is not None for name in ("previous_response_id", "conversation"))


def _is_one_of(value: Any, values: tuple[Any, ...]) -> bool:
    """As JSON sees it: to Python `false` is 0, and `true` is 1."""
    return any(type(value) is type(known) and value == known for known in values)
