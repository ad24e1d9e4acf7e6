"""What models write, as HTML for the chat page."""

from __future__ import annotations

import importlib

from chat_api.errors import InvalidRequest
from chat_api.stores.native import NativeThread

MOST_CHARACTERS = 100_000
"""Of all texts of a request. Prose takes 150 ms then, the worst that was found 1.5 s."""


class Rendering:
    """Renders in a native thread of its own, so that streams go on meanwhile."""

    def __init__(self) -> None:
        self._thread = NativeThread()

    def html(self, texts: list[str]) -> list[str]:
        """Markdown as HTML in which nothing can run, text by text.

        Raises:
            InvalidRequest: they are longer than `MOST_CHARACTERS`.
        """
        if sum(map(len, texts)) > MOST_CHARACTERS:
            limit = f"must not be longer than {MOST_CHARACTERS} characters in all."
            raise InvalidRequest(f"`texts` {limit}", "texts", "string_above_max_length")
        return self._thread.run(lambda: _render(texts))


def _render(texts: list[str]) -> list[str]:
    # Imported by the first text: 75 ms and 15 MB, which servers without the page need not pay.
    markdown = importlib.import_module("chat_api.services.markdown")
    return [markdown.render(text) for text in texts]
