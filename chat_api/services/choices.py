"""Several answers to one request (`n`), also from upstreams that give but one.

An upstream whose `answers_one_choice` says so is asked once for each answer, at once. Any other
gets `n` as it came, and is asked for what its reply lacks before the reply ends.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from chat_api.services.choice_parts import call_for_one, choices_of, summed
from chat_api.services.choice_streams import FilledStream, JoinedStream, OpenOne
from chat_api.services.parallel import Branches, Emit, Task
from chat_api.services.streams import Opened
from chat_api.upstreams.base import Call, Completion
from chat_api.upstreams.waiting import Caller

FOREVER = float("inf")

AskOne = Callable[[Call], Completion]
"""Makes one call, and tries again where that helps."""


def complete(ask: AskOne, call: Call, n: int, one_each: bool) -> Completion:
    """A whole reply with `n` choices.

    Args:
        call: the caller's own, `n` in its body.
        one_each: the upstream gives one choice a call.
    """
    first = None if one_each else ask(call)
    choices = choices_of(first.data) if first else {}
    indexes = [index for index in range(n) if index not in choices]
    if first and not indexes:
        return first  # the upstream's own bytes

    replies = [first.data] if first else []
    branches = Branches(call.caller, [_whole(ask, call, index) for index in indexes])
    try:
        while not branches.ended:
            for number, completion in branches.read(FOREVER):
                replies.append(completion.data)
                choices[indexes[number]] = completion.data["choices"][0]
    finally:
        branches.close()
    data = {
        **replies[0],
        "choices": [{**choices[index], "index": index} for index in sorted(choices)],
        "usage": summed(reply.get("usage") for reply in replies),
    }
    return Completion(orjson.dumps(data), data)


def stream(open_one: OpenOne, call: Call, n: int, one_each: bool, until: float) -> Opened:
    """A streamed reply with `n` choices, and its first events; [] when none came until then."""
    events: JoinedStream | FilledStream
    if one_each:
        events = JoinedStream(open_one, call, range(n))
        take = events.read
    else:
        events = FilledStream(open_one, call, n)
        take = events.take_first
    try:
        return events, take(until)
    except BaseException:
        events.close()
        raise


def _whole(ask: AskOne, call: Call, index: int) -> Task[Completion]:
    """A branch that asks for one whole answer."""

    def task(caller: Caller, emit: Emit[Completion]) -> None:
        emit(ask(call_for_one(call, index, caller)))

    return task
