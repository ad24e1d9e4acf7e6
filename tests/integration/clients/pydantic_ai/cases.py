"""Pydantic AI on chat completions."""

from __future__ import annotations

from both import agent, use
from openai import AsyncOpenAI
from pydantic_ai import Agent, Embedder
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from reporting import KEY, MODEL, URL, VECTORS, case, report


def provider(key: str = KEY) -> OpenAIProvider:
    return OpenAIProvider(openai_client=AsyncOpenAI(base_url=URL, api_key=key, max_retries=0))


model = OpenAIChatModel(MODEL, provider=provider())
use(model)


@case
async def vectors():
    embedder = Embedder(OpenAIEmbeddingModel(VECTORS, provider=provider()))
    return [
        list(map(float, one)) for one in (await embedder.embed_documents(["a", "b"])).embeddings
    ]


@case
async def wrong_key():
    return await Agent(OpenAIChatModel(MODEL, provider=provider("wrong"))).run("Hi")


@case
async def broken_stream():
    async with agent().run_stream("cut") as result:
        return [piece async for piece in result.stream_text()]


report()
