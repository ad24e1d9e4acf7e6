"""What Ollama says no to, whole and streamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat_api.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamFailed,
    UpstreamKeyRefused,
    UpstreamOverloaded,
    UpstreamRefused,
    UpstreamTimeout,
)
from chat_api.upstreams.ollama import OllamaUpstream
from tests.ollama_wire import MODEL, call, read_all, root
from tests.scripted import Exchange, ScriptedUpstream


def refused(upstream: OllamaUpstream) -> UpstreamError:
    """How a whole reply fails; a streamed one fails in the same way."""
    with pytest.raises(UpstreamError) as whole:
        upstream.complete(call())
    with pytest.raises(UpstreamError) as streamed:
        read_all(upstream.stream(call()))
    assert type(streamed.value) is type(whole.value)
    return whole.value


def test_a_missing_model_is_told_how_to_be_had(
    ollama: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    for text in ("model 'llama3' not found", 'model "llama3" not found, try pulling it first'):
        scripted.script = lambda exchange, text=text: exchange.reply(404, {"error": text})
        error = refused(ollama)
        assert isinstance(error, UpstreamRefused) and f"`ollama pull {MODEL}`" in str(error)
        assert (error.status, error.code) == (404, "model_not_found")
        assert error.type == "invalid_request_error"


def test_another_404_is_not_about_a_model(
    ollama: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    scripted.script = lambda exchange: exchange.reply(404, b"404 page not found")
    error = refused(ollama)
    assert isinstance(error, UpstreamRefused)
    assert (error.status, error.code) == (404, None) and "pull" not in str(error)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, UpstreamKeyRefused),
        (500, UpstreamFailed),
        (502, UpstreamFailed),
        (503, UpstreamOverloaded),
        (504, UpstreamTimeout),
        (301, UpstreamBroken),
    ],
)
def test_other_statuses(
    ollama: OllamaUpstream,
    scripted: ScriptedUpstream,
    status: int,
    expected: type[UpstreamError],
) -> None:
    scripted.script = lambda exchange: exchange.reply(status, {"error": "secret words"})
    error = refused(ollama)
    assert type(error) is expected and "secret" not in str(error)


def test_what_ollama_judges_is_passed_on(
    ollama: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    text = '"llama3.2" does not support thinking'
    scripted.script = lambda exchange: exchange.reply(400, {"error": text})
    error = refused(ollama)
    assert isinstance(error, UpstreamRefused) and (error.status, str(error)) == (400, text)


def test_a_compressed_stream_is_not_looked_into(
    ollama: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    scripted.script = lambda exchange: exchange.reply(200, b"x", "Content-Encoding: gzip\r\n")
    assert isinstance(refused(ollama), UpstreamBroken)


def test_silence_ends_in_a_timeout(
    scripted: ScriptedUpstream, ollama_at: Callable[..., OllamaUpstream]
) -> None:
    scripted.script = Exchange.wait_until_caller_leaves
    ollama = ollama_at(root(scripted), timeout_seconds=0.2)
    assert isinstance(refused(ollama), UpstreamTimeout)
    with pytest.raises(UpstreamTimeout):
        ollama.models()
