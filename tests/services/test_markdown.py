"""Markdown: what is shown of it, and what never is."""

from __future__ import annotations

import re

import pytest

from chat_api.services.markdown import LONGEST_HIGHLIGHTED, render


def test_text_is_shaped_as_it_was_meant() -> None:
    html = render("# Title\n\nfirst\nsecond **bold** ~~gone~~ `code`\n\n1. one\n2. two\n\n> said\n")
    for piece in (
        '<h3 dir="auto">Title</h3>',
        '<p dir="auto">first<br>\nsecond <strong>bold</strong> <s>gone</s> <code>code</code></p>',
        '<ol dir="auto">\n<li dir="auto">one</li>',
        '<blockquote dir="auto">',
    ):
        assert piece in html


def test_tables_are_tables() -> None:
    html = render("| a | b | c |\n|---|--:|:-:|\n| 1 | 2 | 3 |\n")
    assert '<th dir="auto">a</th>' in html and '<td dir="auto">1</td>' in html
    assert '<td dir="auto" class="right">2</td>' in html
    assert '<td dir="auto" class="centre">3</td>' in html
    assert "style" not in html


def test_what_is_far_inside_of_lists_is_there() -> None:
    html = render("".join(f"{'  ' * level}- level {level}\n" for level in range(30)))
    assert "level 29" in html


def test_code_is_coloured_by_classes_and_keeps_every_character() -> None:
    html = render('```python\n\n\ndef f(): return "a<b"\n\n```\n')
    assert '<code data-language="Python">' in html and '<span class="k">def</span>' in html
    shown = re.sub(r"<[^>]+>", "", html).replace("&lt;", "<")
    assert shown == '\n\ndef f(): return "a<b"\n\n' + "\n"


@pytest.mark.parametrize("language", ["nope", "", "x" * 5000, '"><script>'])
def test_an_unknown_language_is_no_reason_to_fail(language: str) -> None:
    html = render(f"```{language}\na < b\n```\n")
    assert "a &lt; b" in html and "<script" not in html


def test_a_long_block_of_code_stays_in_one_colour() -> None:
    html = render("```python\n" + "x = 1\n" * LONGEST_HIGHLIGHTED + "```\n")
    assert "<span" not in html and 'data-language="python"' in html


def test_indented_code_is_code() -> None:
    assert "<pre><code" in render("    x = 1\n")


def test_images_are_links() -> None:
    html = render("![a picture](https://h.example/x.png)")
    assert "<img" not in html and '<a href="https://h.example/x.png"' in html
    assert ">a picture</a>" in html


def test_links_leave_without_a_trace() -> None:
    html = render("[it](https://h.example/?a=1&b=2)")
    assert 'target="_blank"' in html and 'rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    "address", ["https://h.example/a_b?x=(1)&y=_2_", "http://localhost:5000/ui"]
)
def test_a_bare_address_is_a_link_like_any_other(address: str) -> None:
    href = address.replace("&", "&amp;")
    link = f'<a href="{href}" target="_blank" rel="noopener noreferrer nofollow">{href}</a>'
    assert render(f"See {address}, **{address}**.") == (
        f'<p dir="auto">See {link}, <strong>{link}</strong>.</p>\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "main.py and README.md",
        "www.h.example and h.example/path",
        "//h.example",
        "ftp://h.example",
        "me@h.example mailto:me@h.example",
        "`https://h.example`",
        "```\nhttps://h.example\n```",
    ],
)
def test_what_is_no_web_address_or_is_code_stays_as_it_is(text: str) -> None:
    assert "<a" not in render(text)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1) javascript://x%0aalert(1) JAVASCRIPT&colon;alert(1)",
        "https:javascript:alert(1) javascript:https://x",
        'https://x.example/"onmouseover="alert(1)',
        "https://x.example/<script>alert(1)</script>",
        "vbscript:x data:text/html,https://x file:///etc/passwd",
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "<svg/onload=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](JAVASCRIPT&colon;alert(1))",
        "[a](&#x6A;avascript:alert(1))",
        "[a](java\nscript:alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "![a](data:image/svg+xml;base64,PHN2Zz4=)",
        "![a](javascript:alert(1))",
        "[a](vbscript:x)",
        "[a](file:///etc/passwd)",
        "[a](/api/sessions)",
        "[a](//other.example)",
        "<javascript:alert(1)>",
        '[a](https://x "onmouseover=alert(1)")',
        '[a](https://x" onmouseover="alert(1))',
        '```"onmouseover="alert(1)\nx\n```',
        "```html\n<script>alert(1)</script>\n```",
        '| <b onclick="x"> |\n|---|\n| <i style="x"> |',
        "<style>*{display:none}</style>",
        '<a href="x" onclick="y">z</a>',
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<!-- <script> --><script>alert(1)</script>",
        "\x00<scr\x00ipt>alert(1)</script>",
    ],
)
def test_nothing_that_could_run_survives(text: str) -> None:
    html = render(text)
    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {"p", "br", "a", "pre", "code", "span"} | {"table", "thead", "tbody", "tr"} | {
        "th",
        "td",
    }
    for tag in re.findall(r"<[^>]*>", html):
        names = set(re.findall(r'\s([\w-]+)="', re.sub(r'="[^"]*"', '=""', tag)))
        assert names <= {"href", "rel", "target", "dir", "class", "data-language", "title"}, tag
        for target in re.findall(r'href="([^"]*)"', tag):
            assert target.startswith(("https://x", "mailto:")), tag
