"""What is asked of each figure: the target, and what one could be proud of."""

from __future__ import annotations

SECRETS = "secrets in the logs of this run"

ASKED = {
    "concurrent paced streams (1 token/s) held with /health p99 < 250 ms": ("2,000", "4,000"),
    "plain requests/s (client on the same 2 cores)": ("400", "600"),
    "300 streams at 4 tokens/s: first token p99 / `/health` p99": ("500 / 250 ms", "100 / 20 ms"),
    "memory per stream (300 at once) / whole tree when idle (PSS)": (
        "100 KB / 200 MB",
        "30 KB / 130 MB",
    ),
    "memory growth, 3,000 requests + 500 streams": ("< 5 %", "< 2 %"),
    "upstream cancelled after the client left: tokens flowing": ("2 s", "100 ms"),
    "same: silent mid-stream / before first token / plain call": ("1 s", "50 ms"),
    "200 disconnects: upstream streams, fds, threads left": ("0, <= 30, <= 20", "0, 0, 0"),
    "20 clients that never read, fast upstream: memory": ("< 100 MB", "< 5 MB"),
    "ways of dying mid-stream shown as an error event": ("5/5", "5/5"),
    "nonsense upstream answers handled (13 kinds x 2)": ("26/26", "26/26"),
    "silent upstream, T = 6 s: answer": ("504 by T + 3 s", "T + 0.1 s"),
    "transient 429/500/503/reset hidden, tries bounded": ("4/4, <= 4", "4/4, <= 3"),
    "kill -9 of a worker with 50 streams: /health failed or slow for": ("2 s", "0 failed probes"),
    "kill -9 of the whole tree: back with 20/20 sessions": ("5 s", "1.5 s"),
    "acknowledged messages lost by that": ("0", "0"),
    "SIGTERM with 20 streams": ("20/20, exit 0", "same"),
    "SIGHUP with 20 streams: failed probes": ("0", "0"),
    "200 slowloris connections: others' p99 (headers / bodies)": ("1 s", "20 ms"),
    "200 MB body refused after": ("8 MB", "1 MB"),
    "SSRF tries / connections to the canary": ("0", "0"),
    "redirects followed": ("0", "0"),
    "100 concurrent appends to one session: kept / /health p99": ("100 / 100 ms", "100 / 50 ms"),
    "limit of 30: answers given to 60 spoofed callers (2 workers)": ("30", "30"),
    "fuzzed well-formed requests: 5xx": ("0 of 20,000", "0 of 1,000,000"),
    "malformed HTTP: 500s / errors that are not JSON": ("0 / any", "0 / 0 of 2,000"),
    SECRETS: ("0", "0"),
}

ELSEWHERE = {
    "odd keys refused": "tests/integration/test_odd_keys.py",
}
"""Figures that are not measured by this suite, and where they are."""

COUNTS = {
    "ways of dying mid-stream shown as an error event",
    "nonsense upstream answers handled (13 kinds x 2)",
    "all faults of this suite at all doors",
    "transient 429/500/503/reset hidden, tries bounded",
    "redirects followed",
    "SSRF tries / connections to the canary",
    "acknowledged messages lost by that",
    "SIGTERM with 20 streams",
    "limit of 30: answers given to 60 spoofed callers (2 workers)",
    "fuzzed well-formed requests: 5xx",
    "malformed HTTP: 500s / errors that are not JSON",
    SECRETS,
}
"""Those that do not depend on how fast anything is."""
