"""LiteLLM as a client, on Responses."""

from __future__ import annotations

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it looks for one over the network

import litellm
from reporting import KEY, MODEL, URL, WEATHER, case, report

litellm.suppress_debug_info = True  # it writes among our output
OPTIONS = {"model": f"openai/{MODEL}", "api_base": URL, "api_key": KEY, "max_retries": 0}
TOOL = {"type": "function", "name": "weather", "parameters": WEATHER}


def ask(prompt: str, **options: object) -> object:
    return litellm.responses(input=prompt, **OPTIONS, **options)


def text_of(response: object) -> str:
    return "".join(part.text for item in response.output for part in item.content)


@case
def whole():
    response = ask("Hi")
    return [text_of(response), response.status, response.usage.total_tokens]


@case
def pieces():
    return [str(event.type.value).removeprefix("response.") for event in ask("Hi", stream=True)]


@case
async def whole_later():
    return text_of(await litellm.aresponses(input="Hi", **OPTIONS))


@case
def tools():
    calls = ask("Hi", tools=[TOOL]).output
    return [[call.name, call.arguments] for call in calls]


@case
def conversation():
    return text_of(ask("history", previous_response_id=ask("Hi").id))


@case
def retrieved():
    made = ask("Hi")
    own = {"custom_llm_provider": "openai", "api_base": URL, "api_key": KEY}
    return text_of(litellm.get_responses(response_id=made.id, **own))


@case
def unknown_previous_id():
    return ask("Hi", previous_response_id="resp_unknown")


@case
def status_404():
    return ask("status 404")


@case
def status_429():
    return ask("status 429")


report()
