"""Parameters that a model does not take: left out or renamed once it has refused them, and told.

OpenAI's newer models refuse what older ones took (`max_tokens`, `temperature`). Callers that do not
know it get an answer all the same, and `x-dropped-params` says at what price.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from chat_api.errors import UpstreamRefused
from chat_api.services.clients import CallRecord
from chat_api.upstreams.base import Call, JsonObject, Upstream

RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""Two names of one thing. Left out, an answer could become as long as it likes."""

MAY_BE_LEFT_OUT = frozenset(
    (
        *("temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "seed"),
        *("logprobs", "top_logprobs", "stop", "parallel_tool_calls", "reasoning_effort"),
        *("verbosity", "prediction", "user", "safety_identifier"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    )
)
"""Without them there is still an answer to the same question."""

NEEDED_BY = {"logprobs": "top_logprobs"}
"""The second makes no sense without the first, and would be the next to be refused."""

MOST_CHANGES = 8
"""To one call. OpenAI's reasoning models refuse one parameter after the other."""
MOST_MODELS = 1_000
MOST_VALUES = 32


@dataclass(slots=True)
class Learned:
    """What one model of one upstream has refused."""

    names: dict[str, str | None] = field(default_factory=dict)
    """Parameters that it takes with no value (or with its default only), and their other name."""
    values: dict[tuple[str, Any], None] = field(default_factory=dict)
    """Single values of parameters; those that were learned last at the end."""

    def unfit(self, body: JsonObject) -> list[str]:
        """What of a body the model is known to refuse."""
        return [
            name
            for name, value in body.items()
            if name in self.names
            or (self.values and _is_plain(value) and (name, value) in self.values)
        ]


class Parameters:
    """What models refused, as this process has seen it.

    Args:
        is_strict: nothing is changed: a refusal is the caller's to see.
    """

    def __init__(self, *, is_strict: bool = False) -> None:
        self._is_strict = is_strict
        self._learned: dict[tuple[str, str], Learned] = {}
        """By upstream and model, those that were learned last at the end."""

    def fitted(self, body: JsonObject, upstream: Upstream, record: CallRecord) -> JsonObject:
        """The body as that upstream's model is known to take it; the record says what it lacks."""
        record.dropped_params = _ignored(body, upstream) if upstream.ignores else []
        if not self._learned:
            return body
        learned = self._learned.get((upstream.name, body["model"]))
        if learned is not None:
            for name in learned.unfit(body):
                body = _without(body, name, learned.names.get(name), record)
        return body

    def adapted(
        self, call: Call, upstream: Upstream, refusal: UpstreamRefused, record: CallRecord
    ) -> Call:
        """The call without what the upstream has just refused, which is remembered.

        Raises:
            UpstreamRefused: that very refusal, where it is about anything else.
        """
        name, body = refusal.param or "", call.body
        whole = refusal.code == "unsupported_parameter"
        if self._is_strict or refusal.status != 400 or body.get(name) is None:
            raise refusal
        if not whole and refusal.code != "unsupported_value":
            raise refusal
        learned = self._of(upstream.name, body["model"])
        other = RENAMED.get(name)
        if other is not None and (not whole or other in learned.names):
            raise refusal
        if other is None and name not in MAY_BE_LEFT_OUT:
            raise refusal
        # "Only the default (1) value is supported": no other one need be tried.
        if whole or "default" in str(refusal):
            learned.names[name] = other
        elif _is_plain(body[name]):
            learned.values[name, body[name]] = None
            _shorten(learned.values, MOST_VALUES)
        return dataclasses.replace(call, body=_without(body, name, other, record))

    def _of(self, upstream: str, model: str) -> Learned:
        learned = self._learned.setdefault((upstream, model), Learned())
        _shorten(self._learned, MOST_MODELS)
        return learned


def _without(body: JsonObject, name: str, other: str | None, record: CallRecord) -> JsonObject:
    """The body without that parameter, or with it under its other name."""
    gone = {name, NEEDED_BY.get(name)}
    rest = {key: value for key, value in body.items() if key not in gone}
    if other is not None and body.get(other) is None:
        rest[other] = body[name]
        record.drop(f"{name}={other}")
        return rest
    for key in body.keys() & gone:
        if body[key] is not None:
            record.drop(key)
    return rest


def _ignored(body: JsonObject, upstream: Upstream) -> list[str]:
    """What the upstream has no word for, where it asks for something."""
    flat = dict(body)
    for name, value in (body.get("stream_options") or {}).items():
        flat[f"stream_options.{name}"] = value
    return [
        name
        for name, nothing in upstream.ignores.items()
        if flat.get(name) is not None and flat[name] not in nothing
    ]


def _is_plain(value: Any) -> bool:
    """Whether a value can be remembered: not a text of any length, nor what holds others."""
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 64)


def _shorten(found: dict[Any, Any], most: int) -> None:
    if len(found) > most:
        del found[next(iter(found))]
