"""Who is asking, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chat_api.services.usage import tokens
from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.waiting import Caller


class Tried(NamedTuple):
    """An upstream that was asked, how often, and how that ended: `ok`, or the error's class."""

    upstream: str
    attempts: int
    outcome: str


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
    """Tries, at whatever upstream."""
    passed_by: list[Tried] = field(default_factory=list)
    """Who was asked before `upstream`."""
    dropped_params: list[str] = field(default_factory=list)
    """What the one who is asked was not told of the request, for `x-dropped-params`: a parameter's
    name, or `name=other` where it went under another one."""
    upstream_headers: Mapping[str, str] | None = None
    """Those of the reply, names in lower case; None where there are none."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    outcome: str | None = None
    """`ok`, or the name of the error's class; None where the status says it all."""
    cause: str | None = None
    """The class of what lay behind that error: a refused connection, a bad certificate."""

    def pass_by(self, upstream: str, error: Exception) -> None:
        """Note that an upstream failed and another one is asked."""
        self.passed_by.append(self._tried(upstream, type(error).__name__))

    def drop(self, param: str) -> None:
        """Note that a parameter was left out or renamed."""
        if param not in self.dropped_params:  # several calls for one answer each drop the same
            self.dropped_params.append(param)

    def last_tried(self, outcome: str) -> Tried:
        """The upstream that was asked last, and its part of the tries."""
        return self._tried(self.upstream or "", outcome)

    def _tried(self, upstream: str, outcome: str) -> Tried:
        before = sum(tried.attempts for tried in self.passed_by)
        return Tried(upstream, self.attempts - before, outcome)

    def book(self, usage: JsonObject | None) -> None:
        """Note the tokens of an answer's `usage`."""
        self.prompt_tokens = tokens(usage, "prompt_tokens")
        self.completion_tokens = tokens(usage, "completion_tokens")


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
