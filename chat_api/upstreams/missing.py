"""What stands in where no upstream is set up: the server runs and says what to set."""

from __future__ import annotations

from typing import NoReturn

from chat_api.errors import NoUpstream
from chat_api.upstreams.base import Call, JsonObject
from chat_api.upstreams.parameters import NONE

WHAT_TO_SET = (
    "No model is set up here. Set OPENAI_API_KEY, or OPENAI_BASE_URL for another "
    "OpenAI-compatible server, or OLLAMA_URL, or install the local model (`make run` does), or "
    "try UPSTREAM=mock."
)


class MissingUpstream:
    """See the module's text."""

    name = "none"
    provider = "none"
    is_set_up = False
    accepts_caller_keys = False
    answers_for: tuple[str, ...] = ()
    implied_suffix = ""
    answers_one_choice = False
    ignores = NONE
    context_tokens = 0
    retry_pause_seconds = 0.0

    def __init__(self, *, default_model: str) -> None:
        self.default_model = default_model

    def complete(self, call: Call) -> NoReturn:
        """Raises: NoUpstream, always."""
        raise NoUpstream(WHAT_TO_SET)

    def stream(self, call: Call) -> NoReturn:
        """Raises: NoUpstream, always."""
        raise NoUpstream(WHAT_TO_SET)

    def embed(self, call: Call) -> NoReturn:
        """Raises: NoUpstream, always."""
        raise NoUpstream(WHAT_TO_SET)

    def models(self) -> list[JsonObject]:
        """None."""
        return []

    def close(self) -> None:
        """Nothing is open."""
