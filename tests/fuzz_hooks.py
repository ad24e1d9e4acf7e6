"""Hooks for schemathesis, loaded by `tests.fuzz`."""

from __future__ import annotations

from typing import Any

import schemathesis

OWN_KEY = "sk-proj-" + 156 * "x"


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Write whole numbers without a fraction: to JSON Schema 1.0 is an integer, while OpenAI and
    we refuse it, and no schema can say so."""
    if isinstance(body, dict):
        return {name: map_body(context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() else body


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: Any) -> None:
    """Give callers' own keys the right form, which is a setting: no schema can say it."""
    if isinstance(case.body, dict) and isinstance(case.body.get("api_key"), str):
        case.body["api_key"] = OWN_KEY


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Leave out what is refused for reasons that no description can say. OPTIONS of a session's
    messages is one: an id may hold slashes, so `GET` there asks for a session of that name."""
    if case.method == "OPTIONS":
        return "/messages/" not in case.operation.path
    good = case.meta is not None and case.meta.generation.mode.is_positive
    names_others = case.operation.path == "/v1/responses" and isinstance(case.body, dict)
    return not (good and names_others and _names_what_is_not_there(case.body))


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
