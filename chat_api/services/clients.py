"""Who is asking, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.waiting import Caller


@dataclass(slots=True)
class CallRecord:
    """What is told of a call afterwards, in the log line. No prompt, no key."""

    request_id: str = ""
    model: str | None = None
    """The model that was asked, None where it did not come to that."""
    alias: str | None = None
    """The name the caller asked for, where another model answers for it."""
    upstream: str | None = None
    attempts: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    outcome: str | None = None
    """`ok`, or the name of the error's class; None where the status says it all."""
    cause: str | None = None
    """The class of what lay behind that error: a refused connection, a bad certificate."""

    def book(self, usage: JsonObject | None) -> None:
        """Note the tokens of an answer's `usage`."""
        if type(usage) is dict:
            self.prompt_tokens = usage.get("prompt_tokens")
            self.completion_tokens = usage.get("completion_tokens")


@dataclass(slots=True)
class Client:
    """Who is asking."""

    caller: Caller = field(default_factory=Caller)
    owner: str = ""
    """Stands for the key of this server's that opened the request; "" where it wants none."""
    upstream_key: str | None = field(default=None, repr=False)
    """The caller's own key for the upstream; used where the upstream takes such keys."""
    openai_only: bool = False
    """That key came in the body (`services.caller_keys`): the call is OpenAI's, whoever else
    answers here."""
    record: CallRecord = field(default_factory=CallRecord)
