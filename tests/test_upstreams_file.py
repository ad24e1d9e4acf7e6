"""The file of further upstreams: what it says, and what is said of its mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chat_api.errors import SettingsError
from chat_api.settings import load_settings
from chat_api.upstreams_file import NamedUpstream, UpstreamsFile, read_upstreams_file

ROUTING = Path(__file__).resolve().parent.parent / "docs/routing.md"
HERE = 'base_url = "http://h/v1"'


def read(tmp_path: Path, text: str, **environment: str) -> UpstreamsFile:
    path = tmp_path / "upstreams.toml"
    path.write_text(text)
    return read_upstreams_file(str(path), lambda name: environment.get(name, ""))


def test_the_example_of_the_docs_is_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", ROUTING.read_text(), re.DOTALL)
    found = read(tmp_path, example, GROQ_API_KEY="gsk-1")
    assert found.upstreams == (
        NamedUpstream(
            name="groq",
            base_url="https://api.groq.com/openai/v1",
            api_key="gsk-1",
            models=("llama-3.*", "qwen*"),
            context_tokens=131072,
            timeout_seconds=60,
        ),
        NamedUpstream(name="vllm", base_url="http://10.0.0.7:8000/v1", answers_one_choice=True),
    )
    assert found.aliases["smart"] == "gpt-5.5"
    assert found.fallbacks["*"] == ("vllm/qwen3-8b",)
    assert (found.cooldown_failures, found.cooldown_seconds) == (3, 30)
    assert found.mentions("local") and not found.mentions("mock")


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == UpstreamsFile()


def test_keys_are_not_shown(tmp_path: Path) -> None:
    found = read(tmp_path, f'[upstreams.a]\n{HERE}\napi_key = "secret-key"')
    assert found.upstreams[0].api_key == "secret-key"
    assert "secret-key" not in repr(found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[upstreams.a]", "upstreams.a.base_url: "),
        ('[upstreams.a]\nbase_url = "ftp://h"', "upstreams.a.base_url: "),
        ('[upstreams.a]\nbase_url = "http://user:pw@h"', "upstreams.a.base_url: "),
        ('[upstreams.a]\nbase_url = "http://h:99999/v1"', "upstreams.a.base_url: "),
        ('[upstreams.a]\nbase_url = "http://[::1/v1"', "upstreams.a.base_url: "),
        (f'[upstreams.a]\n{HERE}\napi_key = "k"\napi_key_env = "K"', "not both"),
        (f"[upstreams.A]\n{HERE}", "upstreams.A: wanted: lower-case letters"),
        ('[upstreams]\na = "b"', "upstreams.a: "),
        (f"[upstreams.openai]\n{HERE}", "upstreams.openai: "),
        (f'[upstreams.a]\n{HERE}\nkey = "secret"', "upstreams.a.key: "),
        (f'[upstreams.a]\n{HERE}\napi_key = "sec ret"', "upstreams.a.api_key: "),
        (f'[upstreams.a]\n{HERE}\napi_key_env = "UNSET"', "UNSET is not set to a key"),
        (f"[upstreams.a]\n{HERE}\ncontext_tokens = 0", "upstreams.a.context_tokens: "),
        (f"[upstreams.a]\n{HERE}\nmodels = []", "upstreams.a.models: "),
        ('[aliases]\na = ""', "aliases.a: "),
        ('[aliases]\na = "b"\nb = "a"', "aliases.a names another alias"),
        ('[fallbacks]\na = "b"', "fallbacks.a: "),
        ("[cooldown]\nfailures = 0", "cooldown.failures: "),
        ("[else]", "else: "),
        ("[upstreams", "is not valid TOML"),
    ],
)
def test_a_mistake_is_named_by_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match="UPSTREAMS_FILE") as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "sec" not in str(caught.value).replace("seconds", "")


def test_a_file_that_is_not_there_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAMS_FILE", str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match="UPSTREAMS_FILE cannot be read"):
        load_settings()


def test_keys_come_from_the_environment_or_the_dotenv_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("upstreams.toml").write_text(f'[upstreams.a]\n{HERE}\napi_key_env = "A_KEY"')
    Path(".env").write_text("UPSTREAMS_FILE=upstreams.toml\nA_KEY=from-dotenv\n")
    try:
        assert load_settings().further.upstreams[0].api_key == "from-dotenv"
    finally:
        monkeypatch.delenv("A_KEY", raising=False)
        monkeypatch.delenv("UPSTREAMS_FILE", raising=False)
