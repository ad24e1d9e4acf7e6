"""Keys in the body of a request: their form, and that they go to OpenAI and nowhere else."""

from __future__ import annotations

import re

import pytest

from chat_api.errors import InvalidRequest, UpstreamKeyRefused, UpstreamTimeout
from chat_api.services.caller_keys import LONGEST_KEY, CallerKeys
from chat_api.services.clients import Client
from chat_api.wiring import Services
from tests.fakes import FakeUpstream, completion

KEY = "sk-proj-" + "Az09-_" * 26
SENTENCE = (
    "Invalid API Key format. The key should start with 'sk-proj-' and be 164 characters long."
)


def keys(pattern: str | None = None) -> CallerKeys:
    return CallerKeys(re.compile(pattern) if pattern else None, FakeUpstream)


def test_a_key_of_the_right_form_is_the_clients_for_one_call() -> None:
    client = Client(owner="me", upstream_key="sk-bearer")
    own = keys().with_key(client, KEY)
    assert (own.upstream_key, own.openai_only, own.owner) == (KEY, True, "me")
    assert own.record is client.record and own.caller is client.caller
    assert (client.upstream_key, client.openai_only) == ("sk-bearer", False)
    assert KEY not in repr(own)


def test_no_key_leaves_the_client_as_it_is() -> None:
    client = Client()
    assert keys().with_key(client, None) is client


@pytest.mark.parametrize(
    "key",
    [
        "",
        "sk-proj-",
        KEY[:-1],
        KEY + "a",
        KEY + "\n",
        " " + KEY[:-1],
        "sk-" + KEY[3:].replace("proj", "live"),
        KEY.upper(),
        KEY[:-1] + " ",
        KEY[:-1] + "é",
        KEY[:-1] + "٣",
        KEY[:-1] + "\x00",
        KEY[:-2] + "\r\n",
        "x" * 1_000_000,
    ],
    ids=lambda key: f"{key[:4]!a} to {key[-2:]!a}, {len(key)}",
)
def test_a_key_of_another_form_is_refused_in_these_words(key: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        keys().with_key(Client(), key)
    assert str(caught.value) == SENTENCE
    assert caught.value.param == "api_key"


def test_a_pattern_of_ones_own_takes_the_place_of_the_form() -> None:
    own = keys(r"gsk_[a-z]+|.*\s.*")
    assert own.with_key(Client(), "gsk_abcdef").upstream_key == "gsk_abcdef"
    for wrong in (KEY, "xgsk_abcdef", "gsk_abcdef1", "gsk_abc\r\nX-Evil: 1", "gsk_a"):
        with pytest.raises(InvalidRequest) as caught:
            own.with_key(Client(), wrong)
        text = str(caught.value)
        assert text.startswith("Invalid API Key format. ")
        assert "sk-proj" not in text and "164" not in text and "gsk_" not in text


def test_a_pattern_gets_no_long_text_to_go_back_and_forth_over() -> None:
    slow = keys(r".*.*.*=")  # cubic: of a megabyte it would never come back
    for key in ("x" * LONGEST_KEY, "x" * 1_000_000):
        with pytest.raises(InvalidRequest):
            slow.with_key(Client(), key)


def test_a_key_goes_to_openai_alone(
    services: Services, upstream: FakeUpstream, openai_upstream: FakeUpstream
) -> None:
    openai_upstream.default_model = "gpt-own"
    openai_upstream.enqueue(completion(), completion())
    for model, asked in ((None, "gpt-own"), ("my-finetune", "my-finetune")):
        client = services.caller_keys.with_key(Client(), KEY)
        body = {"messages": [{"role": "user", "content": "Hi"}], "model": model}
        services.gateway.complete(body, client)
        call = openai_upstream.calls[-1]
        assert (call.caller_key, call.body["model"]) == (KEY, asked)
        assert (client.record.upstream, client.record.model) == ("openai", asked)
        assert KEY not in repr(call)
    assert not upstream.calls


def test_the_context_is_that_of_who_answers(
    services: Services, upstream: FakeUpstream, openai_upstream: FakeUpstream
) -> None:
    upstream.context_tokens, openai_upstream.context_tokens = 1, 2
    own = services.caller_keys.with_key(Client(), KEY)
    assert services.gateway.context_tokens(None, Client()) == 1
    assert services.gateway.context_tokens(None, own) == 2


def test_a_key_is_as_good_as_openai_says(
    services: Services, upstream: FakeUpstream, openai_upstream: FakeUpstream
) -> None:
    client = Client()
    assert services.caller_keys.is_valid(KEY, client)
    assert client.record.upstream is None, "it is no chat, and not counted as one"
    openai_upstream.verdict = UpstreamKeyRefused("No.", 401, callers_own=True)
    assert not services.caller_keys.is_valid(KEY, Client())
    openai_upstream.verdict = UpstreamTimeout("Silent.")
    with pytest.raises(UpstreamTimeout):
        services.caller_keys.is_valid(KEY, Client())
    assert openai_upstream.checked == [KEY] * 3 and not upstream.checked


def test_nobody_is_asked_of_a_key_of_the_wrong_form(
    services: Services, openai_upstream: FakeUpstream
) -> None:
    with pytest.raises(InvalidRequest):
        services.caller_keys.is_valid("sk-x", Client())
    assert not openai_upstream.checked
