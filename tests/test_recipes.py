"""The deployment recipes: well-formed, true to the settings, and of one mind with each other."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from chat_api.settings import Settings
from chat_api.web.worker import SPARE_SECONDS
from tests.dockerfile import Copy, DockerfileReader, Stage, copy_context
from tests.servers import ROOT

KNOWN = {
    name
    for item in Settings.__dataclass_fields__.values()
    for name in item.metadata.get("names", ())
}
OF_PYTHON = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
RENDER = yaml.safe_load((ROOT / "render.yaml").read_text())
SERVICE = (ROOT / "deploy/chat_api.service").read_text()
SITE = (ROOT / "deploy/nginx/chat_api.conf").read_text()
PATIENCE = Settings().graceful_timeout_seconds + SPARE_SECONDS
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def dockerfile(**arguments: str) -> list[Stage]:
    return DockerfileReader(arguments).read((ROOT / "Dockerfile").read_text())


def environments() -> dict[str, dict[str, Any]]:
    """What each recipe sets; None where the value comes from elsewhere."""
    app = json.loads((ROOT / "app.json").read_text())["env"]
    (web,) = [each for each in RENDER["services"] if each["type"] == "web"]
    unit = " ".join(re.findall(r"^Environment=(.*)", SERVICE, re.MULTILINE))
    replit = tomllib.loads((ROOT / ".replit").read_text())
    image = dockerfile()[-1].environment.items()
    return {
        "app.json": {name: each.get("value") for name, each in app.items()},
        "render.yaml": {each["key"]: each.get("value") for each in web["envVars"]},
        "compose.yaml": COMPOSE["services"]["one"]["environment"],
        "chat_api.service": dict(pair.split("=", 1) for pair in unit.split()),
        ".replit": replit["env"],
        "Dockerfile": {name: value for name, value in image if name not in OF_PYTHON},
        "web.sh": dict(re.findall(r'export (\w+)="(.*)"', (ROOT / "deploy/web.sh").read_text())),
    }


@pytest.mark.parametrize("recipe", environments())
def test_every_variable_is_a_setting(recipe: str) -> None:
    assert environments()[recipe].keys() <= KNOWN


@pytest.mark.parametrize(
    "recipe", ["app.json", "render.yaml", "compose.yaml", "chat_api.service", "Dockerfile"]
)
def test_each_trusts_the_one_proxy_before_it(recipe: str) -> None:
    assert str(environments()[recipe]["TRUSTED_PROXIES"]) == "1"


def test_what_starts_by_the_script_trusts_one_too() -> None:
    assert environments()["web.sh"]["TRUSTED_PROXIES"] == "${TRUSTED_PROXIES:-1}"
    replit = tomllib.loads((ROOT / ".replit").read_text())
    starts = [(ROOT / "Procfile").read_text(), RENDER["services"][0]["startCommand"]]
    starts += [" ".join(replit["run"]), " ".join(replit["deployment"]["run"])]
    assert all(start.strip().endswith("sh deploy/web.sh") for start in starts)


def test_the_compose_file_is_as_its_specification_says() -> None:
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_of_the_composition_only_nginx_is_open_and_everybody_is_watched() -> None:
    services = COMPOSE["services"]
    assert [name for name, each in services.items() if "ports" in each] == ["nginx"]
    for name, each in services.items():
        assert "healthcheck" in each or "build" in each, name  # the image brings its own
    for name in ("one", "two"):
        assert services["nginx"]["depends_on"][name]["restart"], "it asks for addresses once"
        assert f"server {name}:5000" in (ROOT / "deploy/nginx/upstream.compose.conf").read_text()
    for volume in services["nginx"]["volumes"]:
        assert (ROOT / volume.split(":")[0]).is_file()


def test_stopping_leaves_streams_the_time_that_the_server_gives_them() -> None:
    assert int(COMPOSE["services"]["one"]["stop_grace_period"].removesuffix("s")) > PATIENCE
    assert RENDER["services"][0]["maxShutdownDelaySeconds"] > PATIENCE
    assert int(re.findall(r"TimeoutStopSec=(\d+)", SERVICE)[0]) > PATIENCE


def test_renders_parts_find_each_other() -> None:
    names = {each["name"] for each in RENDER["services"] + RENDER["databases"]}
    for variable in RENDER["services"][0]["envVars"]:
        for source in ("fromDatabase", "fromService"):
            assert variable.get(source, {}).get("name") in names | {None}


def test_nginx_waits_longer_than_the_server_and_closes_sooner() -> None:
    settings = Settings()
    (reads,) = re.findall(r"proxy_read_timeout (\d+)s;", SITE)
    assert int(reads) > settings.upstream_timeout_seconds
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", SITE)
    assert int(megabytes) * 2**20 == settings.max_body_bytes
    (ours,) = re.findall(r"^keepalive = (\d+)", (ROOT / "gunicorn.conf.py").read_text(), re.M)
    caddy = (ROOT / "deploy/Caddyfile").read_text()
    theirs = re.findall(r"keepalive (\d+)s", caddy)
    for path in (ROOT / "deploy/nginx").glob("upstream*.conf"):
        theirs += re.findall(r"keepalive_timeout (\d+)s;", path.read_text())
    assert len(theirs) == 3 and all(int(each) < int(ours) for each in theirs)


@needs_systemd
def test_systemd_takes_the_unit_and_finds_it_closed_in(tmp_path: Path) -> None:
    unit = tmp_path / "chat_api.service"
    unit.write_text(SERVICE.replace("/opt/chat_api/.venv/bin/python", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (exposure,) = re.findall(r"Overall exposure level.*: ([\d.]+)", told)
    assert float(exposure) < 2.0, "of 10"


def test_the_image_runs_without_rights_and_says_how_it_is() -> None:
    build, last = dockerfile(LOCAL_MODEL="no")
    assert (build.name, last.user) == ("build", "chat_api")
    assert build.image == last.image == "python:3.11-slim-bookworm"
    assert last.command == ["gunicorn", "main:app"]
    assert "/health/live" in last.health_check[-1]
    assert last.environment["DATA_DIR"] in last.volumes
    assert last.environment["PORT"] in last.ports
    compile(last.health_check[-1], "HEALTHCHECK", "exec")


def test_the_image_is_built_from_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    copy_context(ROOT, tmp_path)
    wanted = {
        source
        for stage in dockerfile()
        for step in stage.steps
        if isinstance(step, Copy) and step.stage is None
        for source in step.sources
    }
    assert {path.name for path in tmp_path.iterdir()} == wanted
    assert not list(tmp_path.rglob("__pycache__"))


@pytest.mark.parametrize(
    "line", ["ADD x y", "RUN --mount=type=cache true", "ENV a b", "COPY --link a b"]
)
def test_what_the_reader_of_dockerfiles_does_not_know_is_an_error(line: str) -> None:
    with pytest.raises(ValueError):
        DockerfileReader({}).read(f"FROM x\n{line}\n")
