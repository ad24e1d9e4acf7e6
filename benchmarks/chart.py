"""A picture of the figures: bars in SVG, readable on light and on dark pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.report import LABELS, cell
from benchmarks.results import Results, Value, added, median_of

WIDTH, NAMES, NUMBERS = 760, 210, 80
"""Pixels: of all, of the names left of the bars, of the numbers right of them."""
BAR, GAP, TITLE, MARGIN = 18, 6, 40, 12
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.note { fill: #57606a; font-size: 12px }
.bar { fill: #8c959f }
.ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #8d96a0 }
  .bar { fill: #6e7681 }
  .ours { fill: #4493f8 }
}"""


@dataclass(frozen=True)
class Panel:
    """One figure of all servers."""

    title: str
    value: Value
    digits: int = 0


PANELS = (
    Panel("Whole replies a second (more is better)", median_of("whole")),
    Panel("Events a second in 32 streams (more is better)", median_of("events")),
    Panel("Requests of 100 messages a second (more is better)", median_of("messages_100")),
    Panel(
        "First event of 300 paced streams: ms added, median (less is better)",
        added("paced_300_p50", "paced_300_p50"),
        1,
    ),
    Panel("Memory of the idle server, MB (less is better)", median_of("idle_mb")),
)


def text(x: float, y: float, kind: str, said: str) -> str:
    """A line of text; `kind` is a class of STYLE."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(said)}</text>'


def panel_lines(panel: Panel, results: Results, names: Sequence[str], top: int) -> Iterator[str]:
    """Yield a panel's elements; a server without the figure has no bar."""
    found = [(name, panel.value(results, name)) for name in names]
    longest = max((value for _, value in found if value is not None), default=0.0)
    yield text(MARGIN, top + TITLE - 14, "title", panel.title)
    for number, (name, value) in enumerate(found):
        y = top + TITLE + number * (BAR + GAP)
        yield text(MARGIN, y + 14, "name", LABELS[name])
        share = max(0.0, value) / longest if value is not None and longest > 0 else 0.0
        width = max(1.0, share * (WIDTH - NAMES - NUMBERS - 2 * MARGIN))
        if value is not None:
            kind = "ours" if name == "ours" else "bar"
            yield f'<rect x="{NAMES}" y="{y}" width="{width:.1f}" height="{BAR}" class="{kind}"/>'
        shown = "not measured" if value is None else cell(value, panel.digits)
        yield text(NAMES + (width if value is not None else 0) + 6, y + 14, "number", shown)


def chart(results: Results, names: Sequence[str], note: str) -> str:
    """The picture of these servers, with a line below that says where that was measured."""
    height = TITLE + len(names) * (BAR + GAP)
    bottom = len(PANELS) * height + 2 * MARGIN + 16
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom}" role="img">',
        f"<title>{escape(note)}</title>",
        f"<style>{STYLE}</style>",
    ]
    for number, panel in enumerate(PANELS):
        lines += panel_lines(panel, results, names, number * height)
    lines += [text(MARGIN, bottom - MARGIN, "note", note), "</svg>"]
    return "\n".join(lines) + "\n"
