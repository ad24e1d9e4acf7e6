"""The WSGI application `main:app`; run as a script it serves with gunicorn.conf.py."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Gunicorn reads this one by itself while it is imported; a bad value would be a traceback.
    workers = os.environ.get("WEB_CONCURRENCY", "").strip()
    if not workers:
        os.environ.pop("WEB_CONCURRENCY", None)
    elif not workers.isdecimal():
        sys.exit("chat_api: WEB_CONCURRENCY has a bad value; wanted: a number from 1 to 256")
    # A new process: gunicorn.conf.py must patch the standard library before anything of ours
    # is imported. It and `.env` are looked for in the working directory.
    os.chdir(Path(__file__).resolve().parent)
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *sys.argv[1:], "main:app"])

from chat_api import create_app
from chat_api.errors import SettingsError

try:
    app = create_app()
except SettingsError as error:  # as gunicorn.conf.py, which comes first: this is for `flask`
    raise SystemExit(f"chat_api: {error}") from None
