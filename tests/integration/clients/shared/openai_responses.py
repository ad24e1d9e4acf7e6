"""The `openai` package, whichever version runs this: Responses as they are made."""

from __future__ import annotations

import openai
from pydantic import BaseModel
from reporting import KEY, MODEL, PNG, URL, WEATHER, case, report

client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
later = openai.AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0)
responses = client.responses
TOOL = {"type": "function", "name": "weather", "strict": True, "parameters": WEATHER}
TIDES = {**TOOL, "name": "tides"}


class Weather(BaseModel):
    city: str
    days: int


def asking(prompt: str, **options: object) -> dict:
    headers = {"X-Request-ID": f"id-of-{prompt.replace(' ', '-')}"}
    return {"model": MODEL, "input": prompt, "extra_headers": headers, **options}


def calls_of(response: object) -> list:
    calls = [item for item in response.output if item.type == "function_call"]
    return [[call.call_id, call.name, call.arguments] for call in calls]


@case
def whole():
    response = responses.create(**asking("Hi"))
    return [response.output_text, response.status, response.usage.total_tokens, response.object]


@case
def request_id_of_a_whole_response():
    return responses.create(**asking("Hi"))._request_id


@case
def instructions():
    return responses.create(**asking("history", instructions="Be brief.")).output_text


@case
def pieces():
    with responses.create(**asking("two words", stream=True)) as stream:
        return [event.type.removeprefix("response.") for event in stream]


@case
def numbers_and_ids_of_a_stream():
    with responses.create(**asking("Hi", stream=True)) as stream:
        events = list(stream)
    ids = {event.response.id for event in events if hasattr(event, "response")}
    numbers = [event.sequence_number for event in events]
    return [len(ids), numbers == list(range(len(events)))]


@case
def stream_helper():
    with responses.stream(**asking("one two")) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        response = stream.get_final_response()
    return [deltas, response.output_text, response.usage.total_tokens]


@case
def parsed():
    return responses.parse(**asking("Hi", text_format=Weather)).output_parsed.model_dump()


@case
def parsed_in_pieces():
    with responses.stream(**asking("Hi", text_format=Weather)) as stream:
        return stream.until_done().get_final_response().output_parsed.model_dump()


@case
def tools():
    return calls_of(responses.create(**asking("Hi", tools=[TOOL, TIDES])))


@case
def tools_in_pieces():
    with responses.create(**asking("Hi", tools=[TOOL], stream=True)) as stream:
        return [event.type.removeprefix("response.") for event in stream]


@case
def tools_by_the_stream_helper():
    with responses.stream(**asking("Hi", tools=[TOOL, TIDES])) as stream:
        return calls_of(stream.until_done().get_final_response())


@case
def picture():
    parts = [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": PNG}]
    return responses.create(model=MODEL, input=[{"role": "user", "content": parts}]).output_text


@case
def refusal():
    message = responses.create(**asking("refuse")).output[0]
    return [[part.type, part.refusal] for part in message.content]


@case
def refusal_in_pieces():
    with responses.create(**asking("refuse", stream=True)) as stream:
        return [event.type for event in stream if "refusal" in event.type]


@case
def thought_first():
    return [item.type for item in responses.create(**asking("think")).output]


@case
def incomplete():
    response = responses.create(**asking("long"))
    return [response.status, response.incomplete_details.reason]


@case
def incomplete_in_pieces():
    with responses.create(**asking("long", stream=True)) as stream:
        return [event.type for event in stream][-1]


@case
def broken_stream():
    with responses.create(**asking("cut", stream=True)) as stream:
        last = list(stream)[-1]
    return [last.type, last.response.status, last.response.error.code]


@case
def input_tokens_are_named_as_openais():
    details = responses.create(**asking("Hi")).usage
    return [details.input_tokens, details.output_tokens, details.input_tokens_details.cached_tokens]


@case
async def whole_later():
    return (await later.responses.create(**asking("Hi"))).output_text


@case
async def stream_helper_later():
    async with later.responses.stream(**asking("Hi", text_format=Weather)) as stream:
        return (await stream.get_final_response()).output_parsed.model_dump()


@case
def hosted_tool():
    return responses.create(**asking("bad", tools=[{"type": "web_search"}]))


@case
def wrong_key():
    return client.with_options(api_key="wrong").responses.create(**asking("Hi"))


@case
def status_429():
    return responses.create(**asking("status 429"))


@case
def status_429_in_pieces():
    return list(responses.create(**asking("status 429", stream=True)))


@case
def status_500():
    return responses.create(**asking("status 500"))


report()
