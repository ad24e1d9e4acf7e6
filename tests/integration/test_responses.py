"""The Responses API over a real server, by the real SDK and by curl's like."""

from __future__ import annotations

import time

import openai
import pytest
from openai.types.responses import Response

from tests.integration.doors import RESPONSES
from tests.integration.stage import Stage, caller_left
from tests.integration.wire import Call, ask
from tests.servers import Server


@pytest.fixture
def sdk(relay: Server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0)


def test_the_sdk_gets_a_response_of_its_own_type(sdk: openai.OpenAI, stage: Stage) -> None:
    raw = sdk.responses.with_raw_response.create(
        model="gpt-4o-mini", input="Hi", instructions="Be brief.", store=False
    )
    response = raw.parse()
    assert response.output_text == "Hello!"
    assert response.usage is not None and response.usage.total_tokens == 11
    # The SDK takes what it gets; this checks it.
    Response.model_validate_json(raw.content, strict=False)
    (asked,) = stage.exchanges
    assert asked.path.endswith("/chat/completions")
    assert asked.json["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_conversation_goes_on_with_the_output_of_the_last_turn(
    sdk: openai.OpenAI, stage: Stage
) -> None:
    first = sdk.responses.create(input=[{"role": "user", "content": "Hi"}])
    said = [item.model_dump(exclude_unset=True) for item in first.output]
    items = [{"role": "user", "content": "Hi"}, *said, {"role": "user", "content": "And?"}]
    assert sdk.responses.create(input=items).output_text == "Hello!"  # type: ignore[arg-type]
    texts = [message["content"] for message in stage.exchanges[1].json["messages"]]
    assert texts == ["Hi", "Hello!", "And?"]


def test_what_is_not_there_yet_is_an_error_of_the_sdks(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(input="Hi", prompt={"id": "pmpt_1"})
    assert (caught.value.param, caught.value.code) == ("prompt", "unsupported_parameter")


def test_a_caller_without_a_library_gets_the_short_form(relay: Server, stage: Stage) -> None:
    assert ask(relay, RESPONSES).json == {
        "model": "gpt-4o-mini-2024-07-18",
        "output": {"role": "assistant", "content": "Hello!"},
    }


def test_a_caller_who_leaves_ends_the_upstreams_work(relay: Server, stage: Stage) -> None:
    stage.play(lambda exchange: exchange.wait_until_caller_leaves() and None)
    for took in stage.rounds():
        with Call(relay, RESPONSES.path, RESPONSES.body()):
            exchange = stage.exchange()
            left_at = time.monotonic()
        took.append(caller_left(exchange) - left_at)


def test_the_local_model_responds(local_sdk: openai.OpenAI) -> None:
    question = "What is the capital of France?"
    response = local_sdk.responses.create(input=question, max_output_tokens=24)
    assert "Paris" in response.output_text
    assert response.status == "completed"
    short = local_sdk.responses.create(input=question, max_output_tokens=2)
    assert short.status == "incomplete" and short.incomplete_details is not None
    assert short.incomplete_details.reason == "max_output_tokens"
    assert short.usage is not None and short.usage.output_tokens == 2
    parts = [{"type": "input_text", "text": text} for text in (question, "Answer in a sentence.")]
    items = [{"role": "user", "content": parts}]
    assert "Paris" in local_sdk.responses.create(input=items).output_text  # type: ignore[arg-type]
