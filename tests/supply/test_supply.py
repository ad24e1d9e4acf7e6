"""What production installs: pinned to the byte, known by its licence, and nothing runs unasked."""

from __future__ import annotations

import json
import re
import site
import sysconfig
from importlib import metadata, util
from pathlib import Path

import pytest
from boolean import Expression as BooleanExpression
from cyclonedx.schema import SchemaVersion
from license_expression import get_spdx_licensing
from packaging.requirements import Requirement

from tests.servers import ROOT
from tests.supply.locked import FILES, locked, production
from tests.supply.sbom import bill_of_materials

SPDX = get_spdx_licensing()
ALLOWED = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "ZPL-2.1",
}
"""Licences that ask for no more than to be named."""
ALLOWED_FOR = {
    "orjson": {"MPL-2.0"},
    "psycopg": {"LGPL-3.0-only"},
    "psycopg-binary": {"LGPL-3.0-only"},
}
"""Those that ask for changes of theirs to be published: fine, they are used as they are."""
KNOWN_PTH = {
    # setuptools, which `python -m venv` brings before Python 3.12
    "distutils-precedence.pth": "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; "
    "enabled = os.environ.get(var, 'local') == 'local'; "
    "enabled and __import__('_distutils_hack').add_shim();",
    # coverage, for the tests' servers; not in production
    "a1_coverage.pth": 'import sys; exec(\'import os\\n\\nif os.getenv("COVERAGE_PROCESS_START") '
    'or os.getenv("COVERAGE_PROCESS_CONFIG"):\\n try:\\n  import coverage\\n except:\\n  pass\\n '
    'else:\\n  coverage.process_startup(slug="pth")\')',
}
"""The code that starts with every Python here, by its file."""


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_pinned_with_its_hashes(file: str) -> None:
    packages = locked(file)
    assert all(package.hashes and package.wanted_by for package in packages)
    wanted = (ROOT / file.replace(".txt", ".in")).read_text().splitlines()
    written = [Requirement(line) for line in wanted if line and not line.startswith("#")]
    direct = {(it.name, f"=={it.version}") for it in packages if f"{file[:-4]}.in" in it.wanted_by}
    asked = {(it.name.lower().replace("_", "-"), str(it.specifier)) for it in written}
    assert direct == asked, "run `make lock`"


def test_what_each_package_needs_is_locked_too() -> None:
    packages = {package.name for package in locked("requirements.txt")}
    extras = {"psycopg": "binary"}
    for name in packages & {package.name for package in production()}:
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            if not needed.marker or needed.marker.evaluate({"extra": extras.get(name, "")}):
                assert re.sub(r"[-_.]+", "-", needed.name).lower() in packages, f"{name}: {line}"


def test_what_is_installed_here_is_what_is_locked() -> None:
    for package in production():
        assert metadata.version(package.name) == package.version, package.name


@pytest.mark.parametrize("recipe", ["Dockerfile", "Makefile", "render.yaml", ".replit"])
def test_no_recipe_takes_a_package_without_its_hash(recipe: str) -> None:
    text = (ROOT / recipe).read_text()
    installs = re.findall(r"(?:pip install|\(PIP\)) (.*-r requirements(?:-local)?\.txt)", text)
    assert installs and all("--require-hashes" in each for each in installs)


def is_allowed(licence: BooleanExpression, allowed: set[str]) -> bool:
    """Whether one of those that may be chosen is."""
    if isinstance(licence, SPDX.OR):
        return any(is_allowed(each, allowed) for each in licence.args)
    if isinstance(licence, SPDX.AND):
        return all(is_allowed(each, allowed) for each in licence.args)
    return str(licence) in allowed


def test_every_licence_is_one_that_may_be_used() -> None:
    for package in production():
        allowed = ALLOWED | ALLOWED_FOR.get(package.name, set())
        parsed = SPDX.parse(package.licence, validate=True)
        assert is_allowed(parsed, allowed), f"{package.name}: {package.licence}"


def test_the_bill_of_materials_is_as_its_specification_says() -> None:
    # Its import builds grammars for a second or two: no other test shall wait for that.
    from cyclonedx.validation.json import JsonStrictValidator

    raw = bill_of_materials()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(raw) is None
    bill = json.loads(raw)
    listed = {(each["name"], each["version"]) for each in bill["components"]}
    assert listed == {(package.name, package.version) for package in production()}
    assert all(each["hashes"] and each["licenses"] for each in bill["components"])
    needs = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert "flask" in needs["chat_api"] and "werkzeug" in needs["flask"]


def test_no_file_starts_code_with_python_that_is_not_known() -> None:
    folders = {
        *site.getsitepackages(),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
    }
    for path in (path for folder in folders for path in Path(folder).glob("*.pth")):
        for line in path.read_text().splitlines():
            if line.startswith(("import ", "import\t")):
                assert line.strip() == KNOWN_PTH.get(path.name), f"{path} runs code"
    for name in ("sitecustomize", "usercustomize"):
        found = util.find_spec(name)
        assert found is None or Path(str(found.origin)).parent not in map(Path, folders), name
