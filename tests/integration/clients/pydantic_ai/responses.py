"""Pydantic AI on Responses."""

from __future__ import annotations

from both import agent, use
from openai import AsyncOpenAI
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider
from reporting import KEY, MODEL, URL, case, report

client = AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0)
model = OpenAIResponsesModel(MODEL, provider=OpenAIProvider(openai_client=client))
use(model)


@case
async def conversation_by_previous_ids():
    remembering = OpenAIResponsesModelSettings(openai_previous_response_id="auto")
    first = await agent().run("Hi")
    options = {"message_history": first.all_messages(), "model_settings": remembering}
    return (await agent().run("history", **options)).output


report()
