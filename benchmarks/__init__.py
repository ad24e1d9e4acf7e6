"""A short benchmark: our gateway beside three small servers, in one run (see README.md here)."""
