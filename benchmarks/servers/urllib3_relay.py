"""A relay as it is written with urllib3: bytes through, nothing looked at."""

import os
from collections.abc import Iterator

import urllib3
from flask import Flask, Response, request

URL = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
HEADERS = {
    "Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}",
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",
}

app = Flask(__name__)
pool = urllib3.PoolManager(maxsize=256, retries=False)


def pieces(reply: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield what arrives as it arrives."""
    try:
        yield from reply.stream(65536)
    finally:
        reply.close()  # one read to its end is back in the pool by now, and this leaves it there


@app.post("/v1/chat/completions")
def create_completion() -> Response:
    """Hand the request on and the answer back."""
    reply = pool.request("POST", URL, body=request.data, headers=HEADERS, preload_content=False)
    content_type = reply.headers["Content-Type"]
    if content_type.startswith("text/event-stream"):
        return Response(pieces(reply), reply.status, content_type=content_type)
    body = b"".join(pieces(reply))
    return Response(body, reply.status, content_type=content_type)
