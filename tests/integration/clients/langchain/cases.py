"""LangChain's `ChatOpenAI` and `OpenAIEmbeddings`, on chat completions."""

from __future__ import annotations

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel
from reporting import KEY, MODEL, PNG, URL, VECTORS, case, report


class Weather(BaseModel):
    """The weather somewhere."""

    city: str
    days: int


@tool
def weather(city: str, days: int) -> str:
    """What the weather will be."""
    return "22 degrees"


OPTIONS = {"model": MODEL, "base_url": URL, "api_key": KEY, "max_retries": 0}
chat = ChatOpenAI(**OPTIONS)


def vectors(**options: object) -> OpenAIEmbeddings:
    given = {"model": VECTORS, "base_url": URL, "api_key": KEY, "max_retries": 0}
    # It would fetch a table of tokens over the network.
    return OpenAIEmbeddings(**given, check_embedding_ctx_length=False, **options)


@case
def whole():
    reply = chat.invoke("Hi")
    return [reply.content, reply.response_metadata["finish_reason"], reply.usage_metadata]


@case
def pieces():
    return [piece.content for piece in chat.stream("one two")]


@case
def pieces_with_usage():
    found = [
        piece.usage_metadata for piece in ChatOpenAI(**OPTIONS, stream_usage=True).stream("Hi")
    ]
    return [usage["total_tokens"] for usage in found if usage]


@case
async def whole_later():
    return (await chat.ainvoke("Hi")).content


@case
async def pieces_later():
    return "".join([piece.content async for piece in chat.astream("one two")])


@case
def several_at_once():
    return [reply.content for reply in chat.batch(["a", "b", "c"])]


@case
def history():
    return chat.invoke([SystemMessage("Be brief."), HumanMessage("history")]).content


@case
def schema():
    return chat.with_structured_output(Weather).invoke("Hi").model_dump()


@case
def schema_by_a_tool():
    method = "function_calling"
    return chat.with_structured_output(Weather, method=method).invoke("Hi").model_dump()


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
    assert isinstance(result, ToolMessage)
    return bound.invoke([HumanMessage("Hi"), asked, result]).content


@case
def picture():
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": PNG}}]
    return chat.invoke([HumanMessage(parts)]).content


@case
def vectors_of_texts():
    return vectors().embed_documents(["a", "b"])


@case
def vector_of_a_question():
    return vectors().embed_query("a")


@case
def wrong_key():
    return ChatOpenAI(**{**OPTIONS, "api_key": "wrong"}).invoke("Hi")


@case
def status_404():
    return chat.invoke("status 404")


@case
def status_429():
    return chat.invoke("status 429")


@case
def status_500():
    return chat.invoke("status 500")


@case
def broken_stream():
    return list(chat.stream("cut"))


report()
