"""LiteLLM as a client, on chat completions."""

from __future__ import annotations

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it looks for one over the network

import litellm
from pydantic import BaseModel
from reporting import KEY, MODEL, PNG, URL, VECTORS, WEATHER, case, report, say

litellm.suppress_debug_info = True  # it writes among our output
OPTIONS = {"api_base": URL, "api_key": KEY, "max_retries": 0, "num_retries": 0}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}


class Weather(BaseModel):
    city: str
    days: int


def asking(prompt: str, **options: object) -> dict:
    return {"model": f"openai/{MODEL}", "messages": say(prompt), **OPTIONS, **options}


def text_of(chunks: list) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@case
def whole():
    reply = litellm.completion(**asking("Hi"))
    choice = reply.choices[0]
    return [choice.message.content, choice.finish_reason, reply.usage.total_tokens]


@case
def pieces():
    chunks = list(litellm.completion(**asking("one two", stream=True)))
    return [text_of(chunks), chunks[-1].choices[0].finish_reason]


@case
def pieces_with_usage():
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = litellm.completion(**asking("Hi", **options))
    found = [getattr(chunk, "usage", None) for chunk in chunks]
    return [usage.total_tokens for usage in found if usage]


@case
async def whole_later():
    return (await litellm.acompletion(**asking("Hi"))).choices[0].message.content


@case
async def pieces_later():
    stream = await litellm.acompletion(**asking("one two", stream=True))
    return text_of([chunk async for chunk in stream])


@case
def tools():
    (choice,) = litellm.completion(**asking("Hi", tools=[TOOL])).choices
    calls = choice.message.tool_calls
    return [[[call.function.name, call.function.arguments] for call in calls], choice.finish_reason]


@case
def tools_in_pieces():
    chunks = list(litellm.completion(**asking("Hi", tools=[TOOL], stream=True)))
    (choice,) = litellm.stream_chunk_builder(chunks).choices
    return [[call.function.name, call.function.arguments] for call in choice.message.tool_calls]


@case
def schema():
    return litellm.completion(**asking("Hi", response_format=Weather)).choices[0].message.content


@case
def picture():
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": PNG}}]
    return litellm.completion(**asking("", messages=say(parts))).choices[0].message.content


@case
def thought():
    return litellm.completion(**asking("think")).choices[0].message.reasoning_content


@case
def vectors():
    reply = litellm.embedding(model=f"openai/{VECTORS}", input=["a", "b"], **OPTIONS)
    return [[item["embedding"] for item in reply.data], reply.usage.total_tokens]


@case
def wrong_key():
    return litellm.completion(**asking("Hi", api_key="wrong"))


@case
def bad_field():
    return litellm.completion(**asking("Hi", temperature=3))


@case
def status_404():
    return litellm.completion(**asking("status 404"))


@case
def status_429():
    return litellm.completion(**asking("status 429"))


@case
def status_500():
    return litellm.completion(**asking("status 500"))


@case
def broken_stream():
    return list(litellm.completion(**asking("cut", stream=True)))


report()
