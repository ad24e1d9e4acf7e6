"""What the parsers are fed first: small, and with something of each kind in it."""

from __future__ import annotations

import json

from tests.fakes import chunks, frame
from tests.fuzzing.bodies import GOOD

FRAMES = [*map(frame, chunks("Hel", "lo 🙂")), b"data: [DONE]\n\n"]
OLLAMA = [
    {"model": "m", "message": {"role": "assistant", "content": "Hel", "thinking": "a"}},
    {"model": "m", "message": {"tool_calls": [{"function": {"name": "f", "arguments": {}}}]}},
    {"model": "m", "message": {}, "done": True, "done_reason": "stop", "eval_count": 2},
]
LINES = [json.dumps({"created_at": "2026-01-01T00:00:00Z", "done": False, **it}) for it in OLLAMA]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

EVENTS = [
    *(b"".join(FRAMES), b"".join(FRAMES).replace(b"\n", b"\r\n"), FRAMES[0].replace(b"\n", b"\r")),
    b': hi\nevent: a\nid: 1\ndata: {"a":\ndata: 1}\n\ndata:{"b":2}',
    b'data: {"error":{"message":"x"}}\n\ndata: nonsense\n\n',
    b'data: {"a": 1}\n\n\n\ndata: {"b": 2}\n\n\n',
    b'data:  {"a": 1}\n\ndata: {"b": 2}\n\n',
]
OLLAMA_LINES = [("\n".join(LINES) + "\n").encode(), b'{"error":"x"}\n', b"{}\n[]\n\n1"]
RESPONSES = [
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\nA: b\r\n\r\n",
    HEAD + b"Content-Length: 5\r\n\r\nHello",
    HEAD + b"Connection: close\r\n\r\nHello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204 No Content\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nHello",
]
BODIES = [json.dumps(body).encode() for bodies in GOOD.values() for body in bodies] + [
    b'{"a":[1,-1,1.5e300,18446744073709551615,18446744073709551616,"\\ud83d\\ude42",null,true]}',
    b'{"a":1,"a":2,"":{"\\u0000":"\\ud800"},"b":NaN}',
]
