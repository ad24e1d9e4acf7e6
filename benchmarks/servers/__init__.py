"""The servers ours is measured against: each one Flask route, each under the same Gunicorn."""
