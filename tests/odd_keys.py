"""Wrong keys, and right ones in wrong places: what people, scripts and attackers send."""

from __future__ import annotations

import base64
from typing import NamedTuple

KEY = "canary-key-voilà"
OTHER_KEY = "canary-key-zweiter"
UPSTREAM_KEY = "sk-canary-key-of-the-upstream"
CALLERS_KEY = "sk-canary-key-of-a-caller"

RIGHT = KEY.encode()
BASIC = base64.b64encode(b"user:" + RIGHT)


class Odd(NamedTuple):
    """How a request tries to get in without a right key in a right place."""

    headers: tuple[tuple[str, bytes], ...] = ()
    query: str = ""
    body: bytes = b""


def _as_api_key(*values: bytes) -> Odd:
    return Odd(tuple(("x-api-key", value) for value in values))


def _as_authorization(*values: bytes) -> Odd:
    return Odd(tuple(("Authorization", value) for value in values))


ODD_KEYS = {
    "none": Odd(),
    "empty": _as_api_key(b""),
    "a prefix": _as_api_key(RIGHT[:-2]),
    "half a character less": _as_api_key(RIGHT[:-1]),
    "a suffix": _as_api_key(RIGHT[1:]),
    "one more character": _as_api_key(RIGHT + b"x"),
    "other case": _as_api_key(RIGHT.upper()),
    "a space in it": _as_api_key(RIGHT.replace(b"-", b" -", 1)),
    "a tab in it": _as_api_key(RIGHT.replace(b"-", b"\t-", 1)),
    "a no-break space behind it": _as_api_key(RIGHT + "\u00a0".encode()),
    "both keys joined": _as_api_key(RIGHT + b"," + OTHER_KEY.encode()),
    "the setting's own form": _as_api_key(RIGHT + b", " + OTHER_KEY.encode()),
    "twice": _as_api_key(RIGHT, RIGHT),
    "beside a wrong one": _as_api_key(b"wrong", RIGHT),
    "in quotes": _as_api_key(b'"' + RIGHT + b'"'),
    "as a pattern": _as_api_key(b"*"),
    "as SQL": _as_api_key(b"' OR '1'='1"),
    "another alphabet": _as_api_key("ключ".encode()),
    "look-alike letters": _as_api_key(RIGHT.replace(b"a", "а".encode())),
    "a decomposed letter": _as_api_key(RIGHT.replace("à".encode(), "a\u0300".encode())),
    "as Latin-1": _as_api_key(KEY.encode("latin-1")),
    "no UTF-8": _as_api_key(b"\xff\xfe\xc3"),
    "percent-encoded": _as_api_key(b"canary-key-voil%C3%A0"),
    "4,000 characters": _as_api_key(b"k" * 4_000),
    "the right one, 200 times": _as_api_key(RIGHT * 200),
    "of the upstream": _as_api_key(UPSTREAM_KEY.encode()),
    "of the upstream, as Bearer": _as_authorization(b"Bearer " + UPSTREAM_KEY.encode()),
    "a caller's own for the upstream": _as_authorization(b"Bearer " + CALLERS_KEY.encode()),
    "with `Bearer` in x-api-key": _as_api_key(b"Bearer " + RIGHT),
    "without a scheme": _as_authorization(RIGHT),
    "`Bearer` alone": _as_authorization(b"Bearer"),
    "`Bearer` and nothing": _as_authorization(b"Bearer "),
    "`Bearer` twice": _as_authorization(b"Bearer Bearer " + RIGHT),
    "`Bearer` in two headers": _as_authorization(b"Bearer " + RIGHT, b"Bearer " + RIGHT),
    "`Bearer` with a tab": _as_authorization(b"Bearer\t" + RIGHT),
    "`Bearer:`": _as_authorization(b"Bearer: " + RIGHT),
    "as Bearer, and more": _as_authorization(b"Bearer " + RIGHT + b", x"),
    "as Basic": _as_authorization(b"Basic " + RIGHT),
    "as Basic, encoded": _as_authorization(b"Basic " + BASIC),
    "as Digest": _as_authorization(b'Digest username="' + RIGHT + b'"'),
    "as Token": _as_authorization(b"Token " + RIGHT),
    "in a cookie": Odd((("Cookie", b"x-api-key=" + RIGHT + b"; api_key=" + RIGHT),)),
    "for a proxy": Odd((("Proxy-Authorization", b"Bearer " + RIGHT),)),
    "under other names": Odd(
        tuple((name, RIGHT) for name in ("api-key", "x-goog-api-key", "X-Key"))
    ),
    "in the query": Odd(query="api_key=canary-key-voil%C3%A0&x-api-key=canary-key-voil%C3%A0"),
    "in the body": Odd(body=b'{"api_key":"' + RIGHT + b'","x-api-key":"' + RIGHT + b'"}'),
}
"""All are HTTP, so each is refused with a 401."""

UNDERSCORED = Odd((("x_api_key", RIGHT),))
"""Gunicorn drops such headers, of which others make the same variable as of `x-api-key`."""

CONTROLS = {
    "a NUL": RIGHT + b"\x00",
    "a line feed": b"x\n" + RIGHT,
    "a carriage return": b"x\r" + RIGHT,
    "an escape": b"\x1b[2J" + RIGHT,
    "a DEL": RIGHT + b"\x7f",
    "a form feed": RIGHT + b"\x0c",
    "a folded line": b"x\r\n " + RIGHT,
}
"""No HTTP has these in a header: Gunicorn refuses them with a 400."""
