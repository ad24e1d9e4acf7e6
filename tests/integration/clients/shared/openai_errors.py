"""The `openai` package, whichever version runs this: models, embeddings, errors."""

from __future__ import annotations

import openai
from reporting import KEY, MODEL, URL, VECTORS, case, report, say

client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
later = openai.AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0)
chats = client.chat.completions


def asking(prompt: str, **options: object) -> dict:
    """A whole call whose request has an id of its own."""
    headers = {"X-Request-ID": f"id-of-{prompt.replace(' ', '-')}"}
    return {"model": MODEL, "messages": say(prompt), "extra_headers": headers, **options}


@case
def models():
    return [model.id for model in client.models.list()][:2]


@case
def one_model():
    return client.models.retrieve(VECTORS).id


@case
def no_model():
    return client.models.retrieve("no/such")


@case
def vectors():
    reply = client.embeddings.create(model=VECTORS, input=["a", "b"])
    return [[item.embedding for item in reply.data], reply.usage.total_tokens, reply.model]


@case
def vectors_as_numbers():
    reply = client.embeddings.create(model=VECTORS, input="a", encoding_format="float")
    return reply.data[0].embedding


@case
def vectors_of_token_ids():
    return len(client.embeddings.create(model=VECTORS, input=[[1, 2], [3]]).data)


@case
async def vectors_later():
    return (await later.embeddings.create(model=VECTORS, input="a")).data[0].embedding


@case
def dimensions_that_are_not_there():
    return client.embeddings.create(model=VECTORS, input="a", dimensions=2)


@case
def wrong_key():
    return client.with_options(api_key="wrong").chat.completions.create(**asking("Hi"))


@case
def bad_field():
    return chats.create(**asking("bad", temperature=3))


@case
def bad_message():
    return chats.create(**asking("bad", messages=[*say("Hi"), {"role": "bot"}]))


@case
def status_404():
    return chats.create(**asking("status 404"))


@case
def status_422():
    return chats.create(**asking("status 422"))


@case
def status_429():
    return chats.create(**asking("status 429"))


@case
def status_429_in_pieces():
    return chats.create(**asking("status 429", stream=True))


@case
def status_500():
    return chats.create(**asking("status 500"))


@case
def status_503():
    return chats.create(**asking("status 503"))


@case
async def status_429_later():
    return await later.chat.completions.create(**asking("status 429"))


@case
def no_route():
    return client.files.list()


report()
