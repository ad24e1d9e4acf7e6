"""Sessions and what belongs to them. Errors are `{"detail": "<text>"}` (`web.errors`)."""
