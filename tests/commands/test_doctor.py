"""The doctor: what it prints, and its exit code."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from pytest_mock import MockerFixture

from chat_api.upstreams import local
from tests.commands.processes import by_subject, command
from tests.mock_server import API_KEY
from tests.scripted import Exchange, ScriptedUpstream

SECRET = "sk-canary-of-the-server"
PASSWORD = "canary-of-redis"
DEAD = "http://127.0.0.1:1/v1"
ON_A_FULL_DISK = (
    "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)

Run = Callable[..., Result]


def test_where_all_is_well_each_line_says_so_and_the_code_is_0(
    run: Run, scripted: ScriptedUpstream
) -> None:
    result = run("doctor", openai_base_url=scripted.url, openai_api_key=SECRET, api_keys=(API_KEY,))
    assert result.exit_code == 0, result.output
    lines = by_subject(result.output)
    assert list(lines) == [
        *("settings", "api key", "openai", "model", "store", "limiter", "disk", "clock")
    ]
    for subject in ("settings", "api key", "openai", "store", "limiter"):
        assert lines[subject].startswith("ok "), lines[subject]
    assert "takes the key" in lines["openai"] and "gpt-4o-mini among them" in lines["openai"]
    assert SECRET not in result.output and API_KEY not in result.output
    assert [exchange.path for exchange in scripted.exchanges][0] == "/v1/models"


def test_a_key_that_the_upstream_refuses_fails(run: Run, scripted: ScriptedUpstream) -> None:
    scripted.script = lambda exchange: exchange.reply(401, {"error": {"message": SECRET}})
    result = run("doctor", openai_base_url=scripted.url, openai_api_key=SECRET)
    line = by_subject(result.output)["openai"]
    assert result.exit_code == 1
    assert line.startswith("fail") and "401" in line and "OPENAI_API_KEY" in line
    assert SECRET not in result.output


def test_an_upstream_that_lists_no_models_is_a_warning(
    run: Run, scripted: ScriptedUpstream
) -> None:
    scripted.script = lambda exchange: exchange.reply(404, {"error": {"message": "No such path"}})
    result = run("doctor", openai_base_url=scripted.url)
    line = by_subject(result.output)["openai"]
    assert result.exit_code == 0
    assert line.startswith("warn") and "No such path" in line


def test_a_default_model_that_is_not_listed_is_a_warning(
    run: Run, scripted: ScriptedUpstream
) -> None:
    result = run("doctor", openai_base_url=scripted.url, default_model="other")
    line = by_subject(result.output)["openai"]
    assert line.startswith("warn") and "other not among them" in line and "OPENAI_MODEL" in line


def test_without_any_upstream_it_says_what_to_set(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None)
    result = run("doctor")
    assert result.exit_code == 1
    assert "OPENAI_API_KEY" in by_subject(result.output)["upstream"]


@pytest.mark.skipif(
    local.find_model(None) is None, reason="requirements-local.txt is not installed"
)
def test_the_local_model_is_started_to_be_asked_and_leaves_again(run: Run) -> None:
    result = run("doctor", upstream="local")
    assert result.exit_code == 0, result.output
    assert "smollm2-135m among them" in by_subject(result.output)["local"]
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", local.loopback_port())) != 0


def test_openai_without_a_key_is_for_callers_who_bring_theirs(run: Run) -> None:
    result = run("doctor", upstream="openai", requests_per_minute=0)
    lines = by_subject(result.output)
    assert lines["openai"].startswith("warn") and "OPENAI_API_KEY" in lines["openai"]
    assert lines["limiter"].startswith("ok ") and "off" in lines["limiter"]


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2026, 11, 21), "warn  model       OpenAI retires gpt-4o-mini, the default model, in "
         "54 days, on 2027-01-14. Set OPENAI_MODEL to one that stays."),
        (date(2026, 1, 1), "ok    model       gpt-4o-mini answers calls without a model."),
    ],
)  # fmt: skip
def test_a_default_model_that_will_be_gone_is_a_warning(
    run: Run, scripted: ScriptedUpstream, mocker: MockerFixture, today: date, said: str
) -> None:
    mocker.patch("chat_api.commands.doctor.date").today.return_value = today
    result = run("doctor", openai_base_url=scripted.url)
    assert said in result.output.splitlines()


@pytest.mark.parametrize(
    ("keys", "verdict"), [((), "warn"), (("short",), "warn"), ((API_KEY,), "ok ")]
)
def test_keys_that_are_missing_or_short_are_a_warning(
    run: Run, scripted: ScriptedUpstream, keys: tuple[str, ...], verdict: str
) -> None:
    result = run("doctor", openai_base_url=scripted.url, openai_api_key=SECRET, api_keys=keys)
    assert by_subject(result.output)["api key"].startswith(verdict)


def date_is(text: str) -> Callable[[Exchange], None]:
    """An upstream whose clock says that."""
    return lambda exchange: exchange.reply(404, {}, headers=f"Date: {text}\r\n")


def test_a_clock_that_is_far_off_fails(run: Run, scripted: ScriptedUpstream) -> None:
    scripted.script = date_is("Wed, 01 Jan 2020 00:00:00 GMT")
    result = run("doctor", openai_base_url=scripted.url)
    assert result.exit_code == 1
    assert by_subject(result.output)["clock"].startswith("fail")


def test_a_dead_upstream_a_dead_redis_and_no_place_for_the_store_fail_and_say_why(
    run: Run,
) -> None:
    result = run(
        "doctor",
        openai_base_url=DEAD,
        redis_url=f"redis://:{PASSWORD}@127.0.0.1:1/0",
        data_dir="/proc/data",
    )
    assert result.exit_code == 1
    lines = by_subject(result.output)
    reasons = {"openai": "refused", "store": "DATA_DIR", "limiter": "REDIS_URL"}
    for subject, reason in reasons.items():
        assert lines[subject].startswith("fail") and reason in lines[subject], lines[subject]
    assert lines["clock"].startswith("warn")
    assert PASSWORD not in result.output


def test_as_a_process_it_finds_a_full_disk_and_a_bad_setting(tmp_path: Path) -> None:
    """A file that may not grow stands for the disk."""
    through = (sys.executable, "-c", ON_A_FULL_DISK)
    settings = {"UPSTREAM": "mock", "DATA_DIR": str(tmp_path / "data")}
    full = command(tmp_path, "doctor", through=through, **settings)
    bad = command(tmp_path, "doctor", PORT=SECRET)
    with full, bad:
        text, complaints = full.communicate(timeout=60)
        line = by_subject(text)["store"]
        assert (full.returncode, complaints) == (1, "")
        assert line.startswith("fail") and "DATA_DIR" in line
        text, complaints = bad.communicate(timeout=60)
        assert (bad.returncode, text) == (1, "")
        assert complaints == "chat_api: PORT has a bad value; wanted: a port number\n"
