"""Markdown to HTML in which nothing can run, whoever wrote it.

Three walls, each enough by itself: markdown-it escapes raw HTML and refuses `javascript:` links,
nh3 keeps only the elements and attributes named here, and the page's policy (`web.pages`) lets no
inline script run. Loaded by `services.rendering` when there is something to render.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nh3
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

LONGEST_HIGHLIGHTED = 10_000
"""Characters of a block of code; longer ones stay in one colour: the time that some lexers take
grows with the square of it (Java's: 0.5 s for 10,000 of the worst)."""

DEEPEST = 100
"""Levels of quotes and lists; what is further in is left out. By default that begins with the
tenth list in a list."""

PAGE_HEADINGS = 2
"""Levels: the chat's title, and who speaks."""

BLOCKS = ("p", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "th", "td")
PLAIN = ("hr", "br", "pre", "code", "span", "em", "strong", "s", "a", "table", "thead", "tbody")
ATTRIBUTES = {
    **{name: {"dir"} for name in BLOCKS},
    "ol": {"dir", "start"},
    "a": {"href"},
    "code": {"data-language"},
}
ALIGNMENTS = {"text-align:center": "centre", "text-align:right": "right"}
"""Classes of a table's cells for markdown-it's styles, which the page's policy forbids."""
CLEANER = nh3.Cleaner(
    tags={*BLOCKS, *PLAIN, "tr"},
    attributes=ATTRIBUTES,
    allowed_classes={
        "span": set(STANDARD_TYPES.values()),
        **{cell: set(ALIGNMENTS.values()) for cell in ("th", "td")},
    },
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
NO_ADDRESSES = {"//": None, "ftp:": None, "mailto:": None}
"""Only what begins with http:// or https:// becomes a link by itself. By linkify-it's own rules so
would what follows a comment's `//`, and `main.py` and `README.md`, as hosts of two countries."""
COLOURS: HtmlFormatter[str] = HtmlFormatter(nowrap=True)


def render(text: str) -> str:
    """HTML that is safe to be put into a page."""
    return CLEANER.clean(MARKDOWN.render(text))


def code_block(
    _: RendererProtocol, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """A fenced or indented block; `data-language` is the language's name, where it is known."""
    token = tokens[index]
    language = token.info.strip().partition(" ")[0]
    lexer = _lexer(language) if len(token.content) <= LONGEST_HIGHLIGHTED else None
    if lexer is None:
        name, code = language, escapeHtml(token.content)
    else:
        name, code = lexer.name, highlight(token.content, lexer, COLOURS)
    return f'<pre><code data-language="{escapeHtml(name)}">{code}</code></pre>\n'


def image_link(
    _: RendererProtocol, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """An image as a link to it: showing it would tell its host who reads this."""
    token = tokens[index]
    target = escapeHtml(str(token.attrs.get("src", "")))
    return f'<a href="{target}">{escapeHtml(token.content or "image")}</a>'


def fit_into_page(state: StateCore) -> None:
    """Let each block run from the side that its own first letter says, and begin headings below
    those of the page."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + PAGE_HEADINGS)}"
        if token.nesting == 1 and token.tag in BLOCKS:
            token.attrSet("dir", "auto")
        if alignment := ALIGNMENTS.get(str(token.attrGet("style"))):
            token.attrSet("class", alignment)


def _lexer(language: str) -> Lexer | None:
    try:
        # Code is shown as it is: by default a lexer would take away blank lines at its ends.
        return get_lexer_by_name(language, stripnl=False) if language else None
    except ClassNotFound:
        return None


def _markdown() -> MarkdownIt:
    # Models write single line breaks and mean them.
    options = {"html": False, "breaks": True, "linkify": True, "maxNesting": DEEPEST}
    markdown = MarkdownIt("commonmark", options)
    markdown.enable(["table", "strikethrough", "linkify"])
    markdown.linkify = LinkifyIt(NO_ADDRESSES, {"fuzzy_link": False, "fuzzy_email": False})
    markdown.core.ruler.push("fit_into_page", fit_into_page)
    for name, rule in (("fence", code_block), ("code_block", code_block), ("image", image_link)):
        markdown.add_render_rule(name, rule)
    return markdown


MARKDOWN = _markdown()
