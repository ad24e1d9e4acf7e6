"""What the documentation says is what the server does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from chat_api import __version__
from chat_api.settings import UPSTREAMS, Settings
from chat_api.upstreams import mock
from chat_api.web.metrics import FAMILIES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def table(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, header rows left out."""
    section = text.split(heading, 1)[1]
    rows = section.split("\n\n|", 1)[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_setting_is_in_the_readme_with_its_default() -> None:
    rows = {tuple(names(row[0])): row[1] for row in table(README, "## Settings")}
    fields = [f for f in Settings.__dataclass_fields__.values() if "names" in f.metadata]
    assert set(rows) == {tuple(field.metadata["names"]) for field in fields}
    for field in fields:
        if isinstance(field.default, int | float):
            shown = str(field.default).lower()
            if not isinstance(field.default, bool):
                shown = f"{field.default:.12g}"
            assert rows[tuple(field.metadata["names"])] == shown, field.name


def test_the_readme_names_every_upstream() -> None:
    (row,) = [row for row in table(README, "## Settings") if row[0] == "`UPSTREAM`"]
    assert tuple(names(row[2])) == UPSTREAMS


def test_the_readmes_endpoints_are_the_servers(app: Flask) -> None:
    documented = {name for row in table(README, "## Endpoints") for name in names(row[0])}
    served = app.test_client().get("/").get_json()["endpoints"]
    assert documented == set(served)


def test_the_example_environment_names_only_settings() -> None:
    known = {
        name
        for field in Settings.__dataclass_fields__.values()
        for name in field.metadata.get("names", ())
    }
    text = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^#? ?([A-Z_]+)=", text, re.MULTILINE)) <= known


def test_the_mocks_table_stands_in_the_docs_as_in_the_code() -> None:
    assert mock.__doc__ is not None
    rows = [line for line in mock.__doc__.splitlines() if line.startswith("|")]
    assert "\n".join(rows) in (ROOT / "docs/mock.md").read_text()


def test_the_changelogs_newest_version_is_the_packages() -> None:
    versions = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them of plain ones."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "SECURITY.md",
        "examples/README.md",
        *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")),
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\((?!http)([^)]+)\)", path.read_text()):
        file, _, anchor = target.partition("#")
        found = path.parent / file if file else path
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_every_promise_names_tests_that_there_are() -> None:
    promises, _ = (ROOT / "docs/reliability.md").read_text().split("## Figures")
    rows = [line for line in promises.splitlines() if line.startswith("| ")]
    held = [row for row in rows if not row.startswith(("| promise |", "| --- |"))]
    assert len(held) > 30
    for row in held:
        named = re.findall(r"`(tests/\S+\.py)::(\w+)`", row)
        assert named, row
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"


def test_make_explains_itself() -> None:
    text = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    for target in ("run", "test", "test-deploy", "bench", "fuzz", "lint", "types", "clean"):
        assert f"make {target} " in text


def test_the_readmes_commands_are_the_applications(app: Flask) -> None:
    written = [names(row[0])[0] for row in table(README, "## Commands")]
    assert all(line.startswith("flask --app main ") for line in written)
    assert {line.split()[3] for line in written} == set(app.cli.commands)


def test_every_example_is_in_their_readme() -> None:
    rows = table((ROOT / "examples/README.md").read_text(), "# Examples")
    code = {".html", ".js", ".mjs", ".py", ".sh"}
    found = [path for path in (ROOT / "examples").rglob("*") if path.suffix in code]
    ours = [path for path in found if "node_modules" not in path.parts]
    written = {names(row[0])[0] for row in rows}
    assert written == {str(path.relative_to(ROOT / "examples")) for path in ours}


def test_every_recipe_says_what_of_it_was_run() -> None:
    rows = table((ROOT / "docs/deploying.md").read_text(), "# Deploying")
    assert all(len(row) == 3 and row[2] for row in rows)
    written = " ".join(name.rstrip("/") for row in rows for name in names(row[1])).split()
    platforms = {"Procfile", "app.json", "render.yaml", ".replit", "Dockerfile", "compose.yaml"}
    assert platforms <= set(written)
    assert {f"deploy/{path.name}" for path in (ROOT / "deploy").iterdir()} <= set(written)


def test_the_readmes_figures_are_the_servers() -> None:
    rows = {names(row[0])[0]: set(names(row[1])) for row in table(README, "## Metrics")}
    counted = {family.name: set(family.labels) for family in FAMILIES}
    others = {"chat_completions_in_flight", "process_*", "chat_api_info"}
    assert set(rows) - others == set(counted)
    assert all(rows[name] == labels for name, labels in counted.items())
