"""The `openai` package, whichever version runs this: chats."""

from __future__ import annotations

import openai
from openai.types.chat import ChatCompletionMessage
from pydantic import BaseModel
from reporting import KEY, MODEL, PNG, URL, WEATHER, case, report, say

client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
later = openai.AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0)
chats = client.chat.completions


class Weather(BaseModel):
    city: str
    days: int


def tool(name: str) -> dict:
    return {"type": "function", "function": {"name": name, "strict": True, "parameters": WEATHER}}


def calls_of(message: ChatCompletionMessage) -> list:
    return [[call.id, call.function.name, call.function.arguments] for call in message.tool_calls]


def asking(prompt: str, **options: object) -> dict:
    """A whole call whose request has an id of its own."""
    headers = {"X-Request-ID": f"id-of-{prompt.replace(' ', '-')}"}
    return {"model": MODEL, "messages": say(prompt), "extra_headers": headers, **options}


@case
def whole():
    reply = chats.create(**asking("Hi"))
    (choice,) = reply.choices
    return [choice.message.content, choice.finish_reason, reply.usage.total_tokens, reply.object]


@case
def request_id_of_a_whole_reply():
    return chats.create(**asking("Hi"))._request_id


@case
def pieces():
    with chats.create(**asking("one two", stream=True)) as stream:
        chunks = list(stream)
    deltas = [chunk.choices[0].delta.content for chunk in chunks]
    return [deltas, chunks[-1].choices[0].finish_reason, [chunk.usage for chunk in chunks]]


@case
def pieces_with_usage():
    options = {"stream": True, "stream_options": {"include_usage": True}}
    with chats.create(**asking("Hi", **options)) as stream:
        *chunks, last = stream
    return [[chunk.usage for chunk in chunks], last.choices, last.usage.total_tokens]


@case
def stream_helper():
    with chats.stream(**asking("one two")) as stream:
        kinds = {event.type for event in stream}
        return [sorted(kinds), stream.get_final_completion().choices[0].message.content]


@case
def parsed():
    reply = chats.parse(**asking("Hi", response_format=Weather))
    return reply.choices[0].message.parsed.model_dump()


@case
def parsed_in_pieces():
    with chats.stream(**asking("Hi", response_format=Weather)) as stream:
        stream.until_done()
        return stream.get_final_completion().choices[0].message.parsed.model_dump()


@case
def json_object():
    options = {"response_format": {"type": "json_object"}}
    return chats.create(**asking("Hi", **options)).choices[0].message.content


@case
def tools():
    (choice,) = chats.create(**asking("Hi", tools=[tool("weather")])).choices
    return [calls_of(choice.message), choice.finish_reason, choice.message.content]


@case
def parallel_tools_in_pieces():
    with chats.stream(**asking("Hi", tools=[tool("weather"), tool("tides")])) as stream:
        (choice,) = stream.get_final_completion().choices
    return [calls_of(choice.message), choice.finish_reason]


@case
def parsed_tool_arguments():
    function = openai.pydantic_function_tool(Weather, name="weather")
    message = chats.parse(**asking("Hi", tools=[function])).choices[0].message
    return [call.function.parsed_arguments.model_dump() for call in message.tool_calls]


@case
def tool_results():
    asked = say("Hi")
    message = chats.create(model=MODEL, messages=asked, tools=[tool("weather")]).choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "22 degrees"}
    reply = chats.create(model=MODEL, messages=[*asked, message, result], tools=[tool("weather")])
    return reply.choices[0].message.content


@case
def picture():
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": PNG}}]
    return chats.create(model=MODEL, messages=say(parts)).choices[0].message.content


@case
def several_answers():
    return [choice.index for choice in chats.create(**asking("Hi", n=3)).choices]


@case
def refusal():
    return chats.parse(**asking("refuse", response_format=Weather)).choices[0].message.refusal


@case
def thought():
    return chats.create(**asking("think")).choices[0].message.reasoning_content


@case
def cut_at_its_limit():
    return chats.parse(**asking("long"))


@case
def broken_stream():
    return [chunk.choices[0].delta.content for chunk in chats.create(**asking("cut", stream=True))]


@case
def vendor_fields():
    return chats.create(**asking("Hi", extra_body={"top_k": 5})).choices[0].message.content


@case
def headers():
    raw = chats.with_raw_response.create(**asking("Hi"))
    return [raw.headers["x-request-id"], raw.headers["x-upstream"], raw.parse().object]


@case
async def whole_later():
    return (await later.chat.completions.create(**asking("Hi"))).choices[0].message.content


@case
async def pieces_later():
    stream = await later.chat.completions.create(**asking("one two", stream=True))
    return [chunk.choices[0].delta.content async for chunk in stream]


@case
async def stream_helper_later():
    async with later.chat.completions.stream(**asking("Hi", response_format=Weather)) as stream:
        return (await stream.get_final_completion()).choices[0].message.parsed.model_dump()


report()
