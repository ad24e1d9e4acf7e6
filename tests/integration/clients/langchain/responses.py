"""LangChain's `ChatOpenAI` on Responses."""

from __future__ import annotations

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from reporting import KEY, MODEL, PNG, URL, case, report


class Weather(BaseModel):
    """The weather somewhere."""

    city: str
    days: int


@tool
def weather(city: str, days: int) -> str:
    """What the weather will be."""
    return "22 degrees"


OPTIONS = {"model": MODEL, "base_url": URL, "api_key": KEY, "max_retries": 0}
chat = ChatOpenAI(**OPTIONS, use_responses_api=True)


@case
def whole():
    reply = chat.invoke("Hi")
    return [reply.text, reply.response_metadata["status"], reply.usage_metadata["total_tokens"]]


@case
def pieces():
    return [piece.text for piece in chat.stream("one two") if piece.text]


@case
async def pieces_later():
    return "".join([piece.text async for piece in chat.astream("one two")])


@case
def history():
    return chat.invoke([SystemMessage("Be brief."), HumanMessage("history")]).text


@case
def conversation():
    first = chat.invoke("Hi")
    return chat.invoke("history", previous_response_id=first.response_metadata["id"]).text


@case
def conversation_that_finds_the_id_by_itself():
    remembering = ChatOpenAI(**OPTIONS, use_responses_api=True, use_previous_response_id=True)
    asked = [HumanMessage("Hi")]
    asked += [remembering.invoke(asked), HumanMessage("history")]
    return remembering.invoke(asked).text


@case
def schema():
    return chat.with_structured_output(Weather).invoke("Hi").model_dump()


@case
def tools():
    reply = chat.bind_tools([weather]).invoke("Hi")
    return [[call["name"], call["args"], call["id"]] for call in reply.tool_calls]


@case
def tools_in_pieces():
    first, *rest = chat.bind_tools([weather]).stream("Hi")
    for piece in rest:
        first = first + piece
    return [[call["name"], call["args"]] for call in first.tool_calls]


@case
def tool_results():
    bound = chat.bind_tools([weather])
    asked = bound.invoke("Hi")
    result = weather.invoke(asked.tool_calls[0])
    return bound.invoke([HumanMessage("Hi"), asked, result]).text


@case
def picture():
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": PNG}}]
    return chat.invoke([HumanMessage(parts)]).text


@case
def status_404():
    return chat.invoke("status 404")


@case
def status_429():
    return chat.invoke("status 429")


report()
