"""Hooks for schemathesis, loaded by `tests.fuzzing.described`."""

from __future__ import annotations

import json
import re
import urllib.request
import uuid
from typing import Any

import schemathesis

from tests.fuzzing import described

LONGEST_QUERY = 1_000  # beyond four times that Gunicorn answers 414, on every route alike
KEY = re.compile(r"[\x21-\x7e]{1,255}")
OWN_KEY = "sk-proj-" + 156 * "x"


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Write whole numbers without a fraction, and within 64 bits: to JSON Schema 1.0 is an integer
    and 2**64 is fine anywhere, while OpenAI and we refuse them, and no schema can say so."""
    if isinstance(body, dict):
        return {name: map_body(context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(context, value) for value in body]
    if isinstance(body, float) and body.is_integer():
        body = int(body)
    return min(max(body, -(2**63)), 2**64 - 1) if type(body) is int else body


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: Any) -> None:
    """What no schema can say: callers' own keys have a form that is a setting, each request has an
    idempotency key of its own, and a page begins behind something that is there."""
    if isinstance(case.body, dict) and isinstance(case.body.get("api_key"), str):
        case.body["api_key"] = OWN_KEY
    if KEY.fullmatch(str((case.headers or {}).get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if isinstance((case.query or {}).get("after"), str):
        del case.query["after"]
    if len(str(case.query)) > LONGEST_QUERY:
        case.query = {}
    if case.operation.path.startswith("/v1/responses/") and _is_good(case):
        case.path_parameters["response_id"] = _made_response(case)
        case.query.pop("starting_after", None)  # no description knows how many events there are


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Leave out what is refused for reasons that no description can say. OPTIONS of a session's
    messages is one: an id may hold slashes, so `GET` there asks for a session of that name."""
    if case.method == "OPTIONS":
        return "/messages/" not in case.operation.path
    good = _is_good(case)
    names_others = case.operation.path == "/v1/responses" and isinstance(case.body, dict)
    return not (good and names_others and _names_what_is_not_there(case.body))


def _is_good(case: schemathesis.Case) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _made_response(case: schemathesis.Case) -> str:
    """The id of a response that is there: nobody could make one up."""
    url = f"{case.operation.base_url.rstrip('/')}/v1/responses"
    headers = {"Content-Type": "application/json", "x-api-key": described.KEY}
    asked = urllib.request.Request(url, b'{"input":"Hi","background":true}', headers)
    with urllib.request.urlopen(asked, timeout=30) as reply:
        return str(json.load(reply)["id"])


def _names_what_is_not_there(body: dict[str, Any]) -> bool:
    """Whether a response's request speaks of other things by their ids or names, as all items
    but messages do: made-up ones are never those of something that is there."""
    items = body["input"] if isinstance(body.get("input"), list) else ()
    return (
        body.get("previous_response_id") is not None
        or body.get("conversation") is not None
        or body.get("tool_choice") not in (None, "auto", "none")
        or any("role" not in item for item in items)
    )
