"""The `openai` package, whichever version runs this: what is kept of responses, conversations,
and background runs."""

from __future__ import annotations

import time

import openai
from reporting import KEY, MODEL, URL, WEATHER, case, report

client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
responses = client.responses
TOOL = {"type": "function", "name": "weather", "strict": True, "parameters": WEATHER}


def asking(prompt: str, **options: object) -> dict:
    headers = {"X-Request-ID": f"id-of-{prompt.replace(' ', '-')}"}
    return {"model": MODEL, "input": prompt, "extra_headers": headers, **options}


def calls_of(response: object) -> list:
    calls = [item for item in response.output if item.type == "function_call"]
    return [[call.call_id, call.name, call.arguments] for call in calls]


def result_of(call_id: str) -> dict:
    return {"type": "function_call_output", "call_id": call_id, "output": "22 degrees"}


def finished(response: object) -> object:
    """The response once it runs no more."""
    deadline = time.monotonic() + 20
    while response.status in ("queued", "in_progress") and time.monotonic() < deadline:
        time.sleep(0.05)
        response = responses.retrieve(response.id)
    return response


@case
def tool_results_by_the_previous_id():
    first = responses.create(**asking("Hi", tools=[TOOL]))
    results = [result_of(call_id) for call_id, *_ in calls_of(first)]
    options = {"previous_response_id": first.id, "tools": [TOOL]}
    return responses.create(model=MODEL, input=results, **options).output_text


@case
def tool_results_with_the_items():
    first = responses.create(**asking("Hi", tools=[TOOL], store=False))
    results = [result_of(call_id) for call_id, *_ in calls_of(first)]
    items = [{"role": "user", "content": "Hi"}, *first.output, *results]
    return responses.create(model=MODEL, input=items, tools=[TOOL]).output_text


@case
def conversation_by_previous_ids():
    previous = None
    for prompt in ("Hi", "there", "history"):
        with responses.stream(**asking(prompt, previous_response_id=previous)) as stream:
            response = stream.until_done().get_final_response()
        previous = response.id
    return response.output_text


@case
def conversation():
    begun = client.conversations.create(metadata={"topic": "x"})
    responses.create(**asking("Hi", conversation=begun.id))
    reply = responses.create(**asking("history", conversation=begun.id))
    items = [item.role for item in client.conversations.items.list(begun.id, order="asc")]
    gone = client.conversations.delete(begun.id).deleted
    return [begun.metadata, reply.output_text, items, gone]


@case
def retrieved():
    made = responses.create(**asking("Hi", metadata={"topic": "x"}))
    found = responses.retrieve(made.id)
    inputs = [item.content[0].text for item in responses.input_items.list(made.id)]
    return [found.output_text, found.metadata, found.usage == made.usage, inputs]


@case
def deleted():
    made = responses.create(**asking("Hi"))
    responses.delete(made.id)
    return responses.retrieve(made.id)


@case
def not_stored():
    made = responses.create(**asking("Hi", store=False))
    return [made.store, *responses_of(made.id)]


def responses_of(response_id: str) -> list:
    try:
        return [responses.retrieve(response_id).id]
    except openai.NotFoundError as error:
        return [error.status_code]


@case
def background():
    begun = responses.create(**asking("Hi", background=True))
    ended = finished(begun)
    return [begun.status, ended.output_text, ended.usage.total_tokens]


@case
def background_that_is_resumed():
    with responses.create(**asking("Hi", background=True, stream=True)) as stream:
        first, second, *rest = stream
    again = responses.retrieve(
        first.response.id, stream=True, starting_after=second.sequence_number
    )
    numbers = [event.sequence_number for event in again]
    return [first.type, numbers == [event.sequence_number for event in rest]]


@case
def background_that_is_cancelled():
    begun = responses.create(**asking("wait", background=True))
    return [responses.cancel(begun.id).status, finished(begun).status]


@case
def unknown_previous_id():
    return responses.create(**asking("bad", previous_response_id="resp_unknown"))


@case
def previous_id_and_conversation():
    options = {"previous_response_id": "resp_x", "conversation": "conv_x"}
    return responses.create(**asking("bad", **options))


@case
def result_without_its_call():
    return responses.create(model=MODEL, input=[result_of("call_unknown")])


report()
