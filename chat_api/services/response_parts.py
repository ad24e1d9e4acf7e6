"""The parts of a response's output while they grow, and the padding of their events."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from chat_api.upstreams.base import JsonObject

TEXT_FIELDS = {"output_text": "text", "refusal": "refusal", "reasoning_text": "text"}
"""The kinds of parts, and the field that holds their text."""

STEP = 16

Pad = Callable[[str], JsonObject]
"""Gives what is added to the event of a delta, so that its size tells nothing."""


def padding(delta: str) -> JsonObject:
    """Random characters under `obfuscation`. Who sees only the sizes of encrypted packets could
    tell words by their lengths: with these a delta takes a multiple of 16 bytes."""
    missing = STEP - (len(orjson.dumps(delta)) - 2) % STEP  # its bytes in JSON, without quotes
    return {"obfuscation": secrets.token_urlsafe(STEP)[:missing]}


def no_padding(delta: str) -> JsonObject:
    """For callers who trust their network and would rather have the bytes."""
    return {}


class Part:
    """One part of an item's content.

    Args:
        kind: of `TEXT_FIELDS`; its events are called by it too.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._pieces: list[str] = []
        self._logprobs: list[Any] = []
        self._annotations: list[JsonObject] = []

    def add(self, piece: str, logprobs: Sequence[Any]) -> JsonObject:
        """Take a piece of text. Returns what the event of its delta tells."""
        self._pieces.append(piece)
        if self.kind != "output_text":
            return {"delta": piece}
        self._logprobs += logprobs
        return {"delta": piece, "logprobs": list(logprobs)}

    def annotate(self, annotation: JsonObject) -> JsonObject:
        """Take what the text refers to. Returns what its event tells."""
        self._annotations.append(annotation)
        return {"annotation_index": len(self._annotations) - 1, "annotation": annotation}

    def whole(self) -> JsonObject:
        """What the event at its end tells."""
        text = {TEXT_FIELDS[self.kind]: "".join(self._pieces)}
        return {**text, "logprobs": list(self._logprobs)} if self.kind == "output_text" else text

    def as_object(self) -> JsonObject:
        """The part as it stands."""
        if self.kind != "output_text":
            return {"type": self.kind, **self.whole()}
        return {
            "type": self.kind,
            "annotations": list(self._annotations),
            "logprobs": list(self._logprobs),
            "text": "".join(self._pieces),
        }
