"""What every upstream promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from chat_api.upstreams.parameters import Ignored
from chat_api.upstreams.waiting import Caller

JsonObject = dict[str, Any]

OPENAI_NAMES = ("gpt-*", "o1*", "o3*", "o4*", "chatgpt-*")
"""Patterns of OpenAI's own model names, as examples ask for them."""


@dataclass(slots=True)
class Call:
    """One chat completion to be asked for, or the vectors of texts.

    `body` is the JSON object of OpenAI's `POST /chat/completions`, its `model` and its
    `stream` set, or that of `POST /embeddings`. `caller` is watched while the upstream is silent.
    `caller_key` is the caller's own key for the upstream, None for the server's.
    """

    body: JsonObject
    caller: Caller = field(default_factory=Caller)
    caller_key: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Completion:
    """A whole reply: the upstream's bytes, and the same parsed. `headers` are the upstream's, names
    in lower case; None where it speaks no HTTP of ours, or several replies were put together."""

    raw: bytes
    data: JsonObject
    headers: Mapping[str, str] | None = None


@dataclass(slots=True)
class Embeddings:
    """OpenAI's list of vectors, parsed; each is an array of numbers, or base64 of 32-bit floats,
    whatever was asked for.

    `raw` is the upstream's bytes; None when they must be written. `headers` as in `Completion`.
    """

    raw: bytes | None
    data: JsonObject
    headers: Mapping[str, str] | None = None


class Event(NamedTuple):
    """One event of a streamed completion, parsed.

    `raw` is its frame as it came, blank line included; None when it must be written anew
    (it was not a lone `data:` line, or something in it had to be changed).
    """

    raw: bytes | None
    data: JsonObject


class EventStream(Protocol):
    """The events of a streamed completion, as they come."""

    ended: bool
    """The upstream said all it had to say (`[DONE]`, or the end of its body)."""

    def read(self, until: float) -> list[Event]:
        """Wait for events; [] when none came until then, or when the stream ended.

        Args:
            until: a moment of `time.monotonic()`.

        Raises:
            UpstreamError: it refused, stayed silent too long, broke off, or said nonsense.
            CallerGone: the caller left meanwhile.
        """

    def close(self) -> None:
        """Let go of the upstream, which stops its work. May be called twice, and by another
        thread or greenlet than the reading one."""


class UpstreamStream(EventStream, Protocol):
    """The events of an upstream's own answer."""

    @property
    def headers(self) -> Mapping[str, str] | None:
        """Its headers, names in lower case; none until they came."""


class Upstream(Protocol):
    """Somebody who completes chats. Each method is one try; retries are the gateway's."""

    name: str
    """How settings and the `x-upstream` header call it."""

    provider: str
    """What it is, for people: `OpenAI`, `Ollama`, `Local`, `Mock`."""

    is_set_up: bool
    """False for the one that stands in where nothing is set up."""

    accepts_caller_keys: bool
    """Whether a caller's own `Bearer sk-…` is a key for this upstream."""

    answers_for: tuple[str, ...]
    """Patterns of the names that `default_model` answers for, unless it lists them itself: `*`,
    as a lone local model does, or names of another provider's models that examples ask for. It
    judges all other names itself."""

    implied_suffix: str
    """What the names that it lists may end in and callers leave out: `:latest` at Ollama."""

    answers_one_choice: bool
    """Whether it gives one choice a call and must be asked once for each of `n`."""

    ignores: Ignored
    """OpenAI's parameters that it does nothing with, each with its values that ask for nothing."""

    default_model: str

    context_tokens: int
    """How long a conversation may be, answer included. A stored history is cut to it; what a
    caller sends is the upstream's to judge."""

    retry_pause_seconds: float
    """The wait before a second try, when the upstream does not say; a third waits twice that."""

    def complete(self, call: Call) -> Completion:
        """The whole reply.

        Raises:
            InvalidRequest: something in the body that it has no word for.
            UpstreamError: no completion came back.
            CallerGone: the caller left meanwhile; the upstream was told to stop.
        """

    def stream(self, call: Call) -> UpstreamStream:
        """Send the request; its answer, a refusal too, comes from the stream's `read`.

        Raises:
            InvalidRequest: something in the body that it has no word for.
            UpstreamError: the request could not be sent.
            CallerGone: the caller left meanwhile.
        """

    def embed(self, call: Call) -> Embeddings:
        """The vectors of the texts in `call.body`.

        Raises:
            InvalidRequest: it has no embeddings, or no word for something in the body.
            UpstreamError: no vectors came back.
            CallerGone: the caller left meanwhile; the upstream was told to stop.
        """

    def models(self) -> list[JsonObject]:
        """The models it offers, as OpenAI's model objects (`id`, `object`, `created`, `owned_by`).

        Raises:
            UpstreamError: it could not be asked.
        """

    def close(self) -> None:
        """Close what is open. The upstream is not used afterwards."""


class KeyedUpstream(Upstream, Protocol):
    """One that callers' own keys are for."""

    def check_key(self, key: str, caller: Caller) -> None:
        """Have a caller's own key judged, by a call that costs nothing. One try.

        Raises:
            UpstreamKeyRefused: it is no good.
            UpstreamError: it could not be judged.
            CallerGone: the caller left meanwhile.
        """
