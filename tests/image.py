"""`python -m tests.image`: build the Dockerfile's image without an engine, and run it.

The steps run one by one in a copy of this machine's file system (an overlay, in memory, that is
gone afterwards), changed root and all. So it needs Linux, root, and a Debian that stands in for the
image's. What it cannot see: that the real image lacks a library which this machine has.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.dockerfile import Copy, DockerfileReader, Run, Stage, copy_context
from tests.ports import free_port
from tests.servers import ROOT

START_SECONDS = 60
PASSED_ON = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")
"""Variables of the caller's that an engine would be configured with: how to reach packages."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Machine:
    """A file system of its own over that of this machine."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        layers = f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, str(self.root))
        for name in ("proc", "dev", "dev/shm"):
            run("mount", "--bind", f"/{name}", str(self.root / name))
        # The image has its Python in /usr/local, where its library is found by everybody.
        run("mount", "--bind", "-o", "ro", sys.base_prefix, str(self.root / "usr/local"))
        run("chroot", str(self.root), "/sbin/ldconfig")

    def start(
        self, command: list[str], user: str, folder: str, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """The command within."""
        variables = [f"{name}={value}" for name, value in environment.items()]
        inside = ["env", "-i", *variables, "sh", "-c", 'cd "$0" && exec "$@"', folder, *command]
        whole = ["chroot", f"--userspec={user}:{user}", str(self.root), *inside]
        return subprocess.Popen(whole, start_new_session=True)

    def run(self, step: Run) -> None:
        """RUN."""
        given = {k: v for k, v in os.environ.items() if k.upper().startswith(PASSED_ON)}
        shell = ["/bin/sh", "-c", step.command]
        if self.start(shell, step.user, step.folder, {**given, **step.environment}).wait():
            sys.exit(f"This step failed: RUN {step.command}")

    def copy(self, step: Copy, source: Path, folder: str) -> None:
        """COPY. A folder's contents are copied, not the folder."""
        target = self.root / folder.lstrip("/") / step.target.removeprefix("./")
        if step.target.startswith("/"):
            target = self.root / step.target.lstrip("/")
        for name in step.sources:
            found = source / name.lstrip("/")
            if found.is_dir():
                shutil.copytree(found, target, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy(found, target)


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def build(stages: list[Stage], context: Path, folder: Path) -> Machine:
    """The last stage's file system."""
    machines: dict[str | None, Machine] = {}
    for number, stage in enumerate(stages):
        machine = machines[stage.name] = Machine(folder / f"stage{number}")
        at = "/"
        for step in stage.steps:
            if isinstance(step, Run):
                say(f"RUN {step.command}")
                machine.run(step)
            elif isinstance(step, Copy):
                say(f"COPY {' '.join(step.sources)} {step.target}")
                machine.copy(step, machines[step.stage].root if step.stage else context, at)
            else:
                at = str(step)
                (machine.root / at.lstrip("/")).mkdir(parents=True, exist_ok=True)
    return machine


@contextlib.contextmanager
def started(machine: Machine, stage: Stage, environment: Mapping[str, str]) -> Iterator[None]:
    """The image's CMD, until its HEALTHCHECK says yes; stopped as `docker stop` does."""
    process = machine.start(stage.command, stage.user, stage.folder, environment)
    try:
        deadline = time.monotonic() + START_SECONDS
        check = ["sh", "-c", '"$0" "$@" 2>/dev/null', *stage.health_check]
        while machine.start(check, stage.user, stage.folder, environment).wait():
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("The server did not become healthy.")
            time.sleep(0.5)
        yield
        process.send_signal(signal.SIGTERM)
        if process.wait(40):
            sys.exit(f"The server ended with {process.returncode}.")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def check(machine: Machine, stage: Stage, local_model: bool) -> None:
    """What the image promises."""
    port = str(free_port())
    environment = {**stage.environment, "HOST": "127.0.0.1", "PORT": port}
    if not local_model:
        environment["UPSTREAM"] = "mock"
    for wish in ("touch /app/x", "touch /venv/x", "python -m pip --version"):
        attempt = ["sh", "-c", f"{wish} 2>/dev/null"]
        if machine.start(attempt, stage.user, stage.folder, environment).wait() == 0:
            sys.exit(f"The server's user can `{wish}`.")
    with started(machine, stage, environment):
        answer = ask(f"http://127.0.0.1:{port}/chat")
        say(f"{answer['model']}: {answer['response']}")
        if ("smollm2" in answer["model"]) != local_model:
            sys.exit("Somebody else answered.")
    if not (machine.root / "data/chat_api.sqlite3").exists():
        sys.exit("The store is not in /data.")


def ask(url: str) -> dict[str, str]:
    """The answer of /chat; the local model may still be loading."""
    body = json.dumps({"message": "What is the capital of France?"}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as reply:
                found: dict[str, str] = json.load(reply)
                return found
        except urllib.error.HTTPError as error:
            if error.code != 500 or time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def build_and_check(folder: Path, local_model: str) -> None:
    """All of it, in an empty folder."""
    context = folder / "context"
    context.mkdir()
    copy_context(ROOT, context)
    stages = DockerfileReader({"LOCAL_MODEL": local_model}).read((ROOT / "Dockerfile").read_text())
    check(build(stages, context, folder), stages[-1], local_model == "yes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local-model", choices=("yes", "no"), default="yes")
    parser.add_argument("--inside", action="store_true", help="the mounts are nobody else's")
    options = parser.parse_args()
    if not options.inside:
        if os.geteuid():
            sys.exit("The Dockerfile's steps can only be run as root.")
        again = [sys.executable, "-m", "tests.image", *sys.argv[1:], "--inside"]
        os.execvp("unshare", ["unshare", "--mount", *again])
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run("mount", "-t", "tmpfs", "tmpfs", folder)
        try:
            build_and_check(Path(folder), options.local_model)
        finally:
            run("umount", "--lazy", folder)
    say(f"The image is built and serves: {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
