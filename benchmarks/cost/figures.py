"""The figures that have a budget: of a whole request, and of one more message or event."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.cost.application import Application
from benchmarks.cost.counting import Cost, cost_of
from benchmarks.replies import TEXT, json_reply, request_body, stream_chunks, whole_completion

WARM = 20
"""Calls before counting: the first ones fill caches."""
FEW, MANY = 10, 60
WHOLE = json_reply(whole_completion())


def measure() -> dict[str, Cost]:
    """Each figure by its name.

    Raises:
        RuntimeError: an answer was wrong, or the same work did not cost the same.
    """
    application = Application()

    def whole(messages: int = 1) -> Cost:
        body = request_body(messages)
        return _steady(lambda: application.ask(body, [WHOLE]), TEXT)

    def stream(events: int, in_one_piece: bool) -> Cost:
        body, pieces = request_body(stream=True), stream_chunks(usage=True, count=events)
        answer = [b"".join(pieces)] if in_one_piece else pieces
        return _steady(lambda: application.ask(body, answer), "data: [DONE]")

    return {
        "a whole request": whole(),
        "each further message": _each(whole(FEW), whole(MANY)),
        "a stream of ten events": stream(FEW, in_one_piece=True),
        "each further event that comes by itself": _each(stream(FEW, False), stream(MANY, False)),
        "each further event that comes with others": _each(stream(FEW, True), stream(MANY, True)),
    }


def _steady(work: Callable[[], bytes], text: str) -> Cost:
    for _ in range(WARM):
        if text not in work().decode():
            raise RuntimeError("an answer is not what the upstream said")
    cost = cost_of(work)
    if cost_of(work) != cost:
        raise RuntimeError(f"the same work cost {cost}, and then something else")
    return cost


def _each(few: Cost, many: Cost) -> Cost:
    """Of one of those by which they differ."""
    return Cost(*((b - a) / (MANY - FEW) for a, b in zip(few, many, strict=True)))
