"""Room 0: around every request. The Flask plumbing."""
