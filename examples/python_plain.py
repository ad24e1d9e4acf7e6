"""A streamed answer with Python and no library.

    python examples/python_plain.py "What is the capital of France?"

CHAT_URL is the server's address, API_KEY its key where it wants one. Ctrl-C stops the answer.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

URL = os.environ.get("CHAT_URL", "http://localhost:5000")
KEY = os.environ.get("API_KEY", "")
SILENCE_SECONDS = 60  # the server sends a comment every 15 seconds at least


def pieces(message: str) -> Iterator[str]:
    """The pieces of an answer. Raises OSError where it is not whole."""
    body = json.dumps({"message": message}).encode()
    headers = {"Content-Type": "application/json", "x-api-key": KEY}
    request = urllib.request.Request(f"{URL}/chat/stream", body, headers)
    with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as reply:
        for line in reply:
            if not line.startswith(b"data: "):
                continue  # a blank line, or `: ping`
            event = json.loads(line[6:])
            if "error" in event:
                raise OSError(event["error"])
            if "done" in event:
                return
            yield event["content"]
    raise OSError("the stream ended too early")  # `for line in reply` is silent about that


def main() -> None:
    """Print the answer as it comes."""
    message = sys.argv[1] if len(sys.argv) > 1 else "What is the capital of France?"
    try:
        for piece in pieces(message):
            print(piece, end="", flush=True)
        print()
    except KeyboardInterrupt:
        sys.exit("\n[stopped]")
    except urllib.error.HTTPError as error:  # refused before the first piece; an OSError too
        sys.exit(f"[{error.code}: {error.read().decode()}]")
    except OSError as error:
        sys.exit(f"\n[broken: {error}]")


if __name__ == "__main__":
    main()
