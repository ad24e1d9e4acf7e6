"""The whole application in this process, before an upstream whose answers are bytes in memory."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections import deque
from typing import Any

from benchmarks.replies import PATH
from chat_api import create_app
from chat_api.settings import Settings
from chat_api.upstreams.openai import OpenAIUpstream
from chat_api.wiring import build_services


class Tape:
    """A connection that has its answer ready, a piece for each `recv`."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = deque(pieces)

    def send(self, data: bytes) -> int:
        """It takes all."""
        return len(data)

    def recv(self, size: int) -> bytes:
        """The next piece."""
        return self._pieces.popleft()

    def shutdown(self, how: int) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


class UpstreamsTape(Tape):
    """One that can be waited for, which is counted as it is in a plain thread.

    Args:
        ready: a descriptor that can always be read.
    """

    def __init__(self, pieces: list[bytes], ready: int) -> None:
        super().__init__(pieces)
        self._ready = ready

    def fileno(self) -> int:
        """What is waited for."""
        return self._ready


class Tapes:
    """Stands where the transport's pool of connections does, without a network."""

    silence_timeout_seconds = 300.0

    def __init__(self) -> None:
        self.answer: list[bytes] = []
        self._ready, end = os.pipe()
        os.write(end, b".")

    def take(self, caller: Any) -> tuple[Any, bool]:
        """A connection that gives the answer, and that it was not used before."""
        return UpstreamsTape(self.answer, self._ready), False

    def give_back(self, sock: Any) -> None:
        """It is not used again."""

    def close(self) -> None:
        """Nothing is open."""


class AnsweredUpstream(OpenAIUpstream):
    """OpenAI's, down to the bytes that it would send and those that came."""

    def __init__(self) -> None:
        super().__init__(
            name="openai",
            provider="OpenAI",
            default_model="gpt-4o-mini",
            base_url="http://127.0.0.1:1/v1",
            api_key="sk-bench",
            timeout_seconds=300,
            connect_timeout_seconds=5,
        )
        self.tapes = Tapes()
        self._transport = self.tapes  # type: ignore[assignment]


class Application:
    """The application with all that is on by default; its log goes nowhere.

    Its clock stands still: what is done every few milliseconds would be done now and then.
    """

    def __init__(self) -> None:
        time.monotonic = lambda: 1_000.0
        self._upstream = AnsweredUpstream()
        self._nowhere = open(os.devnull, "w")
        settings = Settings(openai_api_key="sk-bench")
        with contextlib.redirect_stdout(self._nowhere):
            self.wsgi = create_app(settings, build_services(settings, self._upstream))

    @property
    def answer(self) -> list[bytes]:
        """The upstream's next one, as in `ask`."""
        return self._upstream.tapes.answer

    @answer.setter
    def answer(self, pieces: list[bytes]) -> None:
        self._upstream.tapes.answer = pieces

    def ask(self, body: bytes, answer: list[bytes]) -> bytes:
        """The reply to a chat completion.

        Args:
            answer: the upstream's, head and all, in the pieces in which it comes.
        """
        self.answer = answer
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": PATH,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "5000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:5000",
            "HTTP_AUTHORIZATION": "Bearer none",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": self._nowhere,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }

        def start_response(status: str, headers: Any, error: Any = None) -> Any:
            statuses.append(status)

        pieces: Any = self.wsgi(environ, start_response)
        reply = b"".join(pieces)
        pieces.close()
        if statuses != ["200 OK"]:
            raise RuntimeError(f"{statuses}: {reply[:300]!r}")
        return reply
