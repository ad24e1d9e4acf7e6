"""The chat in the terminal."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.commands.processes import command
from tests.mock_server import API_KEY
from tests.ports import free_port
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server

Run = Callable[..., Result]


def test_it_answers_and_goes_on_with_what_was_said(run: Run, scripted: ScriptedUpstream) -> None:
    result = run("chat", "--model", "gpt-x", input="One\n\nTwo\n", openai_base_url=scripted.url)
    assert (result.exit_code, result.stdout) == (0, "Hello!\nHello!\n")
    asked = [exchange.json for exchange in scripted.exchanges if exchange.raw]
    assert [body["model"] for body in asked] == ["gpt-x", "gpt-x"]
    said = [message["content"] for message in asked[1]["messages"]]
    assert said == ["One", "Hello!", "Two"]


@pytest.mark.parametrize("through", ["a server", "here"])
def test_an_answer_that_broke_off_or_never_began_is_said_to_and_is_not_gone_on_with(
    run: Run, mock_server: Server, through: str
) -> None:
    arguments = ["--url", mock_server.url] if through == "a server" else []
    typed = "a b [cut=1]\nno [status=400]\nlast\n"
    result = run("chat", *arguments, input=typed, upstream="mock", api_keys=(API_KEY,))
    assert result.exit_code == 1
    assert result.stdout == "You\nYou said: last\n"
    broke_off, none = result.stderr.splitlines()
    assert broke_off.startswith("[the answer broke off: The upstream broke off")
    assert none.startswith("[no answer: ") and "told to fail with 400" in none


def test_a_server_that_refuses_the_key_or_is_not_there_is_said_to(
    run: Run, mock_server: Server
) -> None:
    for url, reason in (
        (mock_server.url, "status 401"),
        (f"http://127.0.0.1:{free_port()}", "cannot be reached"),
        ("no address", "cannot be reached"),
    ):
        result = run("chat", "--url", url, input="Hi\n", upstream="mock")
        assert reason in result.stderr and result.stdout == ""


def test_a_server_that_breaks_its_connection_off_is_not_believed(
    run: Run, scripted: ScriptedUpstream
) -> None:
    def break_off(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(b'data: {"content": "Hel"}\n\n')
        exchange.connection.close()

    def leave_the_end_out(exchange: Exchange) -> None:
        exchange.reply(200, b'data: {"content": "Hel"}\n\n')

    for script, reason in ((break_off, "connection broke off"), (leave_the_end_out, "`done`")):
        scripted.script = script
        url = scripted.url.removesuffix("/v1")
        result = run("chat", "--url", url, input="Hi\n", upstream="mock")
        assert result.stdout == "Hel\n" and reason in result.stderr


def test_what_a_model_says_does_not_reach_the_terminals_controls(
    run: Run, scripted: ScriptedUpstream
) -> None:
    scripted.script = lambda exchange: exchange.stream("a\x1b]0;owned\x07\x9b1m", "\n\tb\x7f")
    result = run("chat", input="Hi\n", openai_base_url=scripted.url)
    assert result.stdout == "a]0;owned1m\n\tb\n"


def test_nor_does_what_a_server_says_of_its_failure(run: Run, scripted: ScriptedUpstream) -> None:
    scripted.script = lambda exchange: exchange.reply(500, {"error": "a\x1b]0;owned\x07\x9b1m"})
    url = scripted.url.removesuffix("/v1")
    chat = run("chat", "--url", url, input="Hi\n", upstream="mock")
    doctor = run("doctor", "--url", url, upstream="mock")
    for said in (chat.stderr, doctor.stdout):
        assert "a]0;owned1m" in said and not {"\x1b", "\x07", "\x9b"} & set(said)


def test_ctrl_c_stops_the_answer_and_not_the_chat(tmp_path: Path) -> None:
    chat = command(tmp_path, "chat", stdin=subprocess.PIPE, UPSTREAM="mock")
    with chat:
        assert chat.stdin and chat.stdout and chat.stderr
        chat.stdin.write("a b c [silence=60]\n")
        chat.stdin.flush()
        assert chat.stdout.read(9) == "You said:"
        chat.send_signal(signal.SIGINT)
        said, complaints = chat.communicate("again\n", timeout=60)
    assert (chat.returncode, said) == (1, "\nYou said: again\n")
    assert complaints == "[stopped]\n"


def test_a_line_that_is_no_text_is_said_to_and_the_others_are_answered(tmp_path: Path) -> None:
    (tmp_path / "questions").write_bytes("grün\n".encode("latin-1") + "grün\n".encode())
    with (tmp_path / "questions").open() as questions:
        chat = command(tmp_path, "chat", stdin=questions, UPSTREAM="mock", PYTHONUTF8="1")
        said, complaints = chat.communicate(timeout=60)
    assert (chat.returncode, said) == (1, "You said: grün\n")
    assert complaints == "[not sent: this line is no text in utf-8]\n"
