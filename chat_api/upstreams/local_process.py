"""The local model's two processes: a light supervisor and, below it, the model server.

    Gunicorn master ──pipe──> supervisor ──pipe──> model (llama.cpp, HTTP on loopback)

A pipe is held open by its left end and carries nothing. When it closes, by whatever death, the
right end leaves: nobody has to remember to end anybody, and `kill -9` leaves nothing behind.
Gunicorn's workers are forked with the master's end and so hold it too: the model goes on
answering until the last of them has drained its streams.

Run by file path, not by `-m`, which would bring Flask into the supervisor; and with `python -P`,
else this folder's `openai.py` and its like would hide packages of the same name.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from typing import Any

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
STEADY_SECONDS = 10.0  # after a life so long the first pause is waited again
LEAVE_SECONDS = 1.0  # one that is still loading does not hear that it should, and is killed
IGNORED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMPLAINT = re.compile(r"^[\d.]+ E\s+")
READY_LINE = "the local model is ready"
CRASH_WORDS = ("GGML_ASSERT", "GGML_ABORT", "terminate called", "Fatal Python error")
WORDS_CHARS = 300
LAST_WORDS_SECONDS = 0.5
"""llama.cpp says from a thread of its own why it cannot start. Leaving at once would cut it off."""
PIPE_BYTES = 65_536

TEMPERATURE = 0.0
"""Unless the caller says another. The small model is of several minds about its first word: it
names France's capital wrongly in 13 of 160 replies at 0.2, in one of a hundred at 0.1."""
HTTP_THREADS = 128
"""Each open request holds one, waiting ones too. With llama.cpp's default of 8 on two cores a
health check waited two seconds behind 24 streams."""
PROMPT_CACHE_MIB = 128
"""For conversations that lost their slot: about 20 MiB per 1,000 tokens. The default of 8,192
grows with every new conversation."""
LOG_ERRORS_ONLY = 1


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Run the local model server.")
    parser.add_argument("role", choices=("supervise", "serve"))
    parser.add_argument("--model", required=True, help="path of a GGUF file")
    parser.add_argument("--name", required=True, help="what the replies call the model")
    parser.add_argument("--port", required=True, type=int, help="on 127.0.0.1")
    parser.add_argument("--context-tokens", required=True, type=int, help="all conversations' sum")
    parser.add_argument("--parallel", required=True, type=int, help="conversations at a time")
    parser.add_argument("--chat-template", default="", help="Jinja instead of the file's own")
    options = parser.parse_args(arguments)
    if options.role == "serve":
        serve(options)
    else:
        supervise(options, [sys.executable, "-P", __file__, "serve", *arguments[1:]])


def supervise(options: argparse.Namespace, command: list[str]) -> None:
    """Keep the model running until the pipe on standard input closes.

    Signals, which some platforms send to every process, must not take the model away from
    streams that are being drained. The model inherits this.
    """
    for number in IGNORED_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _close_inherited()
    pause = FIRST_PAUSE_SECONDS
    while True:
        started = time.monotonic()
        end = run_once(options, command)
        if end is None:
            return
        if (lived := time.monotonic() - started) >= STEADY_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        log(f"{options.name} {end} after {lived:.1f} s; starts again in {pause:.1f} s")
        if select.select([0], [], [], pause)[0] and _closed(0):
            return
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def run_once(options: argparse.Namespace, command: list[str]) -> str | None:
    """Start the model and stay with it.

    Returns:
        How it ended, in words; None when the master ended first, and the model with it.
    """
    try:
        model = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:  # out of memory or processes: passes, and must not end us
        return f"could not start ({error})"
    assert model.stdin is not None and model.stdout is not None
    with model.stdout, model.stdin:
        words = listen(options, model.stdout.fileno())
    # Its standard input is closed now: a model that is still there leaves by itself.
    with contextlib.suppress(subprocess.TimeoutExpired):
        model.wait(LEAVE_SECONDS)
    model.kill()
    status = model.wait()
    end = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return None if words is None else f"{end} ({words})" if words else end


def listen(options: argparse.Namespace, output: int) -> str | None:
    """Read the model's output to its end.

    Returns:
        What is worth saying about its end: the first complaint while it loads, which names the
        cause of those that follow, or a crash. Its other words once it is up are about single
        requests and may quote them. None when the master ended first.
    """
    words, rest, ready, is_cause = "", b"", False, False
    while True:
        readable = select.select([0, output], [], [])[0]
        if 0 in readable and _closed(0):
            return None
        if output not in readable:
            continue
        piece = os.read(output, PIPE_BYTES)
        if not piece:
            return words
        *lines, rest = (rest + piece).split(b"\n")
        rest = rest[:PIPE_BYTES]
        for line in (raw.decode(errors="replace").strip() for raw in lines):
            if line == READY_LINE:
                words, ready = "", True
                log(f"{options.name} answers on 127.0.0.1:{options.port}")
            elif ready and any(mark in line for mark in CRASH_WORDS):
                words = line[:WORDS_CHARS]
            elif not ready and not is_cause:
                # llama.cpp's own words come from a thread of its own, maybe behind Python's.
                complaint = COMPLAINT.sub("", line)
                is_cause = complaint != line
                words = complaint[:WORDS_CHARS] if is_cause or not words else words


def log(message: str) -> None:
    """One line on standard error, where Gunicorn's master writes too."""
    with contextlib.suppress(OSError):  # the terminal may be gone; that must not end us
        os.write(2, f"local model: {message}\n".encode(errors="replace"))


def serve(options: argparse.Namespace) -> None:
    """Be the model: an OpenAI-compatible server on loopback, until standard input closes."""
    try:
        import xllamacpp  # here alone: the supervisor stays light

        params = _params(xllamacpp.CommonParams(), options)
        # The last token's vector stands for a text: it has seen all of it. The mean of them all
        # would have to fit into one batch of 512 tokens.
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_LAST
        _server = xllamacpp.Server(params)  # held until the end: collected, it stops answering
    except (ImportError, RuntimeError) as error:
        time.sleep(LAST_WORDS_SECONDS)
        sys.exit(str(error))
    os.write(1, f"{READY_LINE}\n".encode())
    while not _closed(0):
        pass
    os._exit(0)  # without waiting for requests and destructors


def _params(params: Any, options: argparse.Namespace) -> Any:
    params.model.path = options.model
    params.model_alias = {options.name}  # else its replies carry the file's path
    params.hostnames, params.port = ["127.0.0.1"], options.port
    params.embedding = True  # chats are answered too, and as fast
    params.n_ctx = options.context_tokens
    params.n_parallel = options.parallel
    params.use_jinja, params.chat_template = True, options.chat_template
    # Half of the cores. llama.cpp's threads wait for each other by spinning: with a thread for
    # each core, whatever else runs here (the server that asks, to begin with) stalls them all,
    # and an answer was seen to take minutes instead of a tenth of a second.
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    cores = len(affinity) or os.cpu_count() or 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, cores // 2)
    params.sampling.temp = TEMPERATURE
    params.n_threads_http = HTTP_THREADS
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.verbosity = LOG_ERRORS_ONLY
    # By default any web page open on this machine may use it and look into its slots.
    params.cors_origins = "localhost"
    params.endpoint_slots = False
    params.ui = False
    return params


def _closed(pipe: int) -> bool:
    """Whether the other end is gone; waits until there is something to know."""
    return not os.read(pipe, PIPE_BYTES)


def _close_inherited() -> None:
    """Listening sockets are inheritable under systemd and at Gunicorn's upgrade by SIGUSR2; a
    copy here would keep the port taken."""
    for name in os.listdir("/dev/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the listing's own, closed by now
                os.close(int(name))


if __name__ == "__main__":
    main(sys.argv[1:])
