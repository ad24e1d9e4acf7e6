"""A chat server as most are written: Flask and the openai SDK's typed objects."""

from collections.abc import Iterator

from flask import Flask, Response, jsonify, request
from openai import OpenAI

app = Flask(__name__)
client = OpenAI()  # OPENAI_BASE_URL and OPENAI_API_KEY come from the environment


@app.post("/v1/chat/completions")
def create_completion() -> Response:
    """Answer a chat completion, whole or streamed."""
    body = request.get_json()
    if not body.get("stream"):
        return jsonify(client.chat.completions.create(**body).model_dump())
    chunks = client.chat.completions.create(**body)

    def events() -> Iterator[str]:
        for chunk in chunks:
            yield f"data: {chunk.model_dump_json()}\n\n"
        yield "data: [DONE]\n\n"

    return Response(events(), mimetype="text/event-stream")
