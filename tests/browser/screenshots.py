"""`make screenshots`: the pictures of the chat page in docs/, each at most 200 KB."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import ROOT, Server, gunicorn

MOST_BYTES = 200_000
DESK: dict[str, Any] = {"viewport": {"width": 1120, "height": 740}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 1.5,
    "is_mobile": True,
    "has_touch": True,
}
PICTURES = {"light": DESK, "dark": {**DESK, "color_scheme": "dark"}, "phone": PHONE}

EARLIER = [
    "A kind reply about a late parcel",
    "SQLite or PostgreSQL for a small shop?",
    "Names for a sailing boat",
]
QUESTION = "Explain server-sent events to someone who knows HTTP."
ANSWER = '''Server-sent events keep **one HTTP response** open, and write to it when there is news.

1. The client sends `Accept: text/event-stream`.
2. The server answers with frames, one event after the other:

```python
def events(pieces):
    """Frames, one for each piece of text."""
    for piece in pieces:
        yield f"data: {piece}\\n\\n"  # a blank line ends the event
```

| | SSE | WebSocket |
| --- | --- | --- |
| direction | server to client | both |
| over | plain HTTP | a protocol of its own |
'''


def main() -> None:
    """Take them all."""
    program = shutil.which("chromium")
    if program is None:
        sys.exit("no Chromium here: `make browser` installs it")
    settings = {"OPENAI_API_KEY": "any", "WEB_CONCURRENCY": "1"}
    with (
        ScriptedUpstream() as upstream,
        tempfile.TemporaryDirectory() as folder,
        gunicorn(Path(folder), OPENAI_BASE_URL=upstream.url, **settings) as server,
        sync_playwright() as playwright,
    ):
        upstream.script = write_answer
        browser = playwright.chromium.launch(executable_path=program)
        for name in PICTURES:
            take(browser, server, name)
        browser.close()


def write_answer(exchange: Exchange) -> None:
    """The answer, word by word; to all other questions a short one."""
    if exchange.path.endswith("/models") or exchange.json["messages"][-1]["content"] != QUESTION:
        answer_plainly(exchange)
    else:
        exchange.stream(*re.findall(r"\s*\S+\s*", ANSWER))


def take(browser: Browser, server: Server, name: str) -> None:
    """One picture."""
    page = browser.new_page(reduced_motion="reduce", **PICTURES[name])
    page.goto(server.url)
    for title in EARLIER:
        ask(page, title)
        page.evaluate("document.getElementById('new-chat').click()")
    ask(page, QUESTION)
    page.locator("table").wait_for()
    page.evaluate(
        "document.activeElement.blur(); document.getElementById('scroller').scrollTop = 0"
    )
    picture = ROOT / "docs" / f"chat-{name}.png"
    page.screenshot(path=picture)
    page.close()
    size = picture.stat().st_size
    if size > MOST_BYTES:
        sys.exit(f"{picture.name} has {size} bytes, more than {MOST_BYTES}")


def ask(page: Page, question: str) -> None:
    """Ask, and wait for the answer."""
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.locator('[data-state="whole"]').wait_for()


if __name__ == "__main__":
    main()
