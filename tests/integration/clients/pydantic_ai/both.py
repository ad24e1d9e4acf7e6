"""What Pydantic AI does alike on chat completions and on Responses."""

from __future__ import annotations

import base64

from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, NativeOutput
from pydantic_ai.models import Model
from reporting import PNG, case


class Weather(BaseModel):
    city: str
    days: int


_chosen: list[Model] = []


def use(model: Model) -> None:
    """Have the cases run with that model."""
    _chosen[:] = [model]


def agent(**options: object) -> Agent:
    return Agent(_chosen[0], **options)


def with_a_tool() -> Agent:
    found = agent()

    @found.tool_plain
    def weather(city: str, days: int) -> str:
        """What the weather will be."""
        return f"22 degrees in {city}"

    return found


@case
async def whole():
    result = await agent().run("Hi")
    return [result.output, result.usage.input_tokens, result.usage.output_tokens]


@case
async def pieces():
    async with agent().run_stream("one two") as result:
        return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]


@case
async def instructions():
    return (await agent(instructions="Be brief.").run("history")).output


@case
async def conversation():
    first = await agent().run("Hi")
    return (await agent().run("history", message_history=first.all_messages())).output


@case
async def output_by_a_tool():
    return (await agent(output_type=Weather).run("Hi")).output.model_dump()


@case
async def output_by_a_schema():
    return (await agent(output_type=NativeOutput(Weather)).run("Hi")).output.model_dump()


@case
async def tools():
    return (await with_a_tool().run("Hi")).output


@case
async def tools_in_pieces():
    async with with_a_tool().run_stream("Hi") as result:
        return await result.get_output()


@case
async def picture():
    data = base64.b64decode(PNG.partition(",")[2])
    return (await agent().run(["What?", BinaryContent(data, media_type="image/png")])).output


@case
async def status_404():
    return await agent().run("status 404")


@case
async def status_429():
    return await agent().run("status 429")
