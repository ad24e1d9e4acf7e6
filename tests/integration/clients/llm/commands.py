"""Running the `llm` command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from reporting import KEY, MODEL, URL

_settings = {"LLM_USER_PATH": ""}


def set_up(home: str, **more: object) -> Path:
    """A folder of settings with one model, `chat`; `more` is said of it."""
    folder = Path(home).absolute()
    folder.mkdir(exist_ok=True)
    own = {"model_id": "chat", "model_name": MODEL, "api_base": URL, "api_key_name": "own"}
    abilities = {"supports_schema": True, "supports_tools": True, "vision": True}
    models = [{**own, **abilities, **more}]
    (folder / "extra-openai-models.yaml").write_text(json.dumps(models))  # JSON is YAML
    _settings["LLM_USER_PATH"] = str(folder)
    return folder


def prompt(text: str, *arguments: str, key: str = KEY) -> list:
    """Ask the model."""
    return llm("prompt", text, "-m", "chat", "--key", key, *arguments)


def llm(*arguments: str) -> list:
    """How a command ends, and what it prints on both outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "llm", *arguments],
        env={**os.environ, **_settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return [done.returncode, done.stdout.strip(), done.stderr.strip()]
