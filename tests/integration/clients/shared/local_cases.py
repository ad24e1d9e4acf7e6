"""The `openai` package before the local model."""

from __future__ import annotations

import openai
from reporting import KEY, URL, case, report, say

client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
QUESTION = {"model": "gpt-4o", "messages": say("What is the capital of France?")}


@case
def whole():
    reply = client.chat.completions.create(**QUESTION)
    return [reply.choices[0].message.content, reply.model, reply.usage.total_tokens]


@case
def pieces():
    options = {"stream": True, "stream_options": {"include_usage": True}}
    *chunks, last = client.chat.completions.create(**QUESTION, **options)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    return [text, last.model, last.usage.total_tokens]


@case
def vectors():
    reply = client.embeddings.create(model="smollm2-135m", input=["Hi", "there"])
    return [len(item.embedding) for item in reply.data]


report()
