"""A streamed answer with OpenAI's client (`pip install openai`).

    python examples/python_openai.py "What is the capital of France?"

CHAT_URL is the server's address, API_KEY its key where it wants one. Ctrl-C stops the answer.
"""

import os
import sys

import openai

URL = os.environ.get("CHAT_URL", "http://localhost:5000")
KEY = os.environ.get("API_KEY") or "none"  # the client wants some


def main() -> None:
    """Print the answer as it comes, and what it took."""
    message = sys.argv[1] if len(sys.argv) > 1 else "What is the capital of France?"
    finish_reason = usage = None
    try:
        with openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY) as client:
            stream = client.chat.completions.create(
                model="gpt-4o-mini",
                messages=[{"role": "user", "content": message}],
                stream=True,
                stream_options={"include_usage": True},
            )
            for chunk in stream:
                for choice in chunk.choices:
                    print(choice.delta.content or "", end="", flush=True)
                    finish_reason = choice.finish_reason or finish_reason
                usage = chunk.usage or usage
    except KeyboardInterrupt:
        sys.exit("\n[stopped]")
    except openai.APIStatusError as error:  # refused before the first piece
        sys.exit(f"[{error.status_code}: {error.message}]")
    except openai.OpenAIError as error:  # an error event, or a connection that broke off
        sys.exit(f"\n[broken: {error}]")
    if finish_reason is None:  # an end that nobody announced
        sys.exit("\n[broken: the stream ended too early]")
    print(f"\n[{usage.total_tokens if usage else 'no'} tokens, finished by {finish_reason}]")


if __name__ == "__main__":
    main()
