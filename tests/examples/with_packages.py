"""The examples that need packages of npm's: `make test-examples` installs them and runs this."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.examples.running import EXAMPLES, assert_hook_works, run, start, use_hook
from tests.servers import ROOT, Server

CACHE = ROOT / ".cache" / "examples"


@pytest.fixture
def ai_sdk() -> Path:
    """The example beside its packages."""
    return Path(shutil.copy(EXAMPLES / "ai-sdk/chat.mjs", CACHE / "ai-sdk"))


def test_the_ai_sdk_answers(mock_server: Server, ai_sdk: Path) -> None:
    code, said, complained = run(ai_sdk, "Hi", mock_server.url)
    assert (code, said, complained) == (0, "You said: Hi\n[4 tokens]\n", "")


def test_the_ai_sdk_says_that_an_answer_broke_off(mock_server: Server, ai_sdk: Path) -> None:
    code, said, complained = run(ai_sdk, "a b c [cut=2]", mock_server.url)
    assert (code, said) == (1, "You said:")
    assert "[broken: The upstream broke off" in complained


def test_the_ai_sdk_says_why_it_was_refused(mock_server: Server, ai_sdk: Path) -> None:
    code, _, complained = run(ai_sdk, "Hi", mock_server.url, api_key="")
    assert code == 1 and "wants a key" in complained


def test_the_ai_sdk_is_stopped_by_ctrl_c(mock_server: Server, ai_sdk: Path) -> None:
    with start(ai_sdk, "a b c d [silence=60]", mock_server.url) as example:
        assert example.stdout
        os.read(example.stdout.fileno(), 1)
        example.send_signal(signal.SIGINT)
        complained = example.communicate(timeout=30)[1]
    assert (example.returncode, complained) == (1, "\n[stopped]\n")


def test_the_hook_works_with_the_real_react(mock_server: Server) -> None:
    assert_hook_works(use_hook(CACHE / "react", "mount_real.mjs", mock_server))
