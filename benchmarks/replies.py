"""What the fake upstream says, what the load asks, and what a whole answer must hold.

Both ends of a measurement are built from the same text here, so an answer that lost something on
its way through a server cannot pass for a whole one.
"""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# 64 words, one token each. Plain ASCII: no server's JSON writer can escape it differently.
TEXT = (
    "A gateway stands between many callers and one distant model. It reads each request once,"
    " checks that it makes sense, hands the bytes on, and waits. While the model thinks, other"
    " callers are served. When words arrive they leave at once, in order, unchanged. Nothing is"
    " kept back, nothing is added, and whoever hangs up early is noticed before the last token"
    " reaches shore"
)
WORDS = TEXT.split(" ")
TOKENS = [WORDS[0], *(f" {word}" for word in WORDS[1:])]
EVENTS = len(TOKENS)
PATH = "/v1/chat/completions"
COMMON = {"id": "chatcmpl-BenchmarkReply00000000001", "created": 1760000000, "model": "gpt-4o-mini"}
USAGE = {"prompt_tokens": 24, "completion_tokens": EVENTS, "total_tokens": 24 + EVENTS}
QUESTION = "What does a chat gateway do all day? Answer in a few plain sentences."


PACED_EVENTS = 12
PAUSE_MS = 250  # four tokens a second, as a busy model sends them
SLOWLY = "Slowly, please."  # who says so gets a paced stream (native/replies.c)


def dump(value: Json) -> bytes:
    """Write JSON as OpenAI does: without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def with_head(status: str, content_type: str, framing: str, body: bytes) -> bytes:
    """Put a response head before a body, with the headers a provider sends."""
    head = (
        f"HTTP/1.1 {status}\r\nDate: Fri, 10 Oct 2025 08:00:00 GMT\r\n"
        f"Content-Type: {content_type}\r\n{framing}\r\nopenai-processing-ms: 412\r\n"
        "openai-version: 2020-10-01\r\nx-request-id: req_benchmark000000000000000000001\r\n\r\n"
    )
    return head.encode() + body


def json_reply(value: Json, status: str = "200 OK") -> bytes:
    """Return a whole JSON response, head and all."""
    body = dump(value)
    return with_head(status, "application/json", f"Content-Length: {len(body)}", body)


def whole_completion() -> Json:
    """Return the completion every whole reply carries."""
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**COMMON, "object": "chat.completion", "choices": [choice], "usage": USAGE}


def stream_events(usage: bool, count: int = EVENTS) -> list[bytes]:
    """Return the server-sent events of one streamed reply, `[DONE]` included."""
    # OpenAI puts `"usage":null` into each chunk once usage is asked for. A gateway that asks on its
    # own account has to cope with that, so the fake does not spare it the work.
    extra: Json = {"usage": None} if usage else {}
    chunks: list[Json] = []
    for number, token in enumerate(TOKENS[:count]):
        delta = {"role": "assistant", "content": token} if number == 0 else {"content": token}
        finish = "stop" if number == count - 1 else None
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunks.append({**COMMON, "object": "chat.completion.chunk", "choices": [choice], **extra})
    if usage:
        chunks.append({**chunks[0], "choices": [], "usage": USAGE})
    return [b"data: " + dump(chunk) + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


def stream_chunks(usage: bool, count: int = EVENTS) -> list[bytes]:
    """Return a streamed response, head and all, each event in a chunk of its own."""
    events = stream_events(usage, count)
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    head = with_head("200 OK", "text/event-stream", "Transfer-Encoding: chunked", b"")
    return [head + chunks[0], *chunks[1:-1], chunks[-1] + b"0\r\n\r\n"]


def paced_reply(usage: bool, count: int) -> bytes:
    """Return a streamed response in pieces, one a token, with a zero byte between them."""
    pieces = stream_chunks(usage, count)
    return b"\0".join([*pieces[: count - 1], b"".join(pieces[count - 1 :])])


def write_replies(folder: Path, paced_events: int = PACED_EVENTS) -> None:
    """Write the responses the fake upstream serves, each as it goes over the wire."""
    model = {"id": "gpt-4o-mini", "object": "model", "created": 1760000000, "owned_by": "bench"}
    error = {"message": "No such route.", "type": "invalid_request_error", "code": "not_found"}
    (folder / "whole.http").write_bytes(json_reply(whole_completion()))
    for name, usage in (("stream", False), ("stream_usage", True)):
        (folder / f"{name}.http").write_bytes(b"".join(stream_chunks(usage)))
    for name, usage in (("paced", False), ("paced_usage", True)):
        (folder / f"{name}.http").write_bytes(paced_reply(usage, paced_events))
    (folder / "models.http").write_bytes(json_reply({"object": "list", "data": [model]}))
    (folder / "missing.http").write_bytes(json_reply({"error": error}, "404 Not Found"))


def request_body(messages: int = 1, stream: bool = False, paced: bool = False) -> bytes:
    """Return a request of so many messages, the roles taking turns and the user speaking last."""
    turns = [
        {"role": "user" if (messages - number) % 2 else "assistant", "content": QUESTION}
        for number in range(messages)
    ]
    if paced:
        turns[-1]["content"] = f"{QUESTION} {SLOWLY}"
    body: Json = {"model": "gpt-4o-mini", "messages": turns}
    return dump({**body, "stream": True} if stream or paced else body)


def marks(stream: bool, count: int = EVENTS) -> str:
    """Return what a whole answer must hold, in that order, a line each: with every token in it an
    answer is as right as if it were read."""
    if not stream:
        return json.dumps(TEXT)
    return "\n".join([*(f'"content":{json.dumps(t)}' for t in TOKENS[:count]), "data: [DONE]"])
