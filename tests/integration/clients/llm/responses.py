"""The `llm` command on Responses: each case is a command line."""

from __future__ import annotations

import json

from commands import prompt, set_up
from reporting import WEATHER, case, report

set_up("responses-home", responses=True)


@case
def pieces():
    return prompt("one two")


@case
def whole():
    return prompt("one two", "--no-stream")


@case
def usage():
    code, said, told = prompt("Hi", "--usage")
    return [code, said, told.partition(", {")[0]]


@case
def conversation():
    prompt("Hi")
    return prompt("history", "--continue")


@case
def schema():
    return prompt("Hi", "--schema", json.dumps(WEATHER))


@case
def tools():
    return prompt("Hi", "--functions", "def weather(city: str, days: int): return '22 degrees'")


@case
def status_404():
    return prompt("status 404")


report()
