"""OpenAI's Responses, made of chat completions."""

from __future__ import annotations

import secrets
import time

from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.services.response_events import ResponseBuilder
from chat_api.services.response_items import input_items, messages_of
from chat_api.services.response_requests import completion_request
from chat_api.upstreams.base import JsonObject

SHORT_FORM = {"input", "model", "instructions", "temperature"}


class ResponseService:
    """Responses on top of the gateway, so on every upstream."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def create(self, request: JsonObject, client: Client) -> JsonObject:
        """A response, whole.

        Args:
            request: a loaded `ResponseRequestSchema`.
        """
        response_id = f"resp_{secrets.token_hex(24)}"
        builder = ResponseBuilder(
            request, response_id=response_id, created_at=int(time.time()), store=False
        )
        messages = messages_of(input_items(request["input"]))
        completion = self._gateway.complete(completion_request(request, messages), client)
        builder.feed_whole(completion.data)
        builder.finish()
        return builder.response


def is_short(request: JsonObject) -> bool:
    """Whether a request asks for so little that the short form says all."""
    given = {name for name, value in request.items() if value is not None}
    return given <= SHORT_FORM and isinstance(request["input"], str)


def short_form(response: JsonObject) -> JsonObject:
    """A response as the text of its messages."""
    parts = [
        part for item in response["output"] if item["type"] == "message" for part in item["content"]
    ]
    text = "".join(part.get("text") or part.get("refusal") or "" for part in parts)
    return {"model": response["model"], "output": {"role": "assistant", "content": text}}
